import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { mergePatch, parseSpec } from "../../../src/pipelines/spec.ts";
import { validSpec } from "../../support/builders.ts";

// RFC 7386, appendix A.
const examples: readonly (readonly [target: unknown, patch: unknown, result: unknown])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

const hasNull = (value: unknown): boolean =>
  value === null ||
  (typeof value === "object" && !Array.isArray(value) && Object.values(value as object).some(hasNull));

const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));

describe("mergePatch", () => {
  it.each(examples)("of %j and %j is %j", (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it("with nothing changes nothing", () => {
    fc.assert(
      fc.property(object, (target) => {
        expect(mergePatch(target, {})).toEqual(target);
      }),
    );
  });

  it("applied twice is the same as once", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it("of a document without nulls onto nothing is that document", () => {
    const withoutNull = fc.jsonValue().filter((value) => !hasNull(value));
    fc.assert(
      fc.property(withoutNull, (patch) => {
        expect(mergePatch({}, patch)).toEqual(patch);
      }),
    );
  });

  it("leaves target and patch as they were", () => {
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        mergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  it("takes __proto__ for a key like any other and never reaches a prototype", () => {
    const merged = mergePatch(
      {},
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": 1}}}'),
    );
    expect({}).not.toHaveProperty("polluted");
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe("parseSpec", () => {
  const problemsOf = (value: unknown) => {
    try {
      parseSpec(value);
    } catch (error) {
      if (error instanceof AppError) return { code: error.code, errors: error.details.errors };
      throw error;
    }
    return undefined;
  };

  it("fills every default", () => {
    expect(parseSpec(validSpec())).toMatchObject({
      profile: "learning",
      dataset: {
        quality: { maxNullFraction: 0.01, maxDuplicateFraction: 0, driftThreshold: 0.1, driftMethod: "psi" },
        retention: { archiveAfterDays: 90, expireAfterDays: 365 },
      },
      training: { spot: { enabled: true, maxRunSeconds: 1800, maxWaitSeconds: 3600 }, hyperparameters: {} },
      alerts: { emails: [], webhooks: [] },
      tags: {},
    });
  });

  it("gives the same spec again when its own result is parsed", () => {
    const spec = parseSpec(validSpec());
    expect(parseSpec(spec)).toEqual(spec);
  });

  it("reports the mistakes of form together, and those of meaning together", () => {
    const form = problemsOf(
      validSpec((spec) => {
        spec.profile = "gold";
        spec.training.spot = { enabledd: true };
        delete spec.owner;
      }),
    );
    expect(form?.errors?.map((error) => error.path).sort()).toEqual([
      "/owner",
      "/profile",
      "/training/spot/enabledd",
    ]);
    const meaning = problemsOf(
      validSpec((spec) => {
        spec.training.spot = { maxRunSeconds: 3600, maxWaitSeconds: 600 };
        spec.network = { dedicated: true, cidr: "8.8.8.0/24" };
      }),
    );
    expect(meaning).toMatchObject({ code: "invalid_spec" });
    expect(meaning?.errors?.map((error) => error.path)).toEqual([
      "/training/spot/maxWaitSeconds",
      "/network/cidr",
    ]);
  });

  it("keeps names that objects have by birth as ordinary keys", () => {
    const spec = parseSpec(
      validSpec((draft) => {
        draft.tags = { constructor: "a", toString: "b" };
      }),
    );
    expect(Object.entries(spec.tags)).toEqual([
      ["constructor", "a"],
      ["toString", "b"],
    ]);
  });
});
