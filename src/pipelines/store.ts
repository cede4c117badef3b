import type { PipelineSpec } from "../../programs/spec.ts";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";
import type { OperationKind, OperationState } from "../operations/states.ts";
import type { Queryable } from "../postgres/pool.ts";
import { type PipelineState, pipelineState } from "./state.ts";

export const pipelineProject = "aidlc-pipeline";

/** A pipeline without its spec, which is most of it. */
export interface PipelineSummary {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly account: string;
  readonly stackId: string;
  readonly state: PipelineState;
  readonly desiredRevision: number;
  readonly appliedRevision: number | null;
  /** The newest operation that changes, or changed, the stack. */
  readonly lastChange: {
    readonly id: string;
    readonly kind: OperationKind;
    readonly state: OperationState;
  } | null;
  /** When the service tears it down by itself; null: never. */
  readonly expiresAt: Date | null;
  readonly expiryWarnedAt: Date | null;
  /** When the service last asked for that. */
  readonly expirySubmittedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Pipeline extends PipelineSummary {
  /** The spec of the desired revision. */
  readonly spec: PipelineSpec;
}

export interface SummaryRow {
  id: string;
  team: string;
  name: string;
  account: string;
  stack_id: string;
  desired_revision: number;
  applied_revision: number | null;
  operation_id: string | null;
  operation_kind: OperationKind | null;
  operation_state: OperationState | null;
  expires_at: Date | null;
  expiry_warned_at: Date | null;
  expiry_submitted_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** The columns of a `SummaryRow`, out of `summarySource`. */
export const summaryColumns = `p.id, p.team, p.name, p.account, p.stack_id, p.desired_revision, p.applied_revision,
  o.id as operation_id, o.kind as operation_kind, o.state as operation_state, p.expires_at, p.expiry_warned_at,
  p.expiry_submitted_at, p.created_at, p.updated_at`;

/** Pipelines `p`, each with `o`, its last change; the index `operations_changes_by_pipeline` has the same conditions. */
export const summarySource = `pipelines p
  left join lateral (
    select id, kind, state from operations
    where pipeline_id = p.id and lane = 'changes'
      -- What was called off before it began changed nothing.
      and not (state in ('superseded', 'cancelled') and started_at is null)
    order by created_at desc limit 1) o on true`;

export function summaryFromRow(row: SummaryRow): PipelineSummary {
  const lastChange =
    row.operation_id === null || row.operation_kind === null || row.operation_state === null
      ? null
      : { id: row.operation_id, kind: row.operation_kind, state: row.operation_state };
  return {
    id: row.id,
    team: row.team,
    name: row.name,
    account: row.account,
    stackId: row.stack_id,
    state: pipelineState({ lastChange, desired: row.desired_revision, applied: row.applied_revision }),
    desiredRevision: row.desired_revision,
    appliedRevision: row.applied_revision,
    lastChange,
    expiresAt: row.expires_at,
    expiryWarnedAt: row.expiry_warned_at,
    expirySubmittedAt: row.expiry_submitted_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function findPipeline(db: Queryable, team: string, name: string): Promise<Pipeline | undefined> {
  const found = await db.query<SummaryRow & { spec: PipelineSpec }>(
    `select ${summaryColumns}, r.spec from ${summarySource}
     join revisions r on r.pipeline_id = p.id and r.number = p.desired_revision
     where p.team = $1 and p.name = $2 and p.deleted_at is null`,
    [team, name],
  );
  const row = found.rows[0];
  return row && { ...summaryFromRow(row), spec: row.spec };
}

/** Throws `pipeline_not_found`. */
export async function getPipeline(db: Queryable, team: string, name: string): Promise<Pipeline> {
  const pipeline = await findPipeline(db, team, name);
  if (pipeline) return pipeline;
  throw pipelineNotFound(team, name);
}

export function pipelineNotFound(team: string, name: string): AppError {
  return new AppError(
    "pipeline_not_found",
    `Team "${team}" has no pipeline "${name}": create it with PUT /v1/teams/${team}/pipelines/${name}`,
  );
}

/** Makes later changes of this pipeline wait until the transaction has ended, so that two requests can't both be "next". */
export async function lockPipelineName(db: Queryable, team: string, name: string): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`pipeline ${team}/${name}`]);
}

export interface PipelineFilter {
  readonly account?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** By name; one more than `limit` when there is a further page. */
export async function listPipelines(
  db: Queryable,
  team: string,
  { account, after = "", limit }: PipelineFilter,
): Promise<PipelineSummary[]> {
  const found = await db.query<SummaryRow>({
    name: account === undefined ? "pipelines-of-team" : "pipelines-of-team-in-account",
    text: `select ${summaryColumns} from ${summarySource}
      where p.team = $1 and p.deleted_at is null and p.name > $2 ${account === undefined ? "" : "and p.account = $4"}
      order by p.name limit $3`,
    values: [team, after, limit + 1, ...(account === undefined ? [] : [account])],
  });
  return found.rows.map(summaryFromRow);
}

export async function insertPipeline(
  db: Queryable,
  pipeline: {
    readonly team: string;
    readonly name: string;
    readonly stackId: string;
    readonly spec: PipelineSpec;
  },
  by: RevisionOrigin,
): Promise<Pipeline> {
  const inserted = await db.query<{ id: string }>(
    "insert into pipelines (team, name, account, stack_id, desired_revision) values ($1, $2, $3, $4, 1) returning id",
    [pipeline.team, pipeline.name, pipeline.spec.account, pipeline.stackId],
  );
  const { id } = inserted.rows[0] as { id: string };
  await insertRevision(db, id, { ...by, number: 1, spec: pipeline.spec });
  return getPipeline(db, pipeline.team, pipeline.name);
}

/** Who asked for a revision, and why. */
export interface RevisionOrigin {
  readonly requestedBy: string;
  readonly reason: string | undefined;
  /** The earlier revision whose spec it is once more. */
  readonly restores?: number;
}

/**
 * Makes `spec` the desired revision: the next number, or the same when nothing in it differs. What restores a revision always gets a
 * number of its own.
 */
export async function reviseSpec(
  db: Queryable,
  pipeline: Pipeline,
  spec: PipelineSpec,
  by: RevisionOrigin,
): Promise<Pipeline> {
  if (by.restores === undefined && digestOf(spec) === digestOf(pipeline.spec)) return pipeline;
  const number = pipeline.desiredRevision + 1;
  await insertRevision(db, pipeline.id, { ...by, number, spec });
  await db.query("update pipelines set desired_revision = $2, updated_at = now() where id = $1", [
    pipeline.id,
    number,
  ]);
  return { ...pipeline, desiredRevision: number, spec };
}

/** Name of the account that a pipeline is in. */
export async function accountOf(db: Queryable, pipelineId: string): Promise<string | undefined> {
  const found = await db.query<{ account: string }>("select account from pipelines where id = $1", [
    pipelineId,
  ]);
  return found.rows[0]?.account;
}

export async function setApplied(db: Queryable, pipelineId: string, revision: number): Promise<void> {
  await db.query("update pipelines set applied_revision = $2 where id = $1", [pipelineId, revision]);
}

export async function markDeleted(db: Queryable, pipelineId: string): Promise<void> {
  await db.query("update pipelines set deleted_at = now(), applied_revision = null where id = $1", [
    pipelineId,
  ]);
}

export interface Revision {
  readonly number: number;
  readonly spec: PipelineSpec;
  readonly digest: string;
  /** Null where an older version of the service recorded it. */
  readonly requestedBy: string | null;
  readonly reason: string | null;
  /** The earlier revision whose spec it is once more. */
  readonly restores: number | null;
  readonly createdAt: Date;
}

type RevisionRow = Omit<Revision, "requestedBy" | "createdAt"> & {
  requested_by: string | null;
  created_at: Date;
};

/** Newest first. */
export async function listRevisions(
  db: Queryable,
  pipelineId: string,
  before: number | undefined,
  limit: number,
): Promise<Revision[]> {
  const found = await db.query<RevisionRow>(
    `select number, spec, digest, requested_by, reason, restores, created_at from revisions
     where pipeline_id = $1 and ($2::bigint is null or number < $2) order by number desc limit $3`,
    [pipelineId, before ?? null, limit + 1],
  );
  return found.rows.map(({ requested_by: requestedBy, created_at: createdAt, ...row }) => ({
    ...row,
    requestedBy,
    createdAt,
  }));
}

/** Throws `revision_not_found`. */
export async function getRevision(db: Queryable, pipelineId: string, number: number): Promise<Revision> {
  const [revision] = await listRevisions(db, pipelineId, number + 1, 1);
  if (revision?.number === number) return revision;
  throw new AppError(
    "revision_not_found",
    `The pipeline has no revision ${number}: see its list of revisions`,
  );
}

async function insertRevision(
  db: Queryable,
  pipelineId: string,
  revision: RevisionOrigin & { readonly number: number; readonly spec: PipelineSpec },
): Promise<void> {
  const { number, spec, requestedBy, reason, restores } = revision;
  await db.query(
    `insert into revisions (pipeline_id, number, spec, digest, requested_by, reason, restores)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [pipelineId, number, JSON.stringify(spec), digestOf(spec), requestedBy, reason ?? null, restores ?? null],
  );
}
