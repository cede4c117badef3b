import { describe, expect, it } from "vitest";
import { entriesOf, pendingWork, withEntries } from "../../../src/engine/pending.ts";

const urn = "urn:pulumi:red.flock::aidlc-pipeline::aws:scheduler/scheduleGroup:ScheduleGroup::schedules";
const group = {
  urn,
  type: "aws:scheduler/scheduleGroup:ScheduleGroup",
  custom: true,
  id: "group",
  inputs: { name: "group" },
};

describe("what an engine that disappeared left to do", () => {
  it("is nothing where every resource was read and nothing is pending", () => {
    expect(pendingWork({ resources: [{ ...group, outputs: { name: "group" } }] })).toMatchObject({
      isNone: true,
      others: [],
    });
  });

  it("takes in a resource that was taken over and never read, although its pending entry is gone", () => {
    expect(pendingWork({ resources: [group], pending_operations: [] })).toMatchObject({
      isNone: false,
      creates: [],
      others: [urn],
    });
  });
});

describe("what a provider never answered", () => {
  const provider = "urn:pulumi:red.flock::aidlc-pipeline::pulumi:providers:aws::aws::1";
  const bucket = {
    urn: "urn:bucket",
    type: "aws:s3/bucket:Bucket",
    custom: true,
    id: "raw-data",
    inputs: {},
  };
  const policy = {
    op: "create",
    urn: "urn:policy",
    new: {
      type: "aws:s3/bucketPolicy:BucketPolicy",
      id: "",
      parent: "urn:component",
      provider,
      retainOnDelete: true,
      inputs: { bucket: "raw-data" },
      outputs: {},
    },
  };

  it("is pending as a creation with all that the engine would have written, and needs what it refers to", () => {
    expect(entriesOf([policy], { resources: [bucket] })).toEqual([
      {
        type: "creating",
        resource: {
          urn: "urn:policy",
          type: "aws:s3/bucketPolicy:BucketPolicy",
          custom: true,
          parent: "urn:component",
          provider,
          retainOnDelete: true,
          inputs: { bucket: "raw-data" },
          dependencies: ["urn:bucket"],
        },
      },
    ]);
  });

  it("is read again where it was an update or a deletion of what the state has", () => {
    const steps = ["update", "delete"].map((op) => ({ op, urn: bucket.urn }));
    const state = { resources: [bucket] };
    const entries = entriesOf([...steps, { op: "delete", urn: "urn:gone" }], state);
    expect(pendingWork(withEntries(state, entries))).toMatchObject({
      creates: [],
      others: [bucket.urn],
      isNone: false,
    });
  });
});
