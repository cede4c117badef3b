import type pg from "pg";
import { AwsError } from "./aws-error.ts";
import { type Blocker, blockers, type Row } from "./blockers.ts";
import type { PropertyMap } from "./values.ts";

/** Deleted resources of these types stay for a waiting period; the number of days, 0 for none. */
const waitingDays: Readonly<Record<string, (outputs: PropertyMap) => number>> = {
  "kms/key": (outputs) => Number(outputs.deletionWindowInDays ?? 30),
  "kms/replicaKey": (outputs) => Number(outputs.deletionWindowInDays ?? 30),
  "secretsmanager/secret": (outputs) => Number(outputs.recoveryWindowInDays ?? 30),
};

export function waitingPeriod(token: string, outputs: PropertyMap): number {
  return waitingDays[kindOf(token)]?.(outputs) ?? 0;
}

function kindOf(token: string): string {
  return token.split(":")[1] ?? "";
}

/** Whether anything can stand in the way of deleting such a resource: most types need no look at the database. */
export function canBeBlocked(token: string): boolean {
  return kindOf(token) in blockers;
}

/** Throws AWS's error when the resource can't be deleted yet. */
export async function assertDeletable(pool: pg.Pool, token: string, identity: string): Promise<void> {
  const blocker = blockers[kindOf(token)];
  if (!blocker) return;
  const { rows } = await pool.query<Row>({
    name: "sandbox-find-deletable",
    text: "select * from sandbox.resources where identity = $1",
    values: [identity],
  });
  const [row] = rows;
  if (!row || (blocker.unless !== undefined && row.outputs[blocker.unless] === true)) return;
  if (await isBlocked(pool, blocker, row)) throw new AwsError(blocker.code, blocker.message(row));
}

async function isBlocked(pool: pg.Pool, blocker: Blocker, row: Row): Promise<boolean> {
  if (blocker.when?.(row.outputs)) return true;
  if (blocker.byContents && row.contents > 0) return true;
  if (blocker.byModelPackages && (await hasModelPackages(pool, row))) return true;
  if (blocker.byExecutions && (await hasExecutions(pool, row))) return true;
  if (blocker.byJobs && (await hasJobs(pool, blocker.byJobs, row))) return true;
  if (blocker.running && (await isRunning(pool, blocker.running, row))) return true;
  if (blocker.namedIn && (await isNamed(pool, blocker.namedIn, row))) return true;
  return blocker.dependents !== undefined && (await hasDependents(pool, blocker.dependents, row));
}

async function hasModelPackages(pool: pg.Pool, row: Row): Promise<boolean> {
  const { rows } = await pool.query(
    "select 1 from sandbox.model_packages where account = $1 and region = $2 and group_name = $3 limit 1",
    [row.account, row.region, row.aws_id],
  );
  return rows.length > 0;
}

async function hasExecutions(pool: pg.Pool, row: Row): Promise<boolean> {
  const { rows } = await pool.query(
    `select 1 from sandbox.pipeline_executions
     where account = $1 and region = $2 and pipeline_name = $3 and status in ('Executing', 'Stopping') limit 1`,
    [row.account, row.region, row.aws_id],
  );
  return rows.length > 0;
}

/** Their network interfaces are there as long as they run. */
async function hasJobs(pool: pg.Pool, place: NonNullable<Blocker["byJobs"]>, row: Row): Promise<boolean> {
  const { rows } = await pool.query(
    `select 1 from sandbox.processing_jobs
     where account = $1 and region = $2 and status in ('InProgress', 'Stopping')
       and details #> array['NetworkConfig', 'VpcConfig', $3] ? $4 limit 1`,
    [row.account, row.region, place, row.aws_id],
  );
  return rows.length > 0;
}

async function hasDependents(
  pool: pg.Pool,
  dependents: readonly (readonly [string, string])[],
  row: Row,
): Promise<boolean> {
  const references = [row.aws_id, row.arn, row.name].filter((value) => value !== null);
  const { rows } = await pool.query({
    name: "sandbox-has-dependents",
    text: `select 1 from sandbox.resources x
      join unnest($2::text[], $3::text[]) as d (type, property) on x.type = d.type
      where x.account = $1 and x.identity <> $5 and exists (
        select from jsonb_path_query(x.outputs, ('$.' || d.property || '[*]')::jsonpath) as found (value)
        where found.value = any (select to_jsonb(r) from unnest($4::text[]) as r)
      )
      limit 1`,
    values: [
      row.account,
      dependents.map(([type]) => type),
      dependents.map(([, property]) => property),
      references,
      row.identity,
    ],
  });
  return rows.length > 0;
}

async function isRunning(
  pool: pg.Pool,
  [type, property]: readonly [string, string],
  row: Row,
): Promise<boolean> {
  const { rows } = await pool.query({
    name: "sandbox-is-running",
    text: `select 1 from sandbox.resources
      where type = $1 and account = $2 and region = $3 and outputs->>$4 = 'true' limit 1`,
    values: [type, row.account, row.region, property],
  });
  return rows.length > 0;
}

async function isNamed(
  pool: pg.Pool,
  [type, property]: readonly [string, string],
  row: Row,
): Promise<boolean> {
  const { rows } = await pool.query<{ text: string }>({
    name: "sandbox-is-named",
    text: `select outputs->>$4 as text from sandbox.resources
      where type = $1 and account = $2 and region = $3 and identity <> $5`,
    values: [type, row.account, row.region, property, row.identity],
  });
  const names = [row.name, row.arn].filter((name) => name !== null);
  return rows.some(({ text }) =>
    names.some((name) => text.includes(`(${name})`) || text.includes(`"${name}"`)),
  );
}
