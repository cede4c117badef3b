import type { OperationError, RunOutcome } from "../engine/protocol.ts";

/** How often an operation is begun before its end is that it can't be brought to one. */
export const maxAttempts = 3;

/** The end that an operation comes to as soon as its stack is repaired. */
export interface Verdict {
  readonly state: "failed" | "cancelled";
  readonly error: OperationError;
}

/** What is done with an operation whose run is over. */
export type Afterwards =
  | { readonly step: "end" }
  | { readonly step: "give_back"; readonly countsAttempt: boolean; readonly verdict: Verdict | null };

/** What interrupted a run: a person's wish, or the service's own, as when it shuts down or isn't sure of its lease. */
export type Interruption = "cancel" | "stop" | undefined;

const resumable: readonly string[] = [
  "runner_lost",
  "provider_lost",
] satisfies readonly OperationError["code"][];

/**
 * Whether an operation goes back to the queue, to be begun once more or to be ended when its stack is repaired, or has ended.
 * `verdict` is the one that an earlier attempt came to.
 */
export function afterwards(
  outcome: RunOutcome,
  {
    attempt,
    verdict,
    interruption,
  }: {
    readonly attempt: number;
    readonly verdict: Verdict | null;
    readonly interruption: Interruption;
  },
): Afterwards {
  const { state, error, unsettled } = outcome;
  if (verdict !== null && error?.code === verdict.error.code && !unsettled) return { step: "end" };
  // Nobody asked for its end. What its attempt did not use up may be tried again.
  if (state === "cancelled" && interruption !== "cancel")
    return { step: "give_back", countsAttempt: false, verdict };
  const isLost = error !== undefined && resumable.includes(error.code);
  if (isLost && state === "failed" && attempt < maxAttempts)
    return { step: "give_back", countsAttempt: true, verdict };
  // The repair comes first; when this was it already, a person must see to it.
  if (unsettled && verdict === null && (state === "failed" || state === "cancelled") && error !== undefined)
    return { step: "give_back", countsAttempt: false, verdict: { state, error } };
  return { step: "end" };
}

/** What becomes of an operation of which nothing is left but its row. */
export function verdictOnLapsed(lapsed: {
  readonly attempt: number;
  readonly cancelRequested: boolean;
  readonly verdict: Verdict | null;
}): Verdict | null {
  if (lapsed.verdict !== null) return lapsed.verdict;
  if (lapsed.cancelRequested) {
    return {
      state: "cancelled",
      error: {
        code: "cancelled",
        message: "The operation was cancelled while it ran",
        remedy: "What was done stays done: apply again to complete it",
      },
    };
  }
  if (lapsed.attempt < maxAttempts) return null;
  return {
    state: "failed",
    error: {
      code: "runner_lost",
      message: `Its processes ended without a result ${lapsed.attempt} times`,
      remedy:
        "Look at the logs of the service for what ends them, then apply again: what was done stays done",
    },
  };
}
