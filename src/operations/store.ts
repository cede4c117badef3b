import type { PolicyFinding } from "../../programs/policies/evaluate.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
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
  /** For `preview` (planned) and `drift` (found). */
  readonly steps?: readonly Step[];
  /** SHA-256 over the steps of a preview: the same digest means the same plan. */
  readonly digest?: string;
}

export interface OperationOptions {
  /** For `preview`: a spec that isn't a revision (yet). */
  readonly spec?: PipelineSpec;
  /** For `destroy`: what becomes of buckets, keys and models. */
  readonly data?: "retain" | "delete";
  /** For `destroy` of a foundation that no pipeline uses any more: its accounts stay registered. */
  readonly keepsAccount?: true;
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
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  readonly result: OperationResult | null;
  readonly error: OperationError | null;
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
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  result: OperationResult | null;
  error: OperationError | null;
}

/** The columns of an `OperationRow`, for `select` and `returning`. */
export const operationColumns = `id, kind, state, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id,
  requested_by, created_at, started_at, finished_at, cancel_requested_at, result, error`;

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
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    cancelRequestedAt: row.cancel_requested_at,
    result: row.result,
    error: row.error,
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
}

export async function insertOperation(db: Queryable, operation: NewOperation): Promise<Operation> {
  const { subject } = operation;
  const inserted = await db.query<OperationRow>(
    `insert into operations (id, kind, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id,
       requested_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${operationColumns}`,
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

export interface OperationFilter {
  /** The teams whose operations may be seen; undefined: all. */
  readonly visible: readonly string[] | undefined;
  readonly team?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly state?: OperationState | undefined;
  readonly kind?: OperationKind | undefined;
  /** Key of the last item of the page before: creation time in ISO form with microseconds, and id. */
  readonly after?: readonly string[] | undefined;
  readonly limit: number;
}

/** The newest first; one row more than `limit` when there is a further page. */
export async function listOperations(
  db: Queryable,
  filter: OperationFilter,
): Promise<{ operation: Operation; key: readonly string[] }[]> {
  const [afterTime, afterId] = filter.after ?? [null, null];
  const found = await db.query<OperationRow & { key_time: string }>(
    `select ${operationColumns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key_time from operations
     where ($1::text is null or team = $1) and ($2::text is null or pipeline = $2)
       and ($3::text is null or state = $3) and ($4::text is null or kind = $4)
       and ($5::timestamptz is null or (created_at, id) < ($5::timestamptz, $6::uuid))
       and ($8::text[] is null
         or (team = any ($8) and created_at >= (select created_at from teams where name = operations.team)))
     order by created_at desc, id desc limit $7`,
    [
      filter.team ?? null,
      filter.pipeline ?? null,
      filter.state ?? null,
      filter.kind ?? null,
      afterTime,
      afterId,
      filter.limit + 1,
      filter.visible ?? null,
    ],
  );
  return found.rows.map((row) => ({ operation: fromRow(row), key: [row.key_time, row.id] }));
}

/** The newest operation of a stack that isn't ended, or undefined. */
export async function activeChange(db: Queryable, stackId: string): Promise<Operation | undefined> {
  const found = await db.query<OperationRow>(
    `select ${operationColumns} from operations
     where stack_id = $1 and state in ('queued', 'running', 'awaiting_approval')
       and kind in ('update', 'destroy', 'refresh', 'reconcile')
     order by created_at desc limit 1`,
    [stackId],
  );
  return found.rows[0] && fromRow(found.rows[0]);
}

/** Ends the queued updates of a stack that a newer one makes pointless; they stay visible as `superseded`. */
export async function supersedeQueuedUpdates(db: Queryable, stackId: string): Promise<void> {
  await db.query(
    `with ended as (
       update operations set state = 'superseded', finished_at = clock_timestamp()
       where stack_id = $1 and kind = 'update' and state = 'queued' returning id)
     select pg_notify('operation_changed', id::text) from ended`,
    [stackId],
  );
}

/** Keeps an operation in its state until the transaction has ended. */
export async function lockOperation(db: Queryable, id: string): Promise<void> {
  await db.query("select from operations where id = $1 for update", [id]);
}

/** Asks for an operation's end: a queued one ends at once, a running one as soon as its engine has stopped. */
export async function requestCancel(db: Queryable, id: string): Promise<Operation | undefined> {
  const updated = await db.query<OperationRow>(
    `update operations set
       state = case when state in ('queued', 'awaiting_approval') then 'cancelled' else state end,
       finished_at = case when state in ('queued', 'awaiting_approval') then clock_timestamp() end,
       cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
     where id = $1 and state in ('queued', 'running', 'awaiting_approval') returning ${operationColumns}`,
    [id],
  );
  const row = updated.rows[0];
  if (row) await db.query("select pg_notify('operation_changed', $1)", [id]);
  return row && fromRow(row);
}

export interface DriftReport {
  readonly operationId: string;
  readonly checkedAt: Date;
  readonly steps: readonly Step[];
}

/** The last completed drift check of a pipeline; with `sinceLastChange` only when no change of the stack ended after it began. */
export async function lastDrift(
  db: Queryable,
  pipelineId: string,
  { sinceLastChange }: { readonly sinceLastChange: boolean },
): Promise<DriftReport | undefined> {
  const found = await db.query<{ id: string; finished_at: Date; result: OperationResult }>(
    `select id, finished_at, result from operations d
     where pipeline_id = $1 and kind = 'drift' and state = 'succeeded'
       and not ($2 and exists (
         select from operations c where c.pipeline_id = d.pipeline_id and c.finished_at > d.started_at
           and c.kind in ('update', 'destroy', 'refresh', 'reconcile') and c.started_at is not null))
     order by created_at desc limit 1`,
    [pipelineId, sinceLastChange],
  );
  const row = found.rows[0];
  return row && { operationId: row.id, checkedAt: row.finished_at, steps: row.result.steps ?? [] };
}
