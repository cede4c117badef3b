import { entriesOf, type PendingDeployment, type UnansweredStep, withUnanswered } from "./pending.ts";
import { parseUrn } from "./phase.ts";
import { type KeepPending, type OperationError, SupervisorGone } from "./protocol.ts";
import type { StateFile } from "./state-file.ts";

export interface EarlyNotice {
  /** All that a provider never answered so far; what its updates and deletions were, events tell. */
  tell(steps: readonly UnansweredStep[]): void;
  /** When all that was told is kept, or can't be. */
  told(): Promise<void>;
}

/** Tells of creations that a provider never answered while the engine still runs: the run may be killed before it has ended. */
export function earlyNotice(keepPending: KeepPending): EarlyNotice {
  const known = new Set<string>();
  let telling = Promise.resolve();
  return {
    tell: (steps) => {
      // The first refusal tells of all that are under way, and each of these is refused in its turn.
      if (steps.every(({ urn }) => known.has(urn))) return;
      for (const { urn } of steps) known.add(urn);
      // One after another: a later one holds all that an earlier one does, and takes its place.
      telling = telling.then(() => keepPending(entriesOf(steps, {}))).catch(() => {});
    },
    told: () => telling,
  };
}

/** Has what a provider never answered kept for a repair, by the supervisor or in the state; false when that can't be. */
export async function kept(
  steps: readonly UnansweredStep[],
  state: unknown,
  keepPending: KeepPending,
  stateOfStack: StateFile,
): Promise<boolean> {
  const entries = entriesOf(steps, (state ?? {}) as PendingDeployment);
  try {
    await keepPending(entries);
    return true;
  } catch (error) {
    // It doesn't hold the operation any more.
    if (!(error instanceof SupervisorGone)) return false;
  }
  try {
    const last = await stateOfStack.read();
    const deployment = withUnanswered((last.deployment ?? {}) as PendingDeployment, entries);
    await stateOfStack.write({ ...last, deployment });
    return true;
  } catch {
    return false;
  }
}

/** The error of a run that left what nobody will look for. */
export function forgotten(steps: readonly UnansweredStep[]): OperationError {
  const names = steps.map(({ urn }) => `${parseUrn(urn).name} (${parseUrn(urn).type})`);
  return {
    code: "provider_lost",
    message: `The provider's process ended before it had answered for ${names.join(", ")}, and that could not be written down`,
    remedy:
      "Look on AWS for what of these exists, delete what no stack knows, and ask for a repair (docs/recovery.md)",
  };
}
