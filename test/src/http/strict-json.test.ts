import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isExactInteger, parseStrictJson } from "../../../src/http/strict-json.ts";

describe("JSON that is taken", () => {
  it("is what JSON.parse makes of it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    '{"a": {"b": 1}, "b": 1}',
    '[{"a": 1}, {"a": 2}]',
    '{"a": "b", "b": "a"}',
    '{"a": [": ", "a"]}',
    '"\\\\"',
  ])("may be %s, in which no key stands twice in one object", (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it.each(["9007199254740991", "-9007199254740991", "9223372036854776000", "1e300", "0.1", "-0", "0"])(
    "may hold %s, which stays what it is",
    (text) => {
      expect(parseStrictJson(text)).toBe(Number(text));
    },
  );
});

describe("JSON that is refused", () => {
  it.each([
    ["a key twice", '{"a": 1, "a": 2}'],
    ["a key twice, apart", '{"a": 1, "b": {"a": 1}, "c": [{"a": 1}], "a": 2}'],
    ["a key twice, once escaped", '{"a": 1, "\\u0061": 2}'],
    ["a key twice below a list", '[[{"a": 1, "a" : 2}]]'],
    ["an empty key twice", '{"": 1, "":2}'],
    ["__proto__ twice", '{"__proto__": 1, "__proto__": 2}'],
  ])("has %s", (_, text) => {
    expect(() => parseStrictJson(text)).toThrow(/stands twice/);
  });

  it.each(["9007199254740993", "-9007199254740993", "123456789012345678901234567890", `1${"0".repeat(400)}`])(
    "holds %s, which would become another number",
    (text) => {
      expect(() => parseStrictJson(`[${text}]`)).toThrow(/can't be kept exactly/);
    },
  );

  it("is refused without a word of what it holds", () => {
    const texts = [
      '{"password": hunter2}',
      "hunter2",
      '{"a": "hunter2" "b"}',
      '["hunter2',
      '"hunter2"x',
      "[hunter2]",
    ];
    for (const text of texts) {
      expect(() => parseStrictJson(text)).toThrow();
      expect(() => parseStrictJson(text)).not.toThrow(/hunter/);
    }
  });

  it("is refused in a time that grows with the text", () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(",");
    const texts = [
      `{${keys}}`,
      `"${'\\"'.repeat(400_000)}"`,
      `"${"\\\\".repeat(400_000)}"`,
      "[".repeat(4e5) + "]".repeat(4e5),
    ];
    for (const text of texts) {
      const startMs = performance.now();
      parseStrictJson(text);
      expect(performance.now() - startMs).toBeLessThan(2_000);
    }
  });
});

describe("a whole number", () => {
  it("stays exact below 2^53", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(isExactInteger(String(value))).toBe(true);
      }),
    );
  });
});
