import type { Lane } from "../queue/queue.ts";

export const operationKinds = ["preview", "update", "destroy", "refresh", "drift", "reconcile"] as const;
export type OperationKind = (typeof operationKinds)[number];

export const operationStates = [
  "queued",
  "running",
  "awaiting_approval",
  "succeeded",
  "failed",
  "cancelled",
  "superseded",
  "needs_repair",
] as const;
export type OperationState = (typeof operationStates)[number];

/** Where an operation can go from each state; an empty list is an end. */
export const transitions = {
  queued: ["running", "cancelled", "superseded"],
  running: ["succeeded", "failed", "cancelled", "needs_repair", "awaiting_approval"],
  awaiting_approval: ["queued", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: [],
  superseded: [],
  needs_repair: [],
} as const satisfies Record<OperationState, readonly OperationState[]>;

export function isEnded(state: OperationState): boolean {
  return transitions[state].length === 0;
}

/** Kinds that hold the stack's lock while they run; the others only read. */
export const changingKinds: readonly OperationKind[] = ["update", "destroy", "refresh", "reconcile"];

/** The queue's lane for a kind of operation. */
export function laneOf(kind: OperationKind): Lane {
  return changesStack(kind) ? "changes" : "checks";
}

export function changesStack(kind: OperationKind): boolean {
  return changingKinds.includes(kind);
}
