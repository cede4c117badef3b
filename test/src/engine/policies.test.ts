import { describe, expect, it } from "vitest";
import type { PolicyFinding } from "../../../programs/policies/evaluate.ts";
import { findingsOfState, isGoverned, policyEvents, refusal } from "../../../src/engine/policies.ts";
import { actions } from "../../../src/engine/protocol.ts";
import { anInput } from "../../programs/support/inputs.ts";

const finding = (change: Partial<PolicyFinding> = {}): PolicyFinding => ({
  policy: "s3-versioning-enabled",
  title: "Every bucket keeps versions",
  phase: "infrastructure",
  severity: "high",
  enforcement: "mandatory",
  resource: { urn: "urn:raw", type: "aws:s3/bucket:Bucket", name: "raw" },
  remedy: "Give the bucket a BucketVersioning",
  ...change,
});

const request = {
  program: { name: "pipeline", input: anInput() },
  stack: { project: "aidlc-pipeline", name: "fraud.churn", exists: true },
  policies: { exceptions: [], enforced: [] },
} as const;

const deployed = (properties: object, more: object = {}) => ({
  resources: [
    {
      urn: "urn:pulumi:fraud.churn::aidlc-pipeline::aws:cloudwatch/logGroup:LogGroup::logs",
      type: "aws:cloudwatch/logGroup:LogGroup",
      id: "/aidlc/logs",
      custom: true,
      inputs: { retentionInDays: 30, ...properties },
      outputs: { arn: "arn:aws:logs:eu-west-1:111122223333:log-group:/aidlc/logs" },
      ...more,
    },
  ],
});
const unencrypted = (deployment: unknown, known: readonly PolicyFinding[] = []) =>
  findingsOfState(request, deployment, known).filter(({ policy }) => policy === "log-group-encrypted");

describe("policies in the engine", () => {
  it("govern what brings a stack to its program, and no destroy, refresh or check", () => {
    expect(actions.filter(isGoverned)).toEqual(["preview", "update", "reconcile"]);
  });

  it("find in an applied state what the rehearsal could not, each breach once", () => {
    const [found] = unencrypted(deployed({}));
    expect(found).toMatchObject({ enforcement: "mandatory", resource: { name: "logs" } });
    expect(unencrypted(deployed({}), [found!])).toEqual([]);
    expect(unencrypted(deployed({ kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" }))).toEqual([]);
  });

  it("judge neither what waits for its deletion nor a value that the state keeps secret", () => {
    expect(unencrypted(deployed({}, { delete: true }))).toEqual([]);
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "v1:x",
    };
    expect(unencrypted(deployed({ kmsKeyId: secret }))).toEqual([]);
  });

  it("say in a refusal which policy, where, how to mend it, and what else there is", () => {
    const other = finding({ policy: "budget-with-alerts", title: "It has a budget" });
    expect(refusal([finding(), finding({ enforcement: "advisory" }), other], "Nothing was changed")).toEqual({
      code: "policy_refused",
      message: "s3-versioning-enabled: raw: Every bucket keeps versions. Nothing was changed",
      remedy:
        "Give the bucket a BucketVersioning; or have an exception approved for policy s3-versioning-enabled",
      resource: finding().resource,
      others: ["budget-with-alerts: raw: It has a budget"],
    });
  });

  it("become events with the phase of their policy", () => {
    expect(policyEvents([finding()])).toEqual([
      { at: expect.any(Date), phase: "infrastructure", event: { type: "policy", finding: finding() } },
    ]);
  });
});
