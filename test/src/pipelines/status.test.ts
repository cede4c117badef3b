import { describe, expect, it } from "vitest";
import { type Phase, phases } from "../../../src/engine/phase.ts";
import type { Step } from "../../../src/engine/protocol.ts";
import { type PhaseFacts, phaseStatuses } from "../../../src/pipelines/status.ts";

const drifted = (phase: Phase): Step => ({
  action: "update",
  urn: `urn:pulumi:s::p::aws:s3/bucket:Bucket::${phase}`,
  type: "aws:s3/bucket:Bucket",
  name: phase,
  phase,
  changes: [],
});

const facts = (change: Partial<PhaseFacts> = {}): PhaseFacts => ({
  counts: new Map(phases.map((phase) => [phase, 2])),
  lastChange: "succeeded",
  failed: new Set(),
  drift: [],
  ...change,
});

const stateOf = (phase: Phase, change: Partial<PhaseFacts>) =>
  phaseStatuses(facts(change)).find((status) => status.phase === phase);

describe("phaseStatuses", () => {
  it("has a line for each of the five phases, in the life cycle's order", () => {
    const order = ["architecture", "infrastructure", "deployment", "learning", "compliance"];
    expect(phaseStatuses(facts()).map((status) => status.phase)).toEqual(order);
    expect(phaseStatuses(facts({ counts: new Map() })).map((status) => status.phase)).toEqual(order);
  });

  it("says absent for a phase that has nothing on AWS", () => {
    const counts = new Map<Phase, number>([["learning", 3]]);
    expect(stateOf("learning", { counts })).toEqual({
      phase: "learning",
      state: "ready",
      resources: 3,
      drifted: 0,
    });
    expect(stateOf("compliance", { counts })).toMatchObject({ state: "absent", resources: 0 });
  });

  it("counts the drifted resources of each phase by itself", () => {
    const drift = [drifted("learning"), drifted("learning")];
    expect(stateOf("learning", { drift })).toMatchObject({ state: "drifted", drifted: 2 });
    expect(stateOf("deployment", { drift })).toMatchObject({ state: "ready", drifted: 0 });
  });

  it("says failed only for phases in which something failed", () => {
    const change = { lastChange: "failed", failed: new Set<Phase>(["deployment"]) } as const;
    expect(stateOf("deployment", change)?.state).toBe("failed");
    expect(stateOf("learning", change)?.state).toBe("incomplete");
  });

  it("calls no phase ready, and none absent, after a change that didn't succeed", () => {
    for (const lastChange of ["failed", "cancelled", "needs_repair"] as const) {
      expect(stateOf("learning", { lastChange })?.state).toBe("incomplete");
      expect(stateOf("learning", { lastChange, counts: new Map() })?.state).toBe("incomplete");
    }
  });

  it("lets a failure count more than a drift and than having nothing", () => {
    const failed = new Set<Phase>(["learning"]);
    expect(stateOf("learning", { failed, drift: [drifted("learning")] })?.state).toBe("failed");
    expect(stateOf("learning", { failed, counts: new Map() })?.state).toBe("failed");
  });

  it.each(["queued", "running", "awaiting_approval"] as const)(
    "says changing of all while a change is %s",
    (lastChange) => {
      const statuses = phaseStatuses(facts({ lastChange, failed: new Set(["learning"]) }));
      expect(new Set(statuses.map((status) => status.state))).toEqual(new Set(["changing"]));
    },
  );
});
