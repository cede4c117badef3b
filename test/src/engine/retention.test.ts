import { describe, expect, it } from "vitest";
import { retainedUrns, starterUrns, unforcedUrns } from "../../../src/engine/snapshot.ts";

const provider = "urn:pulumi:s::p::pulumi:providers:aws::aws";
const component = "urn:pulumi:s::p::aidlc:phase:Infrastructure::infrastructure";
const key = "urn:pulumi:s::p::aws:kms/key:Key::data";
const bucket = "urn:pulumi:s::p::aws:s3/bucket:Bucket::raw";
const secret = "urn:pulumi:s::p::aws:secretsmanager/secret:Secret::secret";
const topic = "urn:pulumi:s::p::aws:sns/topic:Topic::critical";

const deployment = {
  resources: [
    { urn: provider, type: "pulumi:providers:aws" },
    { urn: component, type: "aidlc:phase:Infrastructure" },
    { urn: key, type: "aws:kms/key:Key", parent: component, provider: `${provider}::0a1b` },
    {
      urn: bucket,
      type: "aws:s3/bucket:Bucket",
      retainOnDelete: true,
      parent: component,
      provider: `${provider}::0a1b`,
      dependencies: [key],
      inputs: { forceDestroy: false },
    },
    { urn: secret, type: "aws:secretsmanager/secret:Secret", inputs: { recoveryWindowInDays: 30 } },
    { urn: topic, type: "aws:sns/topic:Topic", parent: component, provider: `${provider}::0a1b`, inputs: {} },
  ],
};

describe("what a destroy leaves alone", () => {
  it("is every resource that is to be retained, and all that these need", () => {
    expect(retainedUrns(deployment).sort()).toEqual([provider, component, key, bucket].sort());
  });

  it("is nothing where nothing is to be retained, where there are no resources, and where there is no deployment", () => {
    const none = deployment.resources.map(({ retainOnDelete: _, ...resource }) => resource);
    expect(retainedUrns({ resources: none })).toEqual([]);
    expect(retainedUrns({})).toEqual([]);
    expect(retainedUrns(undefined)).toEqual([]);
  });
});

describe("what a destroy removes first", () => {
  it.each([
    ["on time", "aws:scheduler/schedule:Schedule"],
    ["on time", "aws:sagemaker/monitoringSchedule:MonitoringSchedule"],
    ["by an event", "aws:cloudwatch/eventRule:EventRule"],
    ["by a message", "aws:lambda/eventSourceMapping:EventSourceMapping"],
    ["by load", "aws:appautoscaling/policy:Policy"],
  ])("is what begins something %s: %s", (_, type) => {
    const urn = `urn:pulumi:s::p::${type}::one`;
    expect(starterUrns({ resources: [...deployment.resources, { urn, type }] })).toEqual([urn]);
  });
});

describe("what must be forced before it can be deleted", () => {
  it("is what says that it isn't, and a secret that could still be recovered", () => {
    expect(unforcedUrns(deployment)).toEqual([bucket, secret]);
  });
});
