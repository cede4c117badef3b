import { AppError } from "../errors.ts";
import type { OperationKind } from "../operations/states.ts";
import type { Queryable } from "../postgres/pool.ts";

/** What a team may have. */
export interface TeamLimits {
  readonly pipelines: number;
  /** From midnight to midnight, UTC. Destroys don't count. */
  readonly operationsPerDay: number;
  /** Of each lane, on all nodes together. */
  readonly operationsAtOnce: number;
  /** Resources of AWS in the stacks of its pipelines. */
  readonly resources: number;
}

export const maxTeamLimit = 1_000_000;

export interface Quota {
  readonly limits: TeamLimits & OwnBudget;
  readonly use: TeamLimits & Required<OwnBudget>;
  /** The limits that are the team's own; the others are the service's. */
  readonly own: Partial<TeamLimits> & OwnBudget;
}

/** What a team's pipelines may cost a month by their specs before somebody has to approve of more; absent: as much as they like. */
export interface OwnBudget {
  readonly monthlyUsd?: number;
}

/** What a team's pipelines would cost a month by their desired specs, and what they may. */
export interface TeamBudget {
  /** Undefined: nobody has said. */
  readonly limitUsd: number | undefined;
  readonly totalUsd: number;
}

/**
 * Sets, on every node, what teams may have that have no limits of their own, and how many operations of each lane run at once in one
 * account of AWS.
 */
export async function setDefaultLimits(
  db: Queryable,
  limits: TeamLimits,
  accountOperationsAtOnce: number,
): Promise<void> {
  await db.query(
    `update quota_defaults set pipelines = $1, operations_per_day = $2, operations_at_once = $3, resources = $4,
       account_operations_at_once = $5`,
    [
      limits.pipelines,
      limits.operationsPerDay,
      limits.operationsAtOnce,
      limits.resources,
      accountOperationsAtOnce,
    ],
  );
}

/** Gives a team limits of its own; what is left out is the service's again. */
export async function setTeamLimits(
  db: Queryable,
  team: string,
  { pipelines, operationsPerDay, operationsAtOnce, resources, monthlyUsd }: Quota["own"],
): Promise<void> {
  await db.query(
    `insert into team_quotas (team, pipelines, operations_per_day, operations_at_once, resources, monthly_usd)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (team) do update set pipelines = excluded.pipelines,
       operations_per_day = excluded.operations_per_day, operations_at_once = excluded.operations_at_once,
       resources = excluded.resources, monthly_usd = excluded.monthly_usd`,
    [team, pipelines, operationsPerDay, operationsAtOnce, resources, monthlyUsd].map(
      (value) => value ?? null,
    ),
  );
}

export async function readQuota(db: Queryable, team: string): Promise<Quota> {
  const limits = await limitsOf(db, team);
  const own = await ownLimits(db, team);
  const pipelines = await countPipelines(db, team);
  const operationsPerDay = await countOperations(db, team);
  const operationsAtOnce = await countRunning(db, team);
  const resources = await countResources(db, team);
  const { limitUsd, totalUsd: monthlyUsd } = await budgetOf(db, team);
  return {
    limits: { ...limits, ...(limitUsd === undefined ? {} : { monthlyUsd: limitUsd }) },
    own,
    use: { pipelines, operationsPerDay, operationsAtOnce, resources, monthlyUsd },
  };
}

export async function budgetOf(db: Queryable, team: string): Promise<TeamBudget> {
  const found = await db.query<{ total: number | null; limit: number | null }>(
    `select (select sum((r.spec #>> '{budget,monthlyUsd}')::double precision)
         from pipelines p join revisions r on r.pipeline_id = p.id and r.number = p.desired_revision
         where p.team = $1 and p.deleted_at is null) as total,
       (select monthly_usd from team_quotas where team = $1) as limit`,
    [team],
  );
  const row = found.rows[0];
  return { limitUsd: row?.limit ?? undefined, totalUsd: row?.total ?? 0 };
}

/**
 * Throws `quota_exceeded` when a team may have no further pipeline. Until the transaction has ended nobody else can create
 * anything for the team.
 */
export async function admitPipeline(db: Queryable, team: string): Promise<void> {
  await lockQuota(db, team);
  const limits = await limitsOf(db, team);
  const pipelines = await countPipelines(db, team);
  if (pipelines >= limits.pipelines) {
    throw exceeded(team, `has ${pipelines} pipelines of ${limits.pipelines}: delete one`);
  }
  const resources = await countResources(db, team);
  if (resources >= limits.resources) {
    throw exceeded(team, `has ${resources} resources of ${limits.resources}: delete a pipeline`);
  }
}

const lastMidnight = "(date_trunc('day', statement_timestamp() at time zone 'UTC') at time zone 'UTC')";

// An end frees what a quota is about, and a way back must be open at any time.
const uncounted: readonly string[] = ["destroy", "rollback"];

/** Throws `quota_exceeded` when a team may have no further operation of this kind today; locks like `admitPipeline`. */
export async function admitOperation(db: Queryable, team: string, kind: OperationKind): Promise<void> {
  if (uncounted.includes(kind)) return;
  await lockQuota(db, team);
  const { operationsPerDay } = await limitsOf(db, team);
  const operations = await countOperations(db, team);
  if (operations < operationsPerDay) return;
  const waited = await db.query<{ seconds: number }>(
    `select ceil(extract(epoch from ${lastMidnight} + interval '1 day' - statement_timestamp()))::integer as seconds`,
  );
  const { seconds } = waited.rows[0] as { seconds: number };
  throw exceeded(
    team,
    `has had ${operations} operations of ${operationsPerDay} today: wait for midnight UTC`,
    seconds,
  );
}

function exceeded(team: string, what: string, retryAfterSeconds?: number): AppError {
  return new AppError(
    "quota_exceeded",
    `Team "${team}" ${what}, or ask an administrator for more (PUT /v1/teams/${team}/quota)`,
    { details: retryAfterSeconds === undefined ? {} : { retryAfterSeconds } },
  );
}

// The update that changes nothing locks the row.
async function lockQuota(db: Queryable, team: string): Promise<void> {
  await db.query(
    "insert into team_quotas (team) values ($1) on conflict (team) do update set team = excluded.team",
    [team],
  );
}

async function limitsOf(db: Queryable, team: string): Promise<TeamLimits> {
  const found = await db.query<TeamLimits>(
    `select coalesce(q.pipelines, d.pipelines) as pipelines,
       coalesce(q.operations_per_day, d.operations_per_day) as "operationsPerDay",
       coalesce(q.operations_at_once, d.operations_at_once) as "operationsAtOnce",
       coalesce(q.resources, d.resources) as resources
     from quota_defaults d left join team_quotas q on q.team = $1`,
    [team],
  );
  return found.rows[0] as TeamLimits;
}

async function ownLimits(db: Queryable, team: string): Promise<Quota["own"]> {
  const found = await db.query<{ own: Quota["own"] }>(
    `select jsonb_strip_nulls(jsonb_build_object('pipelines', pipelines, 'operationsPerDay', operations_per_day,
       'operationsAtOnce', operations_at_once, 'resources', resources, 'monthlyUsd', monthly_usd)) as own from team_quotas where team = $1`,
    [team],
  );
  return found.rows[0]?.own ?? {};
}

function countPipelines(db: Queryable, team: string): Promise<number> {
  return count(db, "select count(*) as count from pipelines where team = $1 and deleted_at is null", [team]);
}

function countOperations(db: Queryable, team: string): Promise<number> {
  return count(
    db,
    `select count(*) as count from operations
     where team = $1 and kind <> all ($2) and created_at >= ${lastMidnight}`,
    [team, uncounted],
  );
}

/** In the lane where more of them run. */
function countRunning(db: Queryable, team: string): Promise<number> {
  return count(
    db,
    `select coalesce(max(running), 0) as count from (
       select count(*) as running from operations where team = $1 and state = 'running' group by lane) lanes`,
    [team],
  );
}

function countResources(db: Queryable, team: string): Promise<number> {
  return count(
    db,
    `select count(*) as count from pipelines p join resources r on r.stack_id = p.stack_id
     where p.team = $1 and p.deleted_at is null and r.type like 'aws:%'`,
    [team],
  );
}

async function count(db: Queryable, query: string, values: unknown[]): Promise<number> {
  const found = await db.query<{ count: number }>(query, values);
  return (found.rows[0] as { count: number }).count;
}
