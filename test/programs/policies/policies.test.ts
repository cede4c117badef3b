import { describe, expect, it } from "vitest";
import { policies } from "../../../programs/policies/index.ts";
import { enforced } from "../../../programs/policies/policy.ts";
import { stackOf } from "../../../programs/policies/stack.ts";
import { accessCases } from "./access-cases.ts";
import { architectureCases } from "./architecture-cases.ts";
import { complianceCases } from "./compliance-cases.ts";
import { jobCases } from "./job-cases.ts";
import { learningCases } from "./learning-cases.ts";
import { findingsOf, type PolicyCases, withOneUnknown } from "./policy-cases.ts";
import { releaseCases } from "./release-cases.ts";
import { runtimeCases } from "./runtime-cases.ts";
import { servingCases } from "./serving-cases.ts";
import { storageCases } from "./storage-cases.ts";

const cases: PolicyCases = {
  ...architectureCases,
  ...storageCases,
  ...accessCases,
  ...runtimeCases,
  ...jobCases,
  ...servingCases,
  ...releaseCases,
  ...learningCases,
  ...complianceCases,
};

describe.each(Object.entries(cases))("policy %s", (id, { broken, kept, context }) => {
  it("refuses a stack that breaks it", () => {
    const found = findingsOf(id, broken, context);
    expect(found).not.toEqual([]);
    for (const finding of found) {
      expect(finding).toMatchObject({ policy: id, enforcement: "mandatory" });
      expect(finding.remedy).not.toBe("");
    }
  });

  it("lets a stack pass that keeps it", () => {
    expect(findingsOf(id, kept, context)).toEqual([]);
  });

  it("takes no value that isn't known yet for a breach", () => {
    for (const resources of withOneUnknown(kept)) expect(findingsOf(id, resources, context)).toEqual([]);
  });
});

describe("the policies", () => {
  it("all have a stack that breaks them", () => {
    expect(Object.keys(cases).sort()).toEqual(policies.map(({ id }) => id).sort());
  });

  it("have ids that can be cited, and texts that say what, why and how to mend", () => {
    for (const { id, title, text, remedy } of policies) {
      expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/);
      for (const words of [title, text, remedy]) expect(words.length, id).toBeGreaterThan(15);
    }
    expect(new Set(policies.map(({ title }) => title)).size).toBe(policies.length);
  });

  it("are no softer in production than in learning", () => {
    const strength = { disabled: 0, advisory: 1, mandatory: 2 };
    for (const { id, levels } of policies)
      expect(strength[levels.production], id).toBeGreaterThanOrEqual(strength[levels.learning]);
  });

  it("cover every phase", () => {
    expect(new Set(policies.map(({ phase }) => phase))).toEqual(
      new Set(["architecture", "infrastructure", "deployment", "learning", "compliance"]),
    );
  });

  it("find nothing to refuse in a stack without resources but what it lacks as a whole", () => {
    const stack = stackOf([], { program: "pipeline", profile: "production", adopted: [] });
    for (const policy of policies)
      for (const breach of policy.check(stack)) expect(breach.resource, policy.id).toBeUndefined();
  });

  it("become mandatory where an organisation enforces them, but are never disabled by it", () => {
    const [raised] = enforced(
      policies.filter(({ id }) => id === "s3-inventory-enabled"),
      ["s3-inventory-enabled"],
    );
    expect(raised?.levels).toEqual({ learning: "mandatory", production: "mandatory" });
    expect(enforced(policies, [])).toEqual(policies);
  });
});
