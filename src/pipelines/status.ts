import { type Phase, phases } from "../engine/phase.ts";
import { isEnded, type OperationState } from "../operations/states.ts";

export const phaseStates = ["absent", "changing", "ready", "incomplete", "drifted", "failed"] as const;
export type PhaseState = (typeof phaseStates)[number];

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
  /** Resources with open drift by the last drift check, when nothing changed the stack since. */
  readonly drift: readonly { readonly phase?: Phase | null }[];
}

/**
 * One line per phase, in the life cycle's order. A running change counts most, then a failure. After a change that didn't
 * succeed no other phase is called ready: what it would have done there is not known.
 */
export function phaseStatuses({ counts, lastChange, failed, drift }: PhaseFacts): PhaseStatus[] {
  const changing = lastChange !== undefined && !isEnded(lastChange);
  const incomplete = lastChange !== undefined && lastChange !== "succeeded";
  return phases.map((phase) => {
    const resources = counts.get(phase) ?? 0;
    const drifted = drift.filter((resource) => resource.phase === phase).length;
    const facts = {
      changing,
      incomplete,
      failed: failed.has(phase),
      drifted: drifted > 0,
      absent: resources === 0,
    };
    return { phase, state: stateOf(facts), resources, drifted };
  });
}

function stateOf(facts: {
  changing: boolean;
  incomplete: boolean;
  failed: boolean;
  drifted: boolean;
  absent: boolean;
}): PhaseState {
  if (facts.changing) return "changing";
  if (facts.failed) return "failed";
  if (facts.incomplete) return "incomplete";
  if (facts.absent) return "absent";
  return facts.drifted ? "drifted" : "ready";
}
