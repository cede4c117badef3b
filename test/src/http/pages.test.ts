import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCursor, toPage } from "../../../src/http/pages.ts";

const same = <Value>(value: Value) => value;
const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("pages", () => {
  it("give the key of the last item shown back through the cursor, whatever characters it has", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), (key) => {
        const page = toPage([key, ["next"]], 1, same, same);
        expect(parseCursor(page.nextCursor, key.length)).toEqual(key.map((part) => part.toWellFormed()));
      }),
    );
  });

  it("together show every row once and in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }), (count, limit) => {
        const rows = Array.from({ length: count }, (_, index) => String(index));
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const after = parseCursor(cursor, 1)?.[0];
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
    expect(parseCursor(undefined, 1)).toBeUndefined();
  });

  it.each([
    ["of no list", "abc"],
    ["that is empty", ""],
    ["with fewer parts", text(["a"])],
    ["with more parts", text(["a", "b", "c"])],
    ["with numbers", text([1, 2])],
    ["of an object", text({ 0: "a", 1: "b", length: 2 })],
    ["of null", text(null)],
  ])("refuse a cursor %s", (_, cursor) => {
    expect(() => parseCursor(cursor, 2)).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        details: { errors: [expect.objectContaining({ path: "query:/cursor" })] },
      }),
    );
  });
});
