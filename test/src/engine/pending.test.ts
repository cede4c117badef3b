import { describe, expect, it } from "vitest";
import { pendingWork } from "../../../src/engine/pending.ts";

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
