import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toJsonb } from "../../../src/postgres/json.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

async function stored(value: unknown): Promise<unknown> {
  const found = await database.pool.query<{ value: unknown }>("select $1::jsonb as value", [toJsonb(value)]);
  return found.rows[0]?.value;
}

// Text of everything that has ever been in the way: null characters, halves of pairs, and the marks of JSON's own escapes.
const text = fc
  .array(fc.constantFrom("\0", "\ud83d", "\ude00", "\\", "\\u0000", "u0000", '"', "a", "ü", "\n", "\u2028"), {
    maxLength: 8,
  })
  .map((parts) => parts.join(""));
// After a key that ends with a backslash Node's own parser reads one with an escape for that one (nodejs/node#63785).
const key = text.map((name) => name.replaceAll(/["\n]/g, ""));
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(key, tie("node"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).node;

const readable = (given: unknown): unknown => {
  if (typeof given === "string") return given.toWellFormed().replaceAll("\0", "\uFFFD");
  if (Array.isArray(given)) return given.map(readable);
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([key, item]) => [readable(key), readable(item)]));
};

describe("toJsonb", () => {
  it("is taken by PostgreSQL whatever the text, and changes nothing but what it can't hold", async () => {
    await fc.assert(
      fc.asyncProperty(value, async (given) => {
        expect(await stored(given)).toEqual(readable(given));
      }),
      { numRuns: 300 },
    );
  });

  it("takes no time to speak of for a text of backslashes", async () => {
    const long = "\\".repeat(200_000);
    expect(await stored(long)).toBe(long);
  }, 5_000);
});
