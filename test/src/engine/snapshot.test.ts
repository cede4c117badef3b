import { describe, expect, it } from "vitest";
import { snapshotOf } from "../../../src/engine/snapshot.ts";
import { masked, redactor } from "../../../src/redaction.ts";

const prefix = "urn:pulumi:ml.churn::aidlc-pipeline";
const stackUrn = `${prefix}::pulumi:pulumi:Stack::aidlc-pipeline-ml.churn`;
const phaseUrn = `${prefix}::aidlc:phase:Infrastructure::infrastructure`;
const bucketUrn = `${prefix}::aidlc:phase:Infrastructure$aws:s3/bucket:Bucket::raw`;
const redact = redactor(["correct-horse-battery"]);

const stack = {
  urn: stackUrn,
  type: "pulumi:pulumi:Stack",
  outputs: {
    bucket: "raw-1",
    token: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" },
  },
};
const provider = { urn: `${prefix}::pulumi:providers:aws::main`, type: "pulumi:providers:aws", id: "p" };
const phase = { urn: phaseUrn, type: "aidlc:phase:Infrastructure", parent: stackUrn };
const bucket = {
  urn: bucketUrn,
  type: "aws:s3/bucket:Bucket",
  id: "raw-1",
  parent: phaseUrn,
  dependencies: [phaseUrn],
  inputs: { bucket: "raw-1", note: "correct-horse-battery" },
  outputs: { bucket: "raw-1", arn: "arn:aws:s3:::raw-1" },
};

describe("snapshotOf", () => {
  it("takes the stack's outputs with their secrets masked", () => {
    expect(snapshotOf({ resources: [stack] }, redact).outputs).toEqual({ bucket: "raw-1", token: masked });
  });

  it("lists components and resources in the state's order, without what is the engine's own", () => {
    const { resources } = snapshotOf({ resources: [stack, provider, phase, bucket] }, redact);
    expect(resources.map((resource) => resource.urn)).toEqual([phaseUrn, bucketUrn]);
  });

  it("tells of a resource its id, phase, parent and dependencies, with secrets masked", () => {
    const { resources } = snapshotOf({ resources: [stack, phase, bucket] }, redact);
    expect(resources[1]).toEqual({
      urn: bucketUrn,
      type: "aws:s3/bucket:Bucket",
      name: "raw",
      awsId: "raw-1",
      phase: "infrastructure",
      parent: phaseUrn,
      dependencies: [phaseUrn],
      inputs: { bucket: "raw-1", note: masked },
      outputs: { bucket: "raw-1", arn: "arn:aws:s3:::raw-1" },
    });
  });

  it("gives a component no id, and no parent below the stack itself", () => {
    expect(snapshotOf({ resources: [stack, phase] }, redact).resources[0]).toMatchObject({
      awsId: null,
      parent: null,
      dependencies: [],
      inputs: {},
      outputs: {},
    });
  });

  it("leaves out a replaced resource that waits for its deletion under the same URN", () => {
    const replaced = { ...bucket, id: "raw-0", delete: true };
    const { resources } = snapshotOf({ resources: [stack, phase, bucket, replaced] }, redact);
    expect(resources.map((resource) => resource.awsId)).toEqual([null, "raw-1"]);
  });

  it("leaves out what was deleted to be made anew, and wasn't yet", () => {
    const gone = { ...bucket, id: "raw-0", pendingReplacement: true };
    const { resources } = snapshotOf({ resources: [stack, phase, gone] }, redact);
    expect(resources.map((resource) => resource.awsId)).toEqual([null]);
  });

  it.each([
    ["has no resources yet", { manifest: {} }],
    ["is empty", {}],
  ])("finds nothing in a deployment that %s", (_, deployment) => {
    expect(snapshotOf(deployment, redact)).toEqual({ resources: [], outputs: {} });
  });
});
