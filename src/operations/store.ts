import type { PolicyFinding } from "../../programs/policies/evaluate.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import type { ApprovalRequest } from "../approvals/request.ts";
import type { OperationError, Step } from "../engine/protocol.ts";
import { AppError } from "../errors.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { OperationKind, OperationState } from "./states.ts";

/** What a stack holds: a pipeline's resources, or an account's foundation. */
export type Subject =
  | { readonly type: "pipeline"; readonly pipeline: string; readonly pipelineId: string | null }
  | { readonly type: "account"; readonly account: string };

export interface OperationResult {
  /** Resources by what happened, or would happen, to them. */
  readonly changes: Readonly<Record<string, number>>;
  /** Breaches of policies, for `preview`, `update` and `reconcile`. */
  readonly findings?: readonly PolicyFinding[];
  /** For `preview` (planned), `drift` (found), and what was planned and not applied. */
  readonly steps?: readonly Step[];
  /** SHA-256 over the steps of a plan: the same digest means the same plan. */
  readonly digest?: string;
}

export interface OperationOptions {
  /** For `preview`: a spec that isn't a revision (yet). */
  readonly spec?: PipelineSpec;
  /** For `destroy`: what becomes of buckets, keys and models. */
  readonly data?: "retain" | "delete";
  /** For `destroy` of a foundation that no pipeline uses any more: its accounts stay registered. */
  readonly keepsAccount?: true;
  /** For `reconcile`: URNs of the only drifted resources that it brings back. */
  readonly only?: readonly string[];
}

export interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly stackId: string;
  readonly team: string;
  readonly subject: Subject;
  readonly revision: number | null;
  readonly options: OperationOptions;
  readonly requestId: string;
  /** The subject that asked for it; null where an older version of the service recorded it. */
  readonly requestedBy: string | null;
  /** Why, in their words; null where nobody said. */
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  readonly result: OperationResult | null;
  readonly error: OperationError | null;
  /** Null: it needed none so far. */
  readonly approval: ApprovalRequest | null;
}

export interface OperationRow {
  id: string;
  kind: OperationKind;
  state: OperationState;
  stack_id: string;
  team: string;
  pipeline_id: string | null;
  pipeline: string | null;
  account: string | null;
  revision: number | null;
  options: OperationOptions;
  request_id: string;
  requested_by: string | null;
  reason: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  result: OperationResult | null;
  error: OperationError | null;
  approval: ApprovalRequest | null;
}

/** The columns of an `OperationRow`, for `select` and `returning`. */
export const operationColumns = `id, kind, state, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id,
  requested_by, reason, created_at, started_at, finished_at, cancel_requested_at, result, error, approval`;

export function fromRow(row: OperationRow): Operation {
  const subject: Subject =
    row.pipeline === null
      ? { type: "account", account: row.account ?? "" }
      : { type: "pipeline", pipeline: row.pipeline, pipelineId: row.pipeline_id };
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    stackId: row.stack_id,
    team: row.team,
    subject,
    revision: row.revision,
    options: row.options,
    requestId: row.request_id,
    requestedBy: row.requested_by,
    reason: row.reason,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    cancelRequestedAt: row.cancel_requested_at,
    result: row.result,
    error: row.error,
    approval: row.approval,
  };
}

export interface NewOperation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly stackId: string;
  readonly team: string;
  readonly subject: Subject;
  readonly revision: number | null;
  readonly options: OperationOptions;
  readonly requestId: string;
  /** The subject that asks for it. */
  readonly requestedBy: string;
  /** Why, in their words. */
  readonly reason?: string | undefined;
}

export async function insertOperation(db: Queryable, operation: NewOperation): Promise<Operation> {
  const { subject } = operation;
  const inserted = await db.query<OperationRow>(
    `insert into operations (id, kind, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id,
       requested_by, reason, aws_account_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
       (select aws_account_id from accounts where team = $4 and name = coalesce(
         $7, (select account from pipelines where id = $5), $9::jsonb #>> '{spec,account}')))
     returning ${operationColumns}`,
    [
      operation.id,
      operation.kind,
      operation.stackId,
      operation.team,
      subject.type === "pipeline" ? subject.pipelineId : null,
      subject.type === "pipeline" ? subject.pipeline : null,
      subject.type === "account" ? subject.account : null,
      operation.revision,
      toJsonb(operation.options),
      operation.requestId,
      operation.requestedBy,
      operation.reason ?? null,
    ],
  );
  return fromRow(inserted.rows[0] as OperationRow);
}

export async function findOperation(db: Queryable, id: string): Promise<Operation | undefined> {
  const found = await db.query<OperationRow>(`select ${operationColumns} from operations where id = $1`, [
    id,
  ]);
  return found.rows[0] && fromRow(found.rows[0]);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whose an operation is; undefined for what is no operation's id. */
export async function teamOfOperation(db: Queryable, id: string): Promise<string | undefined> {
  if (!uuid.test(id)) return undefined;
  // What an earlier team of the same name did is none of this one's business.
  const found = await db.query<{ team: string }>(
    `select team from operations o join teams t on t.name = o.team
     where o.id = $1 and o.created_at >= t.created_at`,
    [id],
  );
  return found.rows[0]?.team;
}

/** What is answered for an operation that isn't there, and with `denied` for one that the caller may not see. */
export function operationNotFound(id: string, options?: { readonly denied: boolean }): AppError {
  return new AppError("operation_not_found", `There is no operation ${id}: see GET /v1/operations`, options);
}

/** The newest operation that changes a stack, or is about to; undefined when none does. What waits for approval is in nobody's way. */
export async function activeChange(db: Queryable, stackId: string): Promise<Operation | undefined> {
  const found = await db.query<OperationRow>(
    `select ${operationColumns} from operations
     where stack_id = $1 and state in ('queued', 'running') and lane = 'changes'
     order by created_at desc limit 1`,
    [stackId],
  );
  return found.rows[0] && fromRow(found.rows[0]);
}

/**
 * Ends what an update or destroy of the stack that is newer makes pointless: updates that are still queued, and whatever waits for
 * approval. They stay visible as `superseded`.
 */
export async function supersedePending(db: Queryable, stackId: string): Promise<void> {
  await lockPending(db, stackId);
  await db.query(
    `with ended as (
       update operations set state = 'superseded', finished_at = clock_timestamp()
       where stack_id = $1 and (state = 'awaiting_approval' or (kind in ('update', 'rollback') and state = 'queued'))
       returning id)
     select pg_notify('operation_changed', id::text) from ended`,
    [stackId],
  );
}

/** Until the transaction has ended, what begins to wait on a stack and what takes the place of such see each other. */
export async function lockPending(db: Queryable, stackId: string): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`pending on stack ${stackId}`]);
}

/** Keeps an operation in its state until the transaction has ended. */
export async function lockOperation(db: Queryable, id: string): Promise<void> {
  await db.query("select from operations where id = $1 for update", [id]);
}

// What an earlier attempt left behind is repaired before it is cancelled: a worker does both. Of the row itself, not of a query beside
// it, which would still see it queued when it has just been claimed.
const endsAtOnce = `(state = 'awaiting_approval' or state = 'queued' and not (attempt > 1 and lane = 'changes'
  and (select unsettled from stacks where stacks.id = operations.stack_id)))`;

/** Asks for an operation's end: a queued one ends at once, a running one as soon as its engine has stopped. */
export async function requestCancel(db: Queryable, id: string): Promise<Operation | undefined> {
  const updated = await db.query<OperationRow>(
    `update operations set
       state = case when ${endsAtOnce} then 'cancelled' else state end,
       finished_at = case when ${endsAtOnce} then clock_timestamp() end,
       cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
     where id = $1 and state in ('queued', 'running', 'awaiting_approval') returning ${operationColumns}`,
    [id],
  );
  const row = updated.rows[0];
  if (row) {
    await db.query(
      "select pg_notify('operation_changed', $1), pg_notify('operation_cancel', $1), pg_notify('operation_queued', '')",
      [id],
    );
  }
  return row && fromRow(row);
}

export interface DriftReport {
  readonly operationId: string;
  readonly checkedAt: Date;
  readonly steps: readonly Step[];
}

/** The last completed drift check of a pipeline, however long ago. */
export async function lastDrift(db: Queryable, pipelineId: string): Promise<DriftReport | undefined> {
  const found = await db.query<{ id: string; finished_at: Date; result: OperationResult }>(
    `select id, finished_at, result from operations
     where pipeline_id = $1 and kind = 'drift' and state = 'succeeded' order by created_at desc limit 1`,
    [pipelineId],
  );
  const row = found.rows[0];
  return row && { operationId: row.id, checkedAt: row.finished_at, steps: row.result.steps ?? [] };
}
