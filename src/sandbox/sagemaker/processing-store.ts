import type pg from "pg";
import type { Caller } from "../aws-json-routes.ts";
import type { PageRequest } from "./input.ts";
import { listPage, type Stoppable } from "./store.ts";

export const JOBS: Stoppable = { table: "sandbox.processing_jobs", running: "InProgress" };

export interface ProcessingJob {
  readonly arn: string;
  readonly number: number;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly status: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** False where the name was given before, whatever became of that job. */
export async function insertJob(
  pool: pg.Pool,
  {
    arn,
    account,
    region,
    name,
    details,
  }: Pick<ProcessingJob, "arn" | "account" | "region" | "name" | "details">,
): Promise<boolean> {
  const inserted = await pool.query(
    `insert into sandbox.processing_jobs (arn, account, region, name, status, details)
     values ($1, $2, $3, $4, 'InProgress', $5) on conflict do nothing`,
    [arn, account, region, name, JSON.stringify(details)],
  );
  return inserted.rowCount === 1;
}

export async function listJobs(
  pool: pg.Pool,
  caller: Caller,
  {
    nameContains,
    status,
  }: { readonly nameContains: string | undefined; readonly status: string | undefined },
  page: PageRequest,
) {
  return listPage<ProcessingJob>(
    pool,
    JOBS.table,
    `($1::text is null or account = $1) and ($2::text is null or region = $2)
     and ($3::text is null or position(lower($3) in lower(name)) > 0) and ($4::text is null or status = $4)`,
    [caller.account, caller.region, nameContains ?? null, status ?? null],
    page,
  );
}

export async function findJob(
  pool: pg.Pool,
  caller: Caller,
  name: string,
): Promise<ProcessingJob | undefined> {
  const { rows } = await pool.query<ProcessingJob>(
    `select * from sandbox.processing_jobs
     where name = $1 and ($2::text is null or account = $2) and ($3::text is null or region = $3)
     order by number limit 1`,
    [name, caller.account, caller.region],
  );
  return rows[0];
}
