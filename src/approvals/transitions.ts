import type pg from "pg";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import { digestOf } from "../digest.ts";
import type { OperationError, RunOutcome } from "../engine/protocol.ts";
import { appendServiceEvent } from "../operations/events.ts";
import type { OperationState } from "../operations/states.ts";
import { lockPending, type Operation, type OperationResult } from "../operations/store.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { ApprovalRequest } from "./request.ts";
import type { ApprovalTerms } from "./terms.ts";

const hourMs = 3_600_000;

const cancelled: OperationError = {
  code: "cancelled",
  message: "The operation was cancelled before it began",
  remedy: "Nothing was changed",
};

/** A run that ended because somebody has to approve of its plan first. */
export interface Unapproved {
  readonly operation: Operation;
  readonly fencingToken: number;
  readonly outcome: RunOutcome;
  /** What the operation tells of it. */
  readonly result: OperationResult;
  readonly terms: ApprovalTerms;
}

/**
 * Lets an operation wait for people: it holds no claim, no process and no place in the queue from now on. When a newer change of its
 * stack was asked for meanwhile, that takes its place. False, and nothing is written, when the claim was lost.
 */
export async function awaitApproval(
  client: pg.PoolClient,
  audit: AuditTrail,
  { operation, fencingToken, outcome, result, terms }: Unapproved,
): Promise<boolean> {
  await lockPending(client, operation.stackId);
  const approval = requestOf(operation.approval, outcome, terms, new Date());
  const waiting = await client.query<{ state: OperationState }>(
    // What it did so far was to look: it begins when it is applied.
    `update operations set result = $3, approval = $4, started_at = null, lease_until = null, node = null, runner = null,
       process_group = null,
       state = case when cancel_requested_at is not null then 'cancelled' when newer then 'superseded' else 'awaiting_approval' end,
       error = case when cancel_requested_at is not null then $6::jsonb end,
       finished_at = case when cancel_requested_at is not null or newer then clock_timestamp() end
     from (select exists (select from operations
       where stack_id = $5 and state = 'queued' and kind in ('update', 'rollback', 'destroy')) as newer) found
     where id = $1 and fencing_token = $2 and state = 'running' returning state`,
    [operation.id, fencingToken, toJsonb(result), toJsonb(approval), operation.stackId, toJsonb(cancelled)],
  );
  const state = waiting.rows[0]?.state;
  if (state === undefined) return false;
  if (state === "awaiting_approval")
    await appendServiceEvent(client, operation.id, "approval", { status: "requested", ...approval });
  await told(client, operation.id);
  const { id, team, requestId, kind, subject, revision, requestedBy } = operation;
  const { digest, needed, expiresAt, reasons } = approval;
  await audit.change(client, serviceContext(requestId), {
    action: "operation.await_approval",
    team,
    target: `/operations/${id}`,
    before: { state: "running" },
    after: {
      ...{ state, kind, subject, revision, requestedBy },
      ...{ digest, needed, expiresAt, reasons: reasons.map(({ code }) => code) },
    },
  });
  return true;
}

function requestOf(
  before: ApprovalRequest | null,
  { steps, reasons = [] }: RunOutcome,
  { needed, from, expiresAfterHours }: ApprovalTerms,
  now: Date,
): ApprovalRequest {
  const digest = digestOf(steps);
  // Of the same plan the time goes on: an approval that was taken back doesn't give it more.
  const { requestedAt, expiresAt } =
    before?.digest === digest
      ? before
      : {
          requestedAt: now.toISOString(),
          expiresAt: new Date(now.getTime() + expiresAfterHours * hourMs).toISOString(),
        };
  return { digest, reasons, needed, given: 0, from, requestedAt, expiresAt };
}

/** Takes over how many people have approved by now; with enough of them the operation goes back into the queue, to be applied. */
export async function recordGiven(
  client: pg.PoolClient,
  { id }: Operation,
  approval: ApprovalRequest,
): Promise<void> {
  await client.query(
    "update operations set approval = $2, state = $3 where id = $1 and state = 'awaiting_approval'",
    [id, toJsonb(approval), approval.given >= approval.needed ? "queued" : "awaiting_approval"],
  );
  await told(client, id);
}

/** Ends an operation that waits for approval and won't have it. */
export async function endUnapproved(
  client: pg.PoolClient,
  { id }: Operation,
  error: OperationError,
): Promise<void> {
  await client.query(
    `update operations set state = 'cancelled', error = $2, finished_at = clock_timestamp()
     where id = $1 and state = 'awaiting_approval'`,
    [id, toJsonb(error)],
  );
  await told(client, id);
}

async function told(db: Queryable, id: string): Promise<void> {
  await db.query("select pg_notify('operation_changed', $1), pg_notify('operation_queued', $1)", [id]);
}

/** The entry of an operation's end that nobody's request brought about. */
export async function auditEnd(
  audit: AuditTrail,
  client: pg.PoolClient,
  { id, team, requestId, kind, subject, revision, requestedBy }: Operation,
  error: OperationError,
): Promise<void> {
  await audit.change(client, serviceContext(requestId), {
    action: "operation.end",
    team,
    target: `/operations/${id}`,
    before: { state: "awaiting_approval" },
    after: { state: "cancelled", kind, subject, revision, requestedBy, error: error.code },
  });
}
