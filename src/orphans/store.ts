import { TAG } from "../../programs/tags.ts";
import { foundationProject } from "../accounts/store.ts";
import type { TaggedResource } from "../aws/tagged-resources.ts";
import { pipelineProject } from "../pipelines/store.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import { madeBeside } from "./kinds.ts";

/** Where a sweep looks. */
export interface Place {
  readonly awsAccountId: string;
  readonly region: string;
}

/** Each AWS account and region that a team registered, with a registration by which it can be looked into. */
export async function placesToSweep(
  db: Queryable,
): Promise<(Place & { readonly team: string; readonly account: string })[]> {
  const { rows } = await db.query<{ aws_account_id: string; region: string; team: string; account: string }>(
    `select distinct on (aws_account_id, region) aws_account_id, region, team, name as account
     from accounts order by aws_account_id, region, created_at, team, name`,
  );
  return rows.map(({ aws_account_id: awsAccountId, ...row }) => ({ ...row, awsAccountId }));
}

/**
 * Of resources that bear our tags, those that no stack knows. What belongs to a stack that is being changed is left out, for its
 * resources aren't recorded before the end; so is what a living pipeline's releases and jobs make.
 */
export async function unknownToStacks(
  db: Queryable,
  tagged: readonly TaggedResource[],
): Promise<TaggedResource[]> {
  const asked = tagged.map(({ arn, tags }, position) => ({
    position,
    arn,
    // Ids of AWS end an ARN, where the provider tells no ARN.
    suffix: arn.slice(Math.max(arn.lastIndexOf("/"), arn.lastIndexOf(":")) + 1),
    beside: madeBeside(arn) ?? null,
    team: tags[TAG.team] ?? null,
    pipeline: tags[TAG.pipeline] ?? null,
    foundation: tags[TAG.foundation] ?? null,
  }));
  const { rows } = await db.query<{ position: number }>(
    `with asked as (
       select * from jsonb_to_recordset($1::jsonb) as a(position integer, arn text, suffix text, beside text, team text,
         pipeline text, foundation text))
     select a.position from asked a
     left join stacks s on (s.project, s.name) = (
       case when a.foundation is null then '${pipelineProject}' else '${foundationProject}' end,
       coalesce(a.foundation, a.team || '.' || a.pipeline))
     where not exists (select from resources r where r.outputs->>'arn' = a.arn)
       and not exists (select from resources r where r.stack_id = s.id and r.aws_id in (a.arn, a.suffix))
       and not exists (
         select from operations o where o.stack_id = s.id and o.state = 'running' and o.lane = 'changes')
       and not (a.beside is not null and exists (
         select from pipelines p where p.team = a.team and p.name = a.pipeline and p.deleted_at is null))
       and not (a.beside is not distinct from 'data' and exists (
         select from resources r where r.stack_id = s.id and r.type like 'aws:%'))
     order by a.position`,
    [toJsonb(asked)],
  );
  return rows.map(({ position }) => tagged[position] as TaggedResource);
}

/** Takes a whole sweep over: what it didn't find any more is an orphan no longer. */
export async function recordSweep(
  db: Queryable,
  { awsAccountId, region }: Place,
  { orphans, resources, now }: { orphans: readonly TaggedResource[]; resources: number; now: Date },
): Promise<void> {
  await db.query(
    `insert into orphans (aws_account_id, region, arn, team, pipeline, first_seen_at, last_seen_at)
     select $1, $2, o.arn, o.team, o.pipeline, $4, $4
     from jsonb_to_recordset($3::jsonb) as o(arn text, team text, pipeline text)
     on conflict (aws_account_id, region, arn) do update
       set last_seen_at = excluded.last_seen_at, team = excluded.team, pipeline = excluded.pipeline`,
    [
      awsAccountId,
      region,
      toJsonb(
        orphans.map(({ arn, tags }) => ({
          arn,
          team: tags[TAG.team] ?? null,
          pipeline: tags[TAG.pipeline] ?? null,
        })),
      ),
      now,
    ],
  );
  await db.query("delete from orphans where aws_account_id = $1 and region = $2 and last_seen_at <> $3", [
    awsAccountId,
    region,
    now,
  ]);
  await db.query(
    `insert into orphan_sweeps (aws_account_id, region, swept_at, tried_at, resources, error) values ($1, $2, $3, $3, $4, null)
     on conflict (aws_account_id, region) do update
       set swept_at = excluded.swept_at, tried_at = excluded.tried_at, resources = excluded.resources, error = null`,
    [awsAccountId, region, now, resources],
  );
}

/** What the last whole sweep found stays. */
export async function recordFailedSweep(
  db: Queryable,
  { awsAccountId, region }: Place,
  { error, now }: { readonly error: string; readonly now: Date },
): Promise<void> {
  await db.query(
    `insert into orphan_sweeps (aws_account_id, region, tried_at, error) values ($1, $2, $3, $4)
     on conflict (aws_account_id, region) do update set tried_at = excluded.tried_at, error = excluded.error`,
    [awsAccountId, region, now, error],
  );
}

export interface Orphan {
  readonly arn: string;
  readonly team: string | null;
  readonly pipeline: string | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

export interface Sweep extends Place {
  /** When everything there was last seen; null: never yet. */
  readonly sweptAt: Date | null;
  readonly resources: number | null;
  readonly error: string | null;
  readonly triedAt: Date;
  readonly orphans: readonly Orphan[];
}

/** By AWS account and region; one more than `limit` when there is a further page. */
export async function listSweeps(
  db: Queryable,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<Sweep[]> {
  const [afterAccount, afterRegion] = after ?? [null, null];
  const { rows } = await db.query<{
    aws_account_id: string;
    region: string;
    swept_at: Date | null;
    resources: number | null;
    error: string | null;
    tried_at: Date;
  }>(
    `select * from orphan_sweeps where $1::text is null or (aws_account_id, region) > ($1, $2)
     order by aws_account_id, region limit $3`,
    [afterAccount, afterRegion, limit + 1],
  );
  const orphans = await db.query<
    Omit<Orphan, "firstSeenAt" | "lastSeenAt"> & {
      place: string;
      first_seen_at: Date;
      last_seen_at: Date;
    }
  >(
    `select aws_account_id || '.' || region as place, arn, team, pipeline, first_seen_at, last_seen_at from orphans
     where aws_account_id || '.' || region = any ($1) order by first_seen_at, arn`,
    [rows.map((row) => `${row.aws_account_id}.${row.region}`)],
  );
  return rows.map((row) => ({
    awsAccountId: row.aws_account_id,
    region: row.region,
    sweptAt: row.swept_at,
    resources: row.resources,
    error: row.error,
    triedAt: row.tried_at,
    orphans: orphans.rows
      .filter(({ place }) => place === `${row.aws_account_id}.${row.region}`)
      .map(({ arn, team, pipeline, first_seen_at: firstSeenAt, last_seen_at: lastSeenAt }) => ({
        arn,
        team,
        pipeline,
        firstSeenAt,
        lastSeenAt,
      })),
  }));
}
