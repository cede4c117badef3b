import { describe, expect, it } from "vitest";
import { countByPhase, PhaseProgress } from "../../../scripts/demo/phase-progress.ts";
import type { OperationEvent } from "../../../scripts/service/client.ts";

interface Happening {
  status: "started" | "done" | "failed";
  action?: string;
  name?: string;
  type?: string;
  atMs?: number;
}

function happened({
  status,
  action = "create",
  name = "raw",
  type = "aws:s3/bucket:Bucket",
  atMs = 0,
}: Happening) {
  return {
    sequence: 1,
    at: new Date(atMs).toISOString(),
    type: "resource",
    phase: "infrastructure",
    body: { status, action, urn: `urn:pulumi:s::p::${type}::${name}`, resourceType: type, name },
  } satisfies OperationEvent;
}

function infrastructureOf(progress: PhaseProgress) {
  return progress.rows().find(({ phase }) => phase === "infrastructure");
}

describe("the progress of an operation", () => {
  it("names what is being done, then counts it as done", () => {
    const progress = new PhaseProgress(new Map([["infrastructure", 2]]));
    progress.add(happened({ status: "started", atMs: 1_000 }));
    expect(infrastructureOf(progress)).toMatchObject({ done: 0, planned: 2, current: "creating Bucket raw" });
    progress.add(happened({ status: "done", atMs: 2_500 }));
    expect(infrastructureOf(progress)).toMatchObject({ done: 1, current: undefined, tookMs: 1_500 });
  });

  it("counts a replaced resource once", () => {
    const progress = new PhaseProgress(undefined);
    for (const action of ["create-replacement", "replace", "delete-replaced"]) {
      progress.add(happened({ status: "done", action }));
    }
    expect(infrastructureOf(progress)).toMatchObject({ done: 1, planned: undefined });
    expect(progress.counts().get("infrastructure")).toBe(1);
  });

  it("counts failures apart", () => {
    const progress = new PhaseProgress(undefined);
    progress.add(happened({ status: "failed" }));
    expect(infrastructureOf(progress)).toMatchObject({ done: 0, failed: 1 });
  });

  it("counts only the actions it is told to", () => {
    const progress = new PhaseProgress(undefined, (action) => action === "delete");
    progress.add(happened({ status: "done", action: "update" }));
    expect(infrastructureOf(progress)?.done).toBe(0);
  });

  it("leaves out components", () => {
    const progress = new PhaseProgress(undefined);
    progress.add(happened({ status: "done", type: "aidlc:component:ProtectedBucket" }));
    expect(infrastructureOf(progress)?.done).toBe(0);
  });

  it("always has the five phases, in the order of the life cycle", () => {
    expect(new PhaseProgress(undefined).rows().map(({ phase }) => phase)).toEqual([
      "architecture",
      "infrastructure",
      "deployment",
      "learning",
      "compliance",
    ]);
  });
});

it("a plan is counted by phase", () => {
  const step = { action: "create", urn: "", type: "aws:s3/bucket:Bucket", name: "raw", changes: [] };
  const plan = [
    { ...step, phase: "learning" as const },
    { ...step, phase: "learning" as const },
    { ...step, phase: "compliance" as const },
  ];
  expect([...countByPhase(plan)]).toEqual([
    ["learning", 2],
    ["compliance", 1],
  ]);
});
