import { describe, expect, it } from "vitest";
import { digestOfKey, newKey, prefixOf, sameSecret } from "../../../src/access/key-format.ts";

describe("a new key", () => {
  it("has 256 random bits behind a prefix that tells it from others", () => {
    const keys = Array.from({ length: 100 }, newKey);
    for (const { text, prefix } of keys) {
      expect(text).toMatch(/^aidlc_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(text.slice(`aidlc_${prefix}_`.length), "base64url")).toHaveLength(32);
      expect(prefixOf(text)).toBe(prefix);
    }
    expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(100);
    expect(new Set(keys.map(({ text }) => text.slice(19))).size).toBe(100);
  });

  it("is known again by its digest, of which nothing leads back", () => {
    const { text, digest } = newKey();
    expect(sameSecret(text, digest)).toBe(true);
    expect(sameSecret(`${text}x`, digest)).toBe(false);
    expect(sameSecret(newKey().text, digest)).toBe(false);
    expect(digest).toEqual(digestOfKey(text));
    expect(digest).toHaveLength(32);
  });
});

const { text } = newKey();

it.each([
  "",
  "aidlc_",
  text.slice(0, -1),
  `${text}x`,
  `${text}\n`,
  ` ${text}`,
  text.toUpperCase(),
  text.replace("aidlc", "aidls"),
  text.replace(/_.{12}_/, "_' or 1=1 --_"),
])("%j is no key", (other) => {
  expect(prefixOf(other)).toBeUndefined();
});
