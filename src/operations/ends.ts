import type pg from "pg";
import { awaitApproval } from "../approvals/transitions.ts";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import { digestOf } from "../digest.ts";
import type { RunOutcome } from "../engine/protocol.ts";
import { AppError } from "../errors.ts";
import { inTransaction } from "../postgres/pool.ts";
import type { Verdict } from "../recovery/verdict.ts";
import { redactText } from "../redaction.ts";
import { recordSnapshot } from "../stacks/store.ts";
import { type Claim, finishOperation } from "./claims.ts";
import { changesStack } from "./states.ts";
import { findOperation, type Operation, type OperationResult } from "./store.ts";
import type { WorkerOptions } from "./worker.ts";

/** Records the end of a run, and what its feature and the stack keep of it, in one transaction; false, and nothing is written, when the claim was lost. */
export async function recordEnd(
  { pool, owners, audit }: Pick<WorkerOptions, "pool" | "owners" | "audit">,
  { operation, fencingToken }: Claim,
  outcome: RunOutcome,
): Promise<boolean> {
  const owner = owners[operation.subject.type];
  return inTransaction(pool, async (client) => {
    const result = resultOf(operation, outcome);
    if (outcome.state === "awaiting_approval") {
      const terms = await owner.approvalTerms?.(client, operation);
      if (terms === undefined) throw new Error("A run waits for an approval that nothing asked for");
      await owner.onHeldBack?.(client, operation, outcome);
      return awaitApproval(client, audit, { operation, fencingToken, outcome, result, terms });
    }
    await owner.beforeEnded?.(client, operation, outcome);
    const end = { state: outcome.state, result, error: outcome.error ?? null };
    if (!(await finishOperation(client, operation.id, fencingToken, end))) return false;
    const { snapshot, stackExists } = outcome;
    if (snapshot !== undefined || !stackExists) {
      await recordSnapshot(client, operation.stackId, fencingToken, { exists: stackExists, snapshot });
    }
    await owner.onEnded(client, operation, outcome);
    await auditEnd(client, audit, (await findOperation(client, operation.id)) as Operation);
    return true;
  });
}

async function auditEnd(client: pg.PoolClient, audit: AuditTrail, operation: Operation): Promise<void> {
  const { id, kind, state, team, requestId, requestedBy, revision, result, error } = operation;
  if (!changesStack(kind)) return;
  await audit.change(client, serviceContext(requestId), {
    action: "operation.end",
    team,
    target: `/operations/${id}`,
    before: { state: "running" },
    after: {
      state,
      kind,
      subject: operation.subject,
      revision,
      requestedBy,
      changes: result?.changes,
      error: error?.code,
    },
  });
}

/** The end of what was cancelled before its own run began. */
export const cancelledEnd = {
  state: "cancelled",
  error: {
    code: "cancelled",
    message: "The operation was cancelled while its stack was repaired",
    remedy: "What was done before stays done: apply again to complete it",
  },
} as const;

/** The end that an earlier attempt came to. */
export function endedBy(verdict: Verdict, stackExists: boolean): RunOutcome {
  return { ...verdict, changes: {}, steps: [], stackExists };
}

/** What stands in the way is outside the service: a person must see to it, and the next operation on the stack, or a repair, does the rest. */
export function needsRepair(outcome: RunOutcome): RunOutcome {
  const { error } = outcome;
  return {
    ...outcome,
    state: "needs_repair",
    ...(error && {
      error: {
        ...error,
        remedy: `${error.remedy}. Then ask for a repair, or apply again (docs/recovery.md)`,
      },
    }),
  };
}

function resultOf({ kind }: Operation, { state, changes, steps, findings }: RunOutcome): OperationResult {
  const unapplied = state === "awaiting_approval" || steps.length > 0;
  return {
    changes,
    ...(findings === undefined ? {} : { findings }),
    ...(kind === "preview" || kind === "drift" || unapplied ? { steps } : {}),
    ...((kind === "preview" && state === "succeeded") || (changesStack(kind) && unapplied)
      ? { digest: digestOf(steps) }
      : {}),
  };
}

/** The end of an operation that could not be begun. */
export function failedBeforeRun(error: unknown): RunOutcome {
  const refused = error instanceof AppError && error.code === "account_refused";
  return {
    state: "failed",
    changes: {},
    steps: [],
    stackExists: true,
    error: {
      code: refused ? "access_denied" : "engine_failed",
      // Of what isn't ours, only the log tells: it may name hosts, paths or worse.
      message: error instanceof AppError ? redactText(error.message) : "The operation could not be started",
      remedy: refused
        ? "Nothing was changed: mend the role or its registration, then repeat it"
        : "Nothing was changed: look at the service's logs, then repeat it",
    },
  };
}
