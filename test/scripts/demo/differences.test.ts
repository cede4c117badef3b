import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differences } from "../../../scripts/demo/differences.ts";

describe("the differences of two values", () => {
  it("are the innermost places that differ", () => {
    const before = { rules: [{ status: "Enabled", days: 30 }], name: "raw" };
    const after = { rules: [{ status: "Disabled", days: 30 }], name: "raw", tier: 2 };
    expect(differences(before, after)).toEqual([
      { path: "rules[0].status", before: "Enabled", after: "Disabled" },
      { path: "tier", before: undefined, after: 2 },
    ]);
  });

  it("are looked for inside documents that are held as text", () => {
    const policy = (effect: string) => JSON.stringify({ Statement: [{ Effect: effect }] });
    expect(differences(policy("Deny"), policy("Allow"))).toEqual([
      { path: "Statement[0].Effect", before: "Deny", after: "Allow" },
    ]);
  });

  it("are the values themselves where they are of different kinds", () => {
    expect(differences(["a"], { 0: "a" })).toEqual([{ path: "", before: ["a"], after: { 0: "a" } }]);
    expect(differences("[not json", 1)).toEqual([{ path: "", before: "[not json", after: 1 }]);
  });

  it("are none for equal values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(differences(value, structuredClone(value))).toEqual([]);
      }),
    );
  });
});
