import type pg from "pg";
import { AwsError } from "../aws-error.ts";
import type { Caller } from "../aws-json-routes.ts";
import type { PropertyMap } from "../values.ts";
import type { PageRequest } from "./input.ts";

export interface Resource {
  readonly account: string;
  readonly region: string;
  readonly aws_id: string;
  readonly arn: string;
  readonly outputs: PropertyMap;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface Execution {
  readonly arn: string;
  readonly number: number;
  readonly pipeline_name: string;
  readonly display_name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly parameters: readonly unknown[];
  readonly account: string;
  readonly region: string;
  readonly started_at: Date;
  readonly updated_at: Date;
}

export interface ModelPackage {
  readonly arn: string;
  readonly number: number;
  readonly account: string;
  readonly region: string;
  readonly group_name: string;
  readonly version: number;
  readonly approval_status: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const pipelineType = "aws:sagemaker/pipeline:Pipeline";
export const groupType = "aws:sagemaker/modelPackageGroup:ModelPackageGroup";

export const endpointType = "aws:sagemaker/endpoint:Endpoint";
export const endpointConfigType = "aws:sagemaker/endpointConfiguration:EndpointConfiguration";
export const modelType = "aws:sagemaker/model:Model";
export const scheduleType = "aws:sagemaker/monitoringSchedule:MonitoringSchedule";

/** By name or ARN. An account left open is found by the name, as long as only one account has it. */
export async function findResource(
  pool: pg.Pool,
  type: string,
  caller: Caller,
  name: string,
): Promise<Resource | undefined> {
  const { rows } = await pool.query<Resource>(
    `select * from sandbox.resources
     where type = $1 and (aws_id = $2 or arn = $2) and deletion_due_at is null
       and ($3::text is null or account = $3) and ($4::text is null or region = $4)
     order by number limit 2`,
    [type, name, caller.account, caller.region],
  );
  if (rows.length > 1) {
    throw new AwsError(
      "ValidationException",
      `"${name}" exists in several accounts or regions: say which by the headers x-aidlc-account and x-aidlc-region`,
    );
  }
  return rows[0];
}

/** Resources of one type whose names contain a text. */
export async function listResources(
  pool: pg.Pool,
  type: string,
  caller: Caller,
  nameContains: string | undefined,
  page: PageRequest,
) {
  return listPage<Resource & { number: number }>(
    pool,
    "sandbox.resources",
    `type = '${type}' and deletion_due_at is null
     and ($1::text is null or account = $1) and ($2::text is null or region = $2)
     and ($3::text is null or position(lower($3) in lower(aws_id)) > 0)`,
    [caller.account, caller.region, nameContains ?? null],
    page,
  );
}

export async function listExecutions(pool: pg.Pool, pipeline: Resource, page: PageRequest) {
  return listPage<Execution>(
    pool,
    EXECUTIONS.table,
    "account = $1 and region = $2 and pipeline_name = $3",
    [pipeline.account, pipeline.region, pipeline.aws_id],
    page,
  );
}

export async function listModelPackages(
  pool: pg.Pool,
  group: Resource,
  approval: string | undefined,
  page: PageRequest,
) {
  return listPage<ModelPackage>(
    pool,
    "sandbox.model_packages",
    "account = $1 and region = $2 and group_name = $3 and ($4::text is null or approval_status = $4)",
    [group.account, group.region, group.aws_id, approval ?? null],
    page,
  );
}

/** A page of a table whose rows have numbers. */
export async function listPage<Row extends { number: number }>(
  pool: pg.Pool,
  table: string,
  condition: string,
  values: readonly unknown[],
  page: PageRequest,
): Promise<{ rows: Row[]; nextToken?: string }> {
  const cursor = `$${values.length + 1}`;
  const { rows } = await pool.query<Row>(
    `select * from ${table}
     where ${condition} and (${cursor}::bigint is null or number ${page.isDescending ? "<" : ">"} ${cursor})
     order by number ${page.isDescending ? "desc" : "asc"} limit $${values.length + 2}`,
    [...values, page.after, page.limit + 1],
  );
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return rows.length > page.limit && last ? { rows: shown, nextToken: String(last.number) } : { rows: shown };
}

export async function findExecution(pool: pg.Pool, arn: string): Promise<Execution | undefined> {
  const { rows } = await pool.query<Execution>("select * from sandbox.pipeline_executions where arn = $1", [
    arn,
  ]);
  return rows[0];
}

/** Idempotent by the client's token, as SageMaker is. */
export async function insertExecution(
  pool: pg.Pool,
  pipeline: Resource,
  execution: {
    readonly arn: string;
    readonly displayName: string | undefined;
    readonly description: string | undefined;
    readonly parameters: unknown;
    readonly clientToken: string | undefined;
  },
): Promise<string> {
  const { rows } = await pool.query<{ arn: string }>(
    `insert into sandbox.pipeline_executions
       (arn, account, region, pipeline_name, display_name, description, status, parameters, client_token)
     values ($1, $2, $3, $4, $5, $6, 'Executing', $7, $8)
     on conflict (account, region, pipeline_name, client_token) do update set client_token = excluded.client_token
     returning arn`,
    [
      execution.arn,
      pipeline.account,
      pipeline.region,
      pipeline.aws_id,
      execution.displayName ?? null,
      execution.description ?? null,
      JSON.stringify(execution.parameters ?? []),
      execution.clientToken ?? null,
    ],
  );
  return rows[0]?.arn ?? execution.arn;
}

export async function findModelPackage(
  pool: pg.Pool,
  caller: Caller,
  name: string,
): Promise<ModelPackage | undefined> {
  const { rows } = await pool.query<ModelPackage>(
    `select * from sandbox.model_packages where arn = $1 and ($2::text is null or account = $2)`,
    [name, caller.account],
  );
  return rows[0];
}

/** Versions count up and are never given twice, also after the newest was deleted. */
export async function insertModelPackage(
  pool: pg.Pool,
  group: Resource,
  approval: string,
  details: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { rows } = await pool.query<{ arn: string }>(
    `with counted as (
       insert into sandbox.revisions (subject, latest) values ('model-package|' || $1, 1)
       on conflict (subject) do update set latest = sandbox.revisions.latest + 1 returning latest
     )
     insert into sandbox.model_packages (arn, account, region, group_name, version, approval_status, details)
     select replace($1, ':model-package-group/', ':model-package/') || '/' || latest, $2, $3, $4, latest, $5, $6
     from counted returning arn`,
    [group.arn, group.account, group.region, group.aws_id, approval, JSON.stringify(details)],
  );
  return rows[0]?.arn ?? "";
}

export async function updateModelPackage(
  pool: pg.Pool,
  arn: string,
  approval: string | undefined,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await pool.query(
    `update sandbox.model_packages
     set approval_status = coalesce($2, approval_status), details = details || $3, updated_at = now() where arn = $1`,
    [arn, approval ?? null, JSON.stringify(details)],
  );
}

export async function deleteModelPackage(pool: pg.Pool, arn: string): Promise<void> {
  await pool.query("delete from sandbox.model_packages where arn = $1", [arn]);
}

/** What goes on until it is stopped: its table, and its status until then. */
export interface Stoppable {
  readonly table: string;
  readonly running: string;
}

export const EXECUTIONS: Stoppable = { table: "sandbox.pipeline_executions", running: "Executing" };

/** Asks for the end of an execution or a job; false when it isn't running. */
export async function requestStop(
  pool: pg.Pool,
  { table, running }: Stoppable,
  arn: string,
): Promise<boolean> {
  const updated = await pool.query(
    `update ${table} set status = 'Stopping', updated_at = now() where arn = $1 and status = $2`,
    [arn, running],
  );
  return updated.rowCount === 1;
}

/** Completes what was asked to stop: nothing of it runs in the sandbox. */
export async function completeStop(pool: pg.Pool, { table }: Stoppable, arn: string): Promise<void> {
  await pool.query(
    `update ${table} set status = 'Stopped', updated_at = now() where arn = $1 and status = 'Stopping'`,
    [arn],
  );
}

export async function deleteResource(
  pool: pg.Pool,
  { type, aws_id, account, region }: Resource & { type: string },
) {
  await pool.query(
    "delete from sandbox.resources where type = $1 and aws_id = $2 and account = $3 and region = $4",
    [type, aws_id, account, region],
  );
}
