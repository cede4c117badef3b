import Type, { type TSchema } from "typebox";
import { AppError } from "../errors.ts";

/** Query parameters of every list. */
export const PageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: "Items in a page" }),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: "`nextCursor` of the page before" })),
};

export function pageOf<Item extends TSchema>(item: Item, description: string) {
  return Type.Object(
    {
      items: Type.Array(item, { description: "The items of this page" }),
      nextCursor: Type.Optional(Type.String({ description: "Absent on the last page" })),
    },
    { description },
  );
}

/** A page from rows of which one more than `limit` was read; the key of the last item shown becomes the cursor. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => readonly string[],
): { items: Item[]; nextCursor?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(toItem);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: Buffer.from(JSON.stringify(keyOf(last))).toString("base64url") };
}

/** What the parts of cursors look like. */
export const cursorPart = {
  name: /^[a-z0-9-]{1,64}$/,
  count: /^\d{1,9}$/,
  moment: /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
} as const;

// PostgreSQL refuses the 30th of February, which has the right form.
function isOfCalendar(moment: string): boolean {
  const date = new Date(moment);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === moment.slice(0, 19);
}

/** The key in a cursor of ours, whose parts match `parts` in order; throws `invalid_request` for anything else. */
export function parseCursor(
  cursor: string | undefined,
  ...parts: readonly RegExp[]
): readonly string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    const matches = (part: unknown, index: number) =>
      typeof part === "string" &&
      parts[index]?.test(part) &&
      (parts[index] !== cursorPart.moment || isOfCalendar(part));
    if (Array.isArray(key) && key.length === parts.length && key.every(matches)) return key;
  } catch {
    // Falls through to the same answer: not a cursor of ours.
  }
  throw new AppError("invalid_request", "The cursor is not one of this list: leave it out to begin anew", {
    details: { errors: [{ path: "query:/cursor", message: "is not a cursor of this list" }] },
  });
}
