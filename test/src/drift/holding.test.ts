import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdingRule, holdOf, matchesPattern } from "../../../src/drift/holding.ts";

const now = new Date("2026-11-23T12:00:00Z");
const later = new Date("2026-12-01T00:00:00Z");
const muchLater = new Date("2027-01-01T00:00:00Z");
const drift = { type: "aws:s3/bucket:Bucket", name: "raw", path: "tags.who", dataLoss: false };
const rule = (change: object = {}) => ({
  id: "r",
  resource: "raw",
  path: "tags.*",
  expiresAt: later,
  ...change,
});

describe("a pattern", () => {
  it.each([
    ["raw", "raw", true],
    ["raw", "raw-2", false],
    ["raw*", "raw-2", true],
    ["*", "", true],
    ["tags.*", "tags.a.b", true],
    ["tags.*", "tagsAll.a", false],
    ["*.status", "rules[0].status", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["ab*ba", "aba", false],
    ["a*b*bc", "abc", false],
    [".*", "x", false],
  ])("%s, %s: %s", (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  it("of stars and the parts of a text matches that text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "b") })),
        fc.array(fc.string({ unit: "grapheme" })),
        (parts, gaps) => {
          const text = parts
            .map((part, index) => part + (index < parts.length - 1 ? (gaps[index] ?? "") : ""))
            .join("");
          return matchesPattern(parts.join("*"), text);
        },
      ),
    );
  });
});

describe("a rule", () => {
  it("holds the drifts of resources by name, or with :: by type and name", () => {
    expect(holdingRule(drift, [rule()], now)?.id).toBe("r");
    expect(holdingRule(drift, [rule({ resource: "aws:s3/*::raw" })], now)?.id).toBe("r");
    expect(holdingRule(drift, [rule({ resource: "aws:s3/*" })], now)).toBeUndefined();
    expect(holdingRule(drift, [rule({ path: "versioning" })], now)).toBeUndefined();
  });

  it("holds nothing once it has expired, and of several the longest counts", () => {
    expect(holdingRule(drift, [rule({ expiresAt: now })], now)).toBeUndefined();
    expect(holdingRule(drift, [rule(), rule({ id: "longer", expiresAt: muchLater })], now)?.id).toBe(
      "longer",
    );
  });

  it("never holds a loss of data", () => {
    const lost = { ...drift, path: "", dataLoss: true };
    expect(holdingRule(lost, [rule({ resource: "*", path: "*" })], now)).toBeUndefined();
    expect(holdingRule({ ...lost, dataLoss: false }, [rule({ resource: "*", path: "*" })], now)?.id).toBe(
      "r",
    );
  });
});

describe("a drift that a check sees again", () => {
  const known = (
    state: "open" | "accepted" | "adopted" | "resolved",
    pending = false,
    heldUntil: Date | null = null,
  ) => ({
    state,
    pending,
    heldUntil,
  });

  it("is still accepted until its date, whatever the rules say", () => {
    expect(holdOf(drift, { known: known("accepted", false, later), rules: [rule()], now })).toEqual({
      state: "accepted",
      heldUntil: later,
      rule: null,
    });
    expect(holdOf(drift, { known: known("accepted", false, now), rules: [], now }).state).toBe("open");
  });

  it("is adopted while the update that adopts it hasn't ended, and open if that didn't help", () => {
    expect(holdOf(drift, { known: known("adopted", true), rules: [], now }).state).toBe("adopted");
    expect(holdOf(drift, { known: known("adopted", false), rules: [], now }).state).toBe("open");
  });

  it("is ignored by a rule, otherwise open", () => {
    expect(holdOf(drift, { known: known("resolved"), rules: [rule()], now })).toMatchObject({
      state: "ignored",
      rule: "r",
    });
    expect(holdOf(drift, { known: undefined, rules: [], now }).state).toBe("open");
  });
});
