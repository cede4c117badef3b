import type { OperationKind, OperationState } from "../operations/states.ts";

export const pipelineStates = [
  "pending",
  "provisioning",
  "updating",
  "destroying",
  "awaiting_approval",
  "ready",
  "failed",
  "needs_repair",
] as const;
export type PipelineState = (typeof pipelineStates)[number];

interface Facts {
  readonly lastChange: { readonly kind: OperationKind; readonly state: OperationState } | null;
  readonly desired: number;
  readonly applied: number | null;
}

/** What a pipeline's revisions and its newest change say about it in one word. */
export function pipelineState({ lastChange, desired, applied }: Facts): PipelineState {
  switch (lastChange?.state) {
    case "queued":
    case "running":
      if (lastChange.kind === "destroy") return "destroying";
      return applied === null ? "provisioning" : "updating";
    case "awaiting_approval":
    case "needs_repair":
      return lastChange.state;
    case "failed":
    case "cancelled":
      return "failed";
    default:
      return desired === applied ? "ready" : "pending";
  }
}
