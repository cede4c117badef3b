export const operationKinds = [
  "preview",
  "update",
  "destroy",
  "refresh",
  "drift",
  "reconcile",
  "rollback",
  "repair",
] as const;
export type OperationKind = (typeof operationKinds)[number];

/** Kinds that bring a stack to the desired revision: a rollback is an update to what an earlier revision said. */
export function isApply(kind: OperationKind): kind is "update" | "rollback" {
  return kind === "update" || kind === "rollback";
}

/** What the engine does for an operation of this kind. */
export function actionOf<Kind extends OperationKind>(kind: Kind): Exclude<Kind, "rollback"> | "update" {
  return kind === "rollback" ? "update" : (kind as Exclude<Kind, "rollback">);
}

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
  running: ["queued", "succeeded", "failed", "cancelled", "needs_repair", "awaiting_approval"],
  awaiting_approval: ["queued", "cancelled", "superseded"],
  succeeded: [],
  failed: [],
  cancelled: [],
  superseded: [],
  needs_repair: [],
} as const satisfies Record<OperationState, readonly OperationState[]>;

export function isEnded(state: OperationState): boolean {
  return transitions[state].length === 0;
}

/** `changes` of a stack run strictly one after another; `checks` only read and never wait for a change. */
export const lanes = ["changes", "checks"] as const;
export type Lane = (typeof lanes)[number];

const checkingKinds: readonly OperationKind[] = ["preview", "drift"];

/** The lane that an operation of this kind waits in; the column `lane` of the operations says the same. */
export function laneOf(kind: OperationKind): Lane {
  return checkingKinds.includes(kind) ? "checks" : "changes";
}

/** Whether it holds the stack's lock while it runs. */
export function changesStack(kind: OperationKind): boolean {
  return laneOf(kind) === "changes";
}
