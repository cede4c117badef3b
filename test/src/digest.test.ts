import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/digest.ts";

/** The same value with the keys of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reordered(item)]),
  );
}

const canonical = (value: unknown) => JSON.parse(JSON.stringify(value));

describe("digestOf", () => {
  it("is the same for the same value, in whatever order its keys stand", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(digestOf(reordered(value))).toBe(digestOf(value));
      }),
    );
  });

  it("differs for values that differ", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (one, other) => {
        let same = true;
        try {
          expect(canonical(one)).toEqual(canonical(other));
        } catch {
          same = false;
        }
        expect(digestOf(one) === digestOf(other)).toBe(same);
      }),
    );
  });

  it.each([
    ["a number and its text", { a: 1 }, { a: "1" }],
    ["lists of another order", [1, 2], [2, 1]],
    ["nothing and null", {}, { a: null }],
    ["an empty list and an empty object", [], {}],
    ["nesting", { a: { b: 1 } }, { "a.b": 1 }],
  ])("tells %s apart", (_, one, other) => {
    expect(digestOf(one)).not.toBe(digestOf(other));
  });

  it("is a SHA-256 in hexadecimal", () => {
    expect(digestOf({})).toMatch(/^[0-9a-f]{64}$/);
  });
});
