import { describe, expect, it } from "vitest";
import {
  entriesOf,
  pendingWork,
  withCandidates,
  withEntries,
  withoutTwins,
  withUnanswered,
  withUnansweredAsEntries,
} from "../../../src/engine/pending.ts";

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

describe("what an interrupted repair imported and the next one imported again", () => {
  const key = { ...group, id: "arn:aws:kms:key", outputs: { name: "group" } };

  it("is in the state once: to delete the other would delete it", () => {
    expect(withoutTwins({ resources: [{ ...key, delete: true }, key] }).resources).toEqual([key]);
  });

  it("leaves a replaced one waiting for its deletion, which has an id of its own", () => {
    const resources = [{ ...key, id: "arn:aws:kms:old", delete: true }, key];
    expect(withoutTwins({ resources }).resources).toEqual(resources);
  });
});

describe("what an engine that disappeared had begun to delete", () => {
  const read = { ...group, outputs: { name: "group" } };
  const other = { ...read, urn: `${urn}-2`, id: "group-2" };
  const state = { resources: [read, other, { urn: "urn:pulumi:component", type: "aidlc:phase:Learning" }] };

  it("is what its events tell of, as far as the state has it", () => {
    expect(pendingWork(state, [urn, "urn:gone"])).toMatchObject({
      isNone: false,
      creates: [],
      others: [urn],
    });
  });

  it("may be any resource of AWS, where the whole stack was being deleted", () => {
    expect(pendingWork(state, "all")).toMatchObject({ isNone: false, others: [urn, other.urn] });
  });

  it("is nothing where nothing of it is left", () => {
    expect(pendingWork({ resources: [] }, "all")).toMatchObject({ isNone: true });
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

  it("can wait in the state itself, where nobody is there to keep it, and is looked up from there", () => {
    const state = { resources: [bucket] };
    const entries = entriesOf([policy], state);
    const kept = withUnanswered(state, entries);
    expect(kept.resources).toContainEqual(expect.objectContaining({ urn: "urn:policy", delete: true }));
    const found = withUnansweredAsEntries(kept);
    expect(found).toEqual({ resources: [bucket], pending_operations: entries });
    expect(pendingWork(found)).toMatchObject({ creates: [{ urn: "urn:policy" }], known: ["raw-data"] });
  });

  it("depends on what its inputs name, also when nobody had looked at the state as it was kept", () => {
    const state = { resources: [bucket] };
    expect(withEntries(state, entriesOf([policy], {}))).toEqual(
      withEntries(state, entriesOf([policy], state)),
    );
  });

  it("comes into a state after what it needs, and without needing what is not there or itself", () => {
    const entry = (urn: string, dependencies: string[]) => ({
      type: "creating",
      resource: { urn, type: "aws:ssm/parameter:Parameter", custom: true, inputs: {}, dependencies },
    });
    const state = {
      resources: [bucket],
      pending_operations: [
        entry("urn:first", ["urn:second", "urn:bucket"]),
        entry("urn:second", ["urn:gone"]),
      ],
    };
    const found = withCandidates(state, [
      { state: "candidate", id: "one" },
      { state: "candidate", id: "two" },
    ]);
    expect(found.resources?.map(({ urn, dependencies }) => [urn, dependencies])).toEqual([
      ["urn:bucket", undefined],
      ["urn:second", []],
      ["urn:first", ["urn:second", "urn:bucket"]],
    ]);
  });

  it("comes into a state once for each id that was found, also where several entries are of one resource", () => {
    const entry = { type: "creating", resource: { urn, type: group.type, custom: true, inputs: {} } };
    const state = { resources: [], pending_operations: [entry, entry, entry] };
    const found = ["old", "new", "new"].map((id) => ({ state: "candidate", id }) as const);
    expect(withCandidates(state, found).resources).toMatchObject([
      { urn, id: "old", delete: true },
      { urn, id: "new" },
    ]);
  });

  it("needs of all that have a bucket's name for an id the bucket, and never itself", () => {
    const setting = (urn: string) => ({ ...bucket, urn, type: "aws:s3/bucketVersioning:BucketVersioning" });
    const state = { resources: [bucket, setting("urn:policy"), setting("urn:versioning")] };
    expect(entriesOf([policy], state)).toMatchObject([{ resource: { dependencies: ["urn:bucket"] } }]);
    expect(withEntries(state, entriesOf([policy], {})).pending_operations).toMatchObject([
      { resource: { dependencies: ["urn:bucket"] } },
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
