import { type Phase, phases } from "../engine/phase.ts";
import type { Step } from "../engine/protocol.ts";
import type { OperationState } from "../operations/states.ts";

export type PhaseState = "absent" | "changing" | "ready" | "drifted" | "failed";

export interface PhaseStatus {
  readonly phase: Phase;
  readonly state: PhaseState;
  readonly resources: number;
  readonly drifted: number;
}

export interface PhaseFacts {
  readonly counts: ReadonlyMap<Phase, number>;
  readonly lastChange: OperationState | undefined;
  /** Phases of resources that failed in the last change. */
  readonly failed: ReadonlySet<Phase>;
  /** What the last drift check found, when nothing changed the stack since. */
  readonly drift: readonly Step[];
}

/** One line per phase, in the life cycle's order; a failure counts more than a drift, a running change more than either. */
export function phaseStatuses({ counts, lastChange, failed, drift }: PhaseFacts): PhaseStatus[] {
  const changing = lastChange === "queued" || lastChange === "running" || lastChange === "awaiting_approval";
  return phases.map((phase) => {
    const resources = counts.get(phase) ?? 0;
    const drifted = drift.filter((step) => step.phase === phase).length;
    const state = stateOf({
      changing,
      failed: failed.has(phase),
      drifted: drifted > 0,
      absent: resources === 0,
    });
    return { phase, state, resources, drifted };
  });
}

function stateOf(facts: {
  changing: boolean;
  failed: boolean;
  drifted: boolean;
  absent: boolean;
}): PhaseState {
  if (facts.changing) return "changing";
  if (facts.failed) return "failed";
  if (facts.absent) return "absent";
  return facts.drifted ? "drifted" : "ready";
}
