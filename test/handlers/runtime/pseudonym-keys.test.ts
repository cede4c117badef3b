import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type PseudonymKeys,
  parsePseudonymKeys,
  pseudonym,
  recognise,
  withNewerKey,
} from "../../../handlers/runtime/pseudonym-keys.ts";

const NOW = new Date("2026-03-01T00:00:00Z");

function rotated(times: number): PseudonymKeys {
  let keys = withNewerKey(undefined, NOW);
  for (let time = 1; time < times; time++) keys = withNewerKey(keys, NOW);
  return keys;
}

describe("pseudonyms", () => {
  it("are the newest key's id and HMAC-SHA256 of the subject", () => {
    const keys = rotated(2);
    const [newest] = keys.keys;
    const hash = createHmac("sha256", Buffer.from(newest!.key, "base64")).update("ada@example.com");
    expect(pseudonym(keys, "ada@example.com")).toBe(`${newest!.id}.${hash.digest("base64url")}`);
  });

  it("are recognised after any number of rotations, and as nobody else's", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        (subject, other, before, later) => {
          let keys = rotated(before);
          const name = pseudonym(keys, subject);
          for (let time = 0; time < later; time++) keys = withNewerKey(keys, NOW);
          expect(recognise(keys, subject, name)).toBe(true);
          expect(recognise(keys, other, name)).toBe(other === subject);
        },
      ),
    );
  });

  it("of a key that is not held, or cut short, are nobody's", () => {
    const keys = rotated(1);
    const name = pseudonym(keys, "ada");
    expect(recognise(rotated(1), "ada", name)).toBe(false);
    expect(recognise(keys, "ada", name.slice(0, -2))).toBe(false);
    expect(recognise(keys, "ada", "")).toBe(false);
  });
});

describe("the secret's content", () => {
  it("is read as it was written", () => {
    const keys = rotated(3);
    expect(parsePseudonymKeys(JSON.stringify(keys))).toEqual(keys);
  });

  it.each([
    "",
    "{}",
    '{"version":1,"keys":[]}',
    '{"version":1,"keys":[{"id":"x","created":"","key":"s3cret"}]}',
  ])("is refused without being quoted: %s", (text) => {
    expect(() => parsePseudonymKeys(text)).toThrow(
      /^The secret of the pipeline holds|^The secret of the pipeline is/,
    );
    expect(() => parsePseudonymKeys(text)).not.toThrow(/s3cret/);
  });
});
