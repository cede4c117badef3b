import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cursorPart, parseCursor, toPage } from "../../../src/http/pages.ts";

const same = <Value>(value: Value) => value;
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const { name, count, moment, uuid } = cursorPart;

describe("pages", () => {
  it("give the key of the last item shown back through the cursor", () => {
    const part = fc.oneof(
      fc
        .stringMatching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, { maxLength: 32 })
        .map((text) => ({ text, kind: name })),
      fc.nat().map((value) => ({ text: String(value % 1_000_000_000), kind: count })),
      fc.uuid().map((text) => ({ text, kind: uuid })),
      fc
        .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((date) => ({ text: date.toISOString().replace("Z", "123Z"), kind: moment })),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const key = parts.map(({ text }) => text);
        const page = toPage([key, ["next"]], 1, same, same);
        expect(parseCursor(page.nextCursor, ...parts.map(({ kind }) => kind))).toEqual(key);
      }),
    );
  });

  it("together show every row once and in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }), (total, limit) => {
        const rows = Array.from({ length: total }, (_, index) => String(index));
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const after = parseCursor(cursor, count)?.[0];
          const start = after === undefined ? 0 : Number(after) + 1;
          const page = toPage(rows.slice(start, start + limit + 1), limit, same, (row) => [row]);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(rows);
      }),
    );
  });

  it("have no cursor when exactly the limit is left", () => {
    expect(toPage(["a", "b"], 2, same, (row) => [row])).toEqual({ items: ["a", "b"] });
    expect(toPage([], 2, same, (row) => [row])).toEqual({ items: [] });
  });

  it("begin anew without a cursor", () => {
    expect(parseCursor(undefined, name)).toBeUndefined();
  });

  it.each([
    ["of no list", "abc"],
    ["that is empty", ""],
    ["with fewer parts", cursorOf(["a"])],
    ["with more parts", cursorOf(["a", "1", "c"])],
    ["with numbers in place of text", cursorOf(["a", 1])],
    ["with a part of another kind", cursorOf(["a", "b"])],
    ["with a part that only begins right", cursorOf(["a", "1x"])],
    ["with a line break after a part", cursorOf(["a", "1\n"])],
    ["with a number beyond the database's", cursorOf(["a", "9999999999"])],
    ["with a null character", cursorOf(["a\0", "1"])],
    ["of an object", cursorOf({ 0: "a", 1: "1", length: 2 })],
    ["of null", cursorOf(null)],
  ])("refuse a cursor %s", (_, cursor) => {
    expect(() => parseCursor(cursor, name, count)).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        details: { errors: [expect.objectContaining({ path: "query:/cursor" })] },
      }),
    );
  });
});
