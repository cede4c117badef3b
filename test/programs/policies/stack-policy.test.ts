import type { PolicyResource } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { stackPolicy, type Violation } from "../../../programs/policies/pack/stack-policy.ts";
import { one, policyOf } from "./policy-cases.ts";

const given = (type: string, name: string, props: object): PolicyResource =>
  ({ ...one(type, name), props }) as unknown as PolicyResource;
const provider = (profile: string): PolicyResource => ({
  ...given("unused", "aws", { defaultTags: JSON.stringify({ tags: { "aidlc:profile": profile } }) }),
  type: "pulumi:providers:aws",
});

const violations = async (id: string, resources: readonly PolicyResource[]) => {
  const found: Violation[] = [];
  const policy = stackPolicy(policyOf(id));
  const args = { resources, stackTags: new Map(), getConfig: () => ({}), notApplicable: () => {} };
  const report = (violation: Violation) => void found.push(violation);
  await policy.validateStack(args as never, report as never);
  return found;
};

describe("a policy as the engine takes it", () => {
  it("reports what is wrong, where, and how to mend it", async () => {
    expect(
      await violations("log-group-encrypted", [given("cloudwatch/logGroup:LogGroup", "logs", {})]),
    ).toEqual([
      {
        message: "Every log group is encrypted with a customer managed key. Set kmsKeyId on the log group",
        enforcementLevel: "mandatory",
        urn: "urn:pulumi:fraud.churn::test::aws:cloudwatch/logGroup:LogGroup::logs",
      },
    ]);
  });

  it("enforces by the profile that the provider's tags name", async () => {
    const fn = given("lambda/function:Function", "validate", {});
    const levels = async (profile: string) =>
      (await violations("lambda-in-vpc", [provider(profile), fn])).map((one_) => one_.enforcementLevel);
    expect(await levels("learning")).toEqual(["advisory"]);
    expect(await levels("production")).toEqual(["mandatory"]);
  });

  it("decides nothing from a value that the engine doesn't know yet", async () => {
    const props = Object.defineProperty({}, "kmsKeyId", {
      enumerable: true,
      get: () => {
        throw new Error("can't be known during preview");
      },
    });
    expect(
      await violations("log-group-encrypted", [given("cloudwatch/logGroup:LogGroup", "logs", props)]),
    ).toEqual([]);
  });
});
