import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePropertyPath, valueAtPath } from "../../../src/engine/property-path.ts";

type Key = string | number;

/** Writes a path as the engine does: https://www.pulumi.com/docs/iac/concepts/miscellaneous/property-paths/ */
function written(keys: readonly Key[]): string {
  return keys
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      if (!/^[^.[\]"\\]+$/.test(key)) return `["${key.replaceAll('"', '\\"')}"]`;
      return index === 0 ? key : `.${key}`;
    })
    .join("");
}

const plainKey = fc.string({ minLength: 1 });
// How the engine would write a backslash isn't documented, so keys with one are left out.
const key: fc.Arbitrary<Key> = fc.oneof(
  plainKey.filter((text) => !text.includes("\\")),
  fc.nat({ max: 50 }),
);

describe("parsePropertyPath", () => {
  it.each<[string, Key[]]>([
    ["tags", ["tags"]],
    ["tags.team", ["tags", "team"]],
    ["rules[0].status", ["rules", 0, "status"]],
    ["[1][2]", [1, 2]],
    ['tags["aidlc:team"]', ["tags", "aidlc:team"]],
    ['["a.b"].c', ["a.b", "c"]],
    ['policy["a\\"b"]', ["policy", 'a"b']],
    ['tags[""]', ["tags", ""]],
    ["", []],
  ])("splits %j", (path, keys) => {
    expect(parsePropertyPath(path)).toEqual(keys);
  });

  it("gives the keys back that a path was written from", () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 6 }), (keys) => {
        expect(parsePropertyPath(written(keys))).toEqual(keys);
      }),
    );
  });
});

describe("valueAtPath", () => {
  it("finds the value that was put at a path", () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 5 }), fc.integer(), (keys, value) => {
        const document = keys.reduceRight<unknown>((inner, part) => {
          if (typeof part === "string") return Object.fromEntries([[part, inner]]);
          const list: unknown[] = [];
          list[part] = inner;
          return list;
        }, value);
        expect(valueAtPath(document, written(keys))).toBe(value);
      }),
    );
  });

  it.each(["a.b.c", "a[0]", "missing", "text.length", "none.x"])(
    "has nothing at %j where the way ends",
    (path) => {
      expect(valueAtPath({ a: { b: 1 }, text: "abc", none: null }, path)).toBeUndefined();
    },
  );

  it("takes nothing from a prototype", () => {
    expect(valueAtPath({ tags: {} }, "tags.constructor")).toBeUndefined();
  });
});
