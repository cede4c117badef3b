import type { PipelineSpec } from "../../programs/spec.ts";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";
import type { OperationKind, OperationState } from "../operations/states.ts";
import type { Queryable } from "../postgres/pool.ts";
import { type PipelineState, pipelineState } from "./state.ts";

export const pipelineProject = "aidlc-pipeline";

export interface Pipeline {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly account: string;
  readonly stackId: string;
  readonly state: PipelineState;
  readonly desiredRevision: number;
  readonly appliedRevision: number | null;
  /** The spec of the desired revision. */
  readonly spec: PipelineSpec;
  /** The newest operation that changes, or changed, the stack. */
  readonly lastChange: {
    readonly id: string;
    readonly kind: OperationKind;
    readonly state: OperationState;
  } | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface PipelineRow {
  id: string;
  team: string;
  name: string;
  account: string;
  stack_id: string;
  desired_revision: number;
  applied_revision: number | null;
  spec: PipelineSpec;
  operation_id: string | null;
  operation_kind: OperationKind | null;
  operation_state: OperationState | null;
  created_at: Date;
  updated_at: Date;
}

const selection = `select p.id, p.team, p.name, p.account, p.stack_id, p.desired_revision, p.applied_revision, r.spec,
    o.id as operation_id, o.kind as operation_kind, o.state as operation_state, p.created_at, p.updated_at
  from pipelines p
  join revisions r on r.pipeline_id = p.id and r.number = p.desired_revision
  left join lateral (
    select id, kind, state from operations
    where pipeline_id = p.id and kind in ('update', 'destroy', 'refresh', 'reconcile')
      -- What was called off before it began changed nothing.
      and not (state in ('superseded', 'cancelled') and started_at is null)
    order by created_at desc limit 1) o on true`;

function fromRow(row: PipelineRow): Pipeline {
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
    spec: row.spec,
    lastChange,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function findPipeline(db: Queryable, team: string, name: string): Promise<Pipeline | undefined> {
  const found = await db.query<PipelineRow>(
    `${selection} where p.team = $1 and p.name = $2 and p.deleted_at is null`,
    [team, name],
  );
  return found.rows[0] && fromRow(found.rows[0]);
}

/** Throws `pipeline_not_found`. */
export async function getPipeline(db: Queryable, team: string, name: string): Promise<Pipeline> {
  const pipeline = await findPipeline(db, team, name);
  if (pipeline) return pipeline;
  throw new AppError(
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

export async function listPipelines(
  db: Queryable,
  team: string,
  filter: PipelineFilter,
): Promise<Pipeline[]> {
  const found = await db.query<PipelineRow>(
    `${selection} where p.team = $1 and p.deleted_at is null and ($2::text is null or p.account = $2)
       and ($3::text is null or p.name > $3) order by p.name limit $4`,
    [team, filter.account ?? null, filter.after ?? null, filter.limit + 1],
  );
  return found.rows.map(fromRow);
}

export async function insertPipeline(
  db: Queryable,
  pipeline: {
    readonly team: string;
    readonly name: string;
    readonly stackId: string;
    readonly spec: PipelineSpec;
  },
): Promise<Pipeline> {
  const inserted = await db.query<{ id: string }>(
    "insert into pipelines (team, name, account, stack_id, desired_revision) values ($1, $2, $3, $4, 1) returning id",
    [pipeline.team, pipeline.name, pipeline.spec.account, pipeline.stackId],
  );
  const { id } = inserted.rows[0] as { id: string };
  await insertRevision(db, id, 1, pipeline.spec);
  return getPipeline(db, pipeline.team, pipeline.name);
}

/** Makes `spec` the desired revision: the next number, or the same when nothing in it differs. */
export async function reviseSpec(db: Queryable, pipeline: Pipeline, spec: PipelineSpec): Promise<Pipeline> {
  if (digestOf(spec) === digestOf(pipeline.spec)) return pipeline;
  const number = pipeline.desiredRevision + 1;
  await insertRevision(db, pipeline.id, number, spec);
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
  readonly createdAt: Date;
}

/** Newest first. */
export async function listRevisions(
  db: Queryable,
  pipelineId: string,
  before: number | undefined,
  limit: number,
): Promise<Revision[]> {
  const found = await db.query<{ number: number; spec: PipelineSpec; digest: string; created_at: Date }>(
    `select number, spec, digest, created_at from revisions
     where pipeline_id = $1 and ($2::integer is null or number < $2) order by number desc limit $3`,
    [pipelineId, before ?? null, limit + 1],
  );
  return found.rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
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
  number: number,
  spec: PipelineSpec,
): Promise<void> {
  await db.query("insert into revisions (pipeline_id, number, spec, digest) values ($1, $2, $3, $4)", [
    pipelineId,
    number,
    JSON.stringify(spec),
    digestOf(spec),
  ]);
}
