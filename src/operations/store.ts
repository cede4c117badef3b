import type pg from "pg";
import type { PipelineSpec } from "../../programs/spec.ts";
import type { Phase } from "../engine/phase.ts";
import type { OperationError, RunOutcome, Step } from "../engine/protocol.ts";
import { toJsonb } from "../postgres/json.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { changesStack, changingKinds, type OperationKind, type OperationState } from "./states.ts";

/** What a stack holds: a pipeline's resources, or an account's foundation. */
export type Subject =
  | { readonly type: "pipeline"; readonly pipeline: string; readonly pipelineId: string | null }
  | { readonly type: "account"; readonly account: string };

export interface OperationResult {
  /** Resources by what happened, or would happen, to them. */
  readonly changes: Readonly<Record<string, number>>;
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
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  readonly result: OperationResult | null;
  readonly error: OperationError | null;
}

interface OperationRow {
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
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  result: OperationResult | null;
  error: OperationError | null;
}

const columns = `id, kind, state, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id, created_at,
  started_at, finished_at, cancel_requested_at, result, error`;

function fromRow(row: OperationRow): Operation {
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
}

export async function insertOperation(db: Queryable, operation: NewOperation): Promise<Operation> {
  const { subject } = operation;
  const inserted = await db.query<OperationRow>(
    `insert into operations (id, kind, stack_id, team, pipeline_id, pipeline, account, revision, options, request_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`,
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
    ],
  );
  return fromRow(inserted.rows[0] as OperationRow);
}

export async function findOperation(db: Queryable, id: string): Promise<Operation | undefined> {
  const found = await db.query<OperationRow>(`select ${columns} from operations where id = $1`, [id]);
  return found.rows[0] && fromRow(found.rows[0]);
}

export interface OperationFilter {
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
    `select ${columns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key_time from operations
     where ($1::text is null or team = $1) and ($2::text is null or pipeline = $2)
       and ($3::text is null or state = $3) and ($4::text is null or kind = $4)
       and ($5::timestamptz is null or (created_at, id) < ($5::timestamptz, $6::uuid))
     order by created_at desc, id desc limit $7`,
    [
      filter.team ?? null,
      filter.pipeline ?? null,
      filter.state ?? null,
      filter.kind ?? null,
      afterTime,
      afterId,
      filter.limit + 1,
    ],
  );
  return found.rows.map((row) => ({ operation: fromRow(row), key: [row.key_time, row.id] }));
}

/** The newest operation of a stack that isn't ended, or undefined. */
export async function activeChange(db: Queryable, stackId: string): Promise<Operation | undefined> {
  const found = await db.query<OperationRow>(
    `select ${columns} from operations
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

/** Who works on an operation from now on. */
export interface Claim {
  readonly operation: Operation;
  readonly fencingToken: number;
}

/**
 * Takes a queued operation for this node: undefined when it is no longer queued, or another change of its stack runs. For an operation that
 * changes its stack the new fencing token also becomes the stack's, so that whatever an earlier run still writes is refused.
 */
export async function claimOperation(
  pool: pg.Pool,
  id: string,
  claim: { readonly node: string; readonly leaseMs: number },
): Promise<Claim | undefined> {
  return inTransaction(pool, async (client) => {
    const claimed = await client.query<OperationRow & { fencing_token: number }>(
      `update operations set state = 'running', node = $2, started_at = clock_timestamp(),
         lease_until = clock_timestamp() + $3 * interval '1 millisecond', fencing_token = nextval('fencing_tokens')
       where id = $1 and state = 'queued'
         -- The queue keeps changes of a stack apart; this is for when it believes a job dead whose operation lives.
         and not (kind = any ($4) and exists (
           select from operations other where other.stack_id = operations.stack_id and other.state = 'running'
             and other.kind = any ($4)))
       returning ${columns}, fencing_token`,
      [id, claim.node, claim.leaseMs, changingKinds],
    );
    const row = claimed.rows[0];
    if (!row) return undefined;
    if (changesStack(row.kind)) {
      await client.query("update stacks set fencing_token = $2 where id = $1", [
        row.stack_id,
        row.fencing_token,
      ]);
    }
    await client.query("select pg_notify('operation_changed', $1)", [id]);
    return { operation: fromRow(row), fencingToken: row.fencing_token };
  });
}

/** Records which processes run the operation; they are what must be proved dead before anybody else may touch the stack. */
export async function recordRunner(
  db: Queryable,
  id: string,
  fencingToken: number,
  runner: { readonly marker: string; readonly processGroup: number | undefined },
): Promise<void> {
  await db.query(
    "update operations set runner = $3, process_group = $4 where id = $1 and fencing_token = $2",
    [id, fencingToken, runner.marker, runner.processGroup ?? null],
  );
}

/** Extends the lease; false when it was lost. Also tells whether somebody asked for the operation's end. */
export async function renewLease(
  db: Queryable,
  id: string,
  fencingToken: number,
  leaseMs: number,
): Promise<{ held: boolean; cancelRequested: boolean }> {
  const renewed = await db.query<{ cancel_requested_at: Date | null }>(
    `update operations set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     where id = $1 and fencing_token = $2 and state = 'running' returning cancel_requested_at`,
    [id, fencingToken, leaseMs],
  );
  const row = renewed.rows[0];
  return { held: row !== undefined, cancelRequested: (row?.cancel_requested_at ?? null) !== null };
}

export interface LapsedOperation {
  readonly id: string;
  readonly runner: string | null;
  readonly fencingToken: number;
  readonly kind: OperationKind;
}

/** Operations that claim to run on this node although nobody renews their lease; with `all`, whatever their lease says. */
export async function lapsedOperations(
  db: Queryable,
  node: string,
  { all }: { readonly all: boolean },
): Promise<LapsedOperation[]> {
  const found = await db.query<{
    id: string;
    runner: string | null;
    fencing_token: number;
    kind: OperationKind;
  }>(
    `select id, runner, fencing_token, kind from operations
     where state = 'running' and node = $1 and ($2 or lease_until < clock_timestamp())`,
    [node, all],
  );
  return found.rows.map((row) => ({
    id: row.id,
    runner: row.runner,
    fencingToken: row.fencing_token,
    kind: row.kind,
  }));
}

/**
 * Ends an operation that this claim holds and tells its followers; false, and nothing is written, when the claim was lost.
 */
export async function finishOperation(
  db: Queryable,
  id: string,
  fencingToken: number,
  end: {
    readonly state: RunOutcome["state"];
    readonly result: OperationResult | null;
    readonly error: OperationError | null;
  },
): Promise<boolean> {
  const finished = await db.query(
    `with ended as (
       update operations set state = $3, result = $4, error = $5, finished_at = clock_timestamp(), lease_until = null
       where id = $1 and fencing_token = $2 and state = 'running' returning id)
     select pg_notify('operation_changed', id::text) from ended`,
    [id, fencingToken, end.state, end.result && toJsonb(end.result), end.error && toJsonb(end.error)],
  );
  return finished.rowCount === 1;
}

/** Asks for an operation's end: a queued one ends at once, a running one as soon as its engine has stopped. */
export async function requestCancel(db: Queryable, id: string): Promise<Operation | undefined> {
  const updated = await db.query<OperationRow>(
    `update operations set
       state = case when state in ('queued', 'awaiting_approval') then 'cancelled' else state end,
       finished_at = case when state in ('queued', 'awaiting_approval') then clock_timestamp() end,
       cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
     where id = $1 and state in ('queued', 'running', 'awaiting_approval') returning ${columns}`,
    [id],
  );
  const row = updated.rows[0];
  if (row) await db.query("select pg_notify('operation_changed', $1)", [id]);
  return row && fromRow(row);
}

export interface StoredEvent {
  readonly sequence: number;
  readonly at: Date;
  readonly type: string;
  readonly phase: Phase | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Appends events in order, in one statement; false, and nothing is written, when the claim was lost. */
export async function appendEvents(
  db: Queryable,
  id: string,
  fencingToken: number,
  events: readonly StoredEvent[],
): Promise<boolean> {
  const appended = await db.query(
    `with holder as (select id from operations where id = $1 and fencing_token = $2 and state = 'running'),
     appended as (
       insert into operation_events (operation_id, sequence, at, type, phase, body)
       select holder.id, e.sequence, e.at, e.type, e.phase, e.body from holder,
         jsonb_to_recordset($3::jsonb) as e(sequence integer, at timestamptz, type text, phase text, body jsonb)
       returning 1)
     select pg_notify('operation_changed', holder.id::text) from holder`,
    [id, fencingToken, toJsonb(events)],
  );
  return appended.rowCount === 1;
}

export async function listEvents(
  db: Queryable,
  id: string,
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const found = await db.query<StoredEvent>(
    `select sequence, at, type, phase, body from operation_events
     where operation_id = $1 and sequence > $2 order by sequence limit $3`,
    [id, after, limit],
  );
  return found.rows;
}

/** Phases of the resources that failed in an operation. */
export async function failedPhases(db: Queryable, id: string | undefined): Promise<ReadonlySet<Phase>> {
  if (id === undefined) return new Set();
  const found = await db.query<{ phase: Phase }>(
    `select distinct phase from operation_events
     where operation_id = $1 and type = 'resource' and phase is not null and body->>'status' = 'failed'`,
    [id],
  );
  return new Set(found.rows.map((row) => row.phase));
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
