import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type pg from "pg";
import { parse } from "yaml";
import { newKey } from "../../../src/access/key-format.ts";
import { digestOf } from "../../../src/digest.ts";
import { parseSpec } from "../../../src/pipelines/spec.ts";
import { openPool } from "../../../src/postgres/pool.ts";

export interface FleetSize {
  readonly teams: number;
  readonly pipelinesPerTeam: number;
}

/** A key with the role `viewer` in one team. */
export interface TeamKey {
  readonly team: string;
  readonly token: string;
}

const account = { accountId: "210987654321", region: "eu-central-1" };
const resourcesPerPipeline = 60;
const example = new URL("../../../examples/penguins.yaml", import.meta.url);

/** A hundred events for each pipeline: those of its creation, of an update since, and of five drift checks. */
const operationsOfPipeline = [
  { kind: "update", daysAgo: 30, events: 60 },
  { kind: "update", daysAgo: 12, events: 30 },
  ...[5, 4, 3, 2, 1].map((daysAgo) => ({ kind: "drift", daysAgo, events: 2 })),
];
export const eventsPerPipeline = operationsOfPipeline.reduce((sum, { events }) => sum + events, 0);

/**
 * Fills a migrated database with teams whose pipelines were provisioned, updated once and checked for drift daily, and returns a
 * key for each of `readers` people, who are spread over the teams. Every tenth pipeline has drifted.
 */
export async function seedFleet(databaseUrl: string, size: FleetSize, readers: number): Promise<TeamKey[]> {
  const pool = openPool(databaseUrl, 1);
  try {
    await insertTeams(pool, size);
    await insertPipelines(pool, size);
    await insertResources(pool);
    await insertOperations(pool);
    await insertEvents(pool);
    const keys = await insertKeys(pool, size, readers);
    // What autovacuum has done for a database that was not filled a moment ago.
    await pool.query("vacuum analyze");
    return keys;
  } finally {
    await pool.end();
  }
}

/** Registers pipelines of a team with an account `main` that were never applied, so that there are `to` of them instead of `from`. */
export async function registerIdle(
  databaseUrl: string,
  team: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const spec = parseSpec(parse(await readFile(example, "utf8")));
  const pool = openPool(databaseUrl, 1);
  await pool.query(
    `with named as (select 'idle-' || lpad(n::text, 4, '0') as name from generate_series($2::int + 1, $3::int) n),
     stack as (insert into stacks (project, name) select 'aidlc-pipeline', $1 || '.' || name from named returning id, name),
     pipeline as (
       insert into pipelines (team, name, account, stack_id, desired_revision)
       select $1, split_part(name, '.', 2), 'main', id, 1 from stack returning id)
     insert into revisions (pipeline_id, number, spec, digest) select id, 1, $4, $5 from pipeline`,
    [team, from, to, JSON.stringify(spec), digestOf(spec)],
  );
  await pool.end();
}

export function teamName(number: number): string {
  return `fleet-${String(number).padStart(3, "0")}`;
}

export function pipelineName(number: number): string {
  return `pipeline-${String(number).padStart(4, "0")}`;
}

const teamNameSql = "'fleet-' || lpad(t::text, 3, '0')";
const pipelineNameSql = "'pipeline-' || lpad(n::text, 4, '0')";

async function insertTeams(pool: pg.Pool, { teams }: FleetSize): Promise<void> {
  await pool.query(
    `insert into teams (name, display_name, created_at)
     select ${teamNameSql}, 'Fleet ' || t, now() - interval '60 days' from generate_series(1, $1) t`,
    [teams],
  );
  await pool.query(
    `with stack as (insert into stacks (project, name, initialized) values ('aidlc-foundation', $1 || '.' || $2, true) returning id)
     insert into foundations (aws_account_id, region, stack_id, ready) select $1, $2, id, true from stack`,
    [account.accountId, account.region],
  );
  await pool.query(
    `insert into accounts (team, name, aws_account_id, region)
     select ${teamNameSql}, 'main', $2, $3 from generate_series(1, $1) t`,
    [teams, account.accountId, account.region],
  );
}

async function insertPipelines(pool: pg.Pool, { teams, pipelinesPerTeam }: FleetSize): Promise<void> {
  const spec = parseSpec(parse(await readFile(example, "utf8")));
  await pool.query(
    `insert into stacks (project, name, initialized, outputs, outputs_recorded_at)
     select 'aidlc-pipeline', ${teamNameSql} || '.' || ${pipelineNameSql}, true,
       jsonb_build_object('accountId', $3::text, 'region', $4::text, 'dashboard', repeat(md5(n::text), 40)), now() - interval '12 days'
     from generate_series(1, $1) t, generate_series(1, $2) n`,
    [teams, pipelinesPerTeam, account.accountId, account.region],
  );
  await pool.query(
    `insert into pipelines (team, name, account, stack_id, desired_revision, applied_revision, created_at, updated_at)
     select split_part(name, '.', 1), split_part(name, '.', 2), 'main', id, 2, 2,
       now() - interval '30 days', now() - interval '12 days'
     from stacks where project = 'aidlc-pipeline'`,
  );
  await pool.query(
    `insert into revisions (pipeline_id, number, spec, digest, created_at)
     select id, number, $1, $2, created_at from pipelines, generate_series(1, 2) number`,
    [JSON.stringify(spec), digestOf(spec)],
  );
}

async function insertResources(pool: pg.Pool): Promise<void> {
  await pool.query(
    `insert into resources (stack_id, urn, position, type, name, aws_id, phase, dependencies, inputs, outputs)
     select id, 'urn:pulumi:' || name || '::aidlc-pipeline::aws:s3/bucket:Bucket::resource-' || r, r, 'aws:s3/bucket:Bucket',
       'resource-' || r, name || '-' || r,
       (array['architecture', 'infrastructure', 'deployment', 'learning', 'compliance'])[1 + r % 5], '{}',
       jsonb_build_object('bucket', name || '-' || r), jsonb_build_object('id', name || '-' || r, 'region', $2::text)
     from stacks, generate_series(1, $1) r where project = 'aidlc-pipeline' order by id, r`,
    [resourcesPerPipeline, account.region],
  );
}

async function insertOperations(pool: pg.Pool): Promise<void> {
  const step = {
    action: "update",
    urn: "urn:pulumi:fleet::aidlc-pipeline::aws:s3/bucket:Bucket::resource-1",
    type: "aws:s3/bucket:Bucket",
    name: "resource-1",
    phase: "infrastructure",
    changes: [{ path: "tags.team", kind: "update", before: "fleet", after: "nobody" }],
  };
  const drifted = { changes: { update: 1, same: 59 }, steps: [step] };
  const clean = { changes: { same: 60 }, steps: [] };
  for (const { kind, daysAgo } of operationsOfPipeline) {
    const results =
      kind === "drift" ? [drifted, clean] : [{ changes: { create: 60 } }, { changes: { update: 9 } }];
    await pool.query(
      `insert into operations (id, kind, state, stack_id, team, pipeline, pipeline_id, revision, request_id, requested_by,
         created_at, started_at, finished_at, result)
       select gen_random_uuid(), $1, 'succeeded', stack_id, team, name, id, 2, gen_random_uuid()::text, 'user:ada@example.com',
         at, at + interval '1 second', at + interval '30 seconds', case when name like '%0' then $3::jsonb else $4::jsonb end
       from (select *, now() - make_interval(days => $2, secs => row_number() over (order by name, team)) as at from pipelines) p`,
      [kind, daysAgo, JSON.stringify(results[0]), JSON.stringify(results[1])],
    );
  }
}

async function insertEvents(pool: pg.Pool): Promise<void> {
  for (const { kind, daysAgo, events } of operationsOfPipeline) {
    await pool.query(
      `insert into operation_events (operation_id, sequence, at, type, phase, body)
       select id, e, started_at + make_interval(secs => e * 0.1), 'resource', 'infrastructure', jsonb_build_object(
         'status', 'done', 'action', 'create', 'urn', 'urn:pulumi:fleet::aidlc-pipeline::aws:s3/bucket:Bucket::resource-' || e,
         'resourceType', 'aws:s3/bucket:Bucket', 'name', 'resource-' || e, 'durationMs', 120)
       from operations, generate_series(1, $3) e
       where kind = $1 and created_at between now() - make_interval(days => $2 + 1) and now() - make_interval(days => $2)
       order by id, e`,
      [kind, daysAgo, events],
    );
  }
}

async function insertKeys(pool: pg.Pool, { teams }: FleetSize, readers: number): Promise<TeamKey[]> {
  const keys: TeamKey[] = [];
  for (let reader = 0; reader < readers; reader += 1) {
    const team = teamName(1 + (reader % teams));
    const id = randomUUID();
    const { text, prefix, digest } = newKey();
    await pool.query(
      `insert into api_keys (id, prefix, digest, name, team, created_by, expires_at)
       values ($1, $2, $3, 'a reader', $4, 'key:bench', now() + interval '1 day')`,
      [id, prefix, digest, team],
    );
    await pool.query(
      "insert into grants (subject, team, roles, granted_by) values ($1, $2, '{viewer}', 'key:bench')",
      [`key:${id}`, team],
    );
    keys.push({ team, token: text });
  }
  return keys;
}
