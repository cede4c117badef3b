import { mergeProfiles, type Profile, parseProfile } from "../../handlers/dataset/profile.ts";
import type { Validation } from "../../handlers/dataset/validate-data.ts";
import type { Verdict } from "../../handlers/dataset/verdict.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";

export const ingestionStates = ["received", "accepted", "quarantined", "failed"] as const;
export type IngestionState = (typeof ingestionStates)[number];

/** A file that a pipeline of the sandbox was given. */
export interface Ingestion {
  readonly id: string;
  /** In the order in which they came. */
  readonly number: number;
  readonly pipelineId: string;
  readonly name: string;
  readonly state: IngestionState;
  readonly bytes: number;
  readonly verdict: Verdict | null;
  /** Why it could not be validated. */
  readonly failure: string | null;
  readonly receivedAt: Date;
  readonly validatedAt: Date | null;
}

interface Row extends Omit<Ingestion, "bytes"> {
  readonly bytes: string;
}

const columns = `id, number, pipeline_id as "pipelineId", name, state, bytes, verdict, failure,
  received_at as "receivedAt", validated_at as "validatedAt"`;

const fromRow = ({ bytes, ...row }: Row): Ingestion => ({ ...row, bytes: Number(bytes) });

export async function insertIngestion(
  db: Queryable,
  { id, pipelineId, name, bytes }: Pick<Ingestion, "id" | "pipelineId" | "name" | "bytes">,
): Promise<Ingestion> {
  const { rows } = await db.query<Row>(
    `insert into ingestions (id, pipeline_id, name, bytes) values ($1, $2, $3, $4) returning ${columns}`,
    [id, pipelineId, name, bytes],
  );
  return fromRow(rows[0] as Row);
}

export async function findIngestion(db: Queryable, id: string): Promise<Ingestion | undefined> {
  const { rows } = await db.query<Row>(`select ${columns} from ingestions where id = $1`, [id]);
  return rows[0] && fromRow(rows[0]);
}

/** Newest first, from before this number; one more than `limit`. */
export async function listIngestions(
  db: Queryable,
  pipelineId: string,
  { before, limit }: { readonly before: number | undefined; readonly limit: number },
): Promise<Ingestion[]> {
  const { rows } = await db.query<Row>(
    `select ${columns} from ingestions where pipeline_id = $1 and number < $2 order by number desc limit $3`,
    [pipelineId, before ?? 2_147_483_647, limit + 1],
  );
  return rows.map(fromRow);
}

export async function countIngestions(
  db: Queryable,
  pipelineId: string,
): Promise<Partial<Record<IngestionState, number>>> {
  const { rows } = await db.query<{ state: IngestionState; count: string }>(
    "select state, count(*) from ingestions where pipeline_id = $1 group by state",
    [pipelineId],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

export async function readBaseline(
  db: Queryable,
  pipelineId: string,
  schemaDigest: string,
): Promise<{ readonly version: string; readonly profile: Profile } | undefined> {
  const { rows } = await db.query<{ version: number; profile: unknown }>(
    "select version, profile from ingestion_baselines where pipeline_id = $1 and schema_digest = $2",
    [pipelineId, schemaDigest],
  );
  const profile = rows[0] && parseProfile(rows[0].profile);
  return profile && { version: String(rows[0]?.version), profile };
}

/**
 * Records what a validation came to, once, in a transaction of the caller's; what was accepted becomes part of the baseline. Idempotent:
 * a file that has its verdict keeps it.
 */
export async function recordVerdict(
  db: Queryable,
  { id, pipelineId }: Pick<Ingestion, "id" | "pipelineId">,
  { verdict, profile }: Validation,
): Promise<void> {
  const { rowCount } = await db.query(
    `update ingestions set state = $2, verdict = $3, validated_at = now() where id = $1 and state = 'received'`,
    [id, verdict.outcome, toJsonb(verdict)],
  );
  if (rowCount === 0 || profile === undefined) return;
  // The first of a pipeline, too, has a row to hold while the profiles are merged.
  await db.query(
    `insert into ingestion_baselines (pipeline_id, version, schema_digest, profile) values ($1, 0, $2, 'null')
     on conflict (pipeline_id) do nothing`,
    [pipelineId, verdict.schemaDigest],
  );
  const { rows } = await db.query<{ profile: unknown; schema_digest: string }>(
    "select profile, schema_digest from ingestion_baselines where pipeline_id = $1 for update",
    [pipelineId],
  );
  const before = rows[0]?.schema_digest === verdict.schemaDigest ? parseProfile(rows[0].profile) : undefined;
  await db.query(
    `update ingestion_baselines set version = version + 1, schema_digest = $2, profile = $3 where pipeline_id = $1`,
    [
      pipelineId,
      verdict.schemaDigest,
      toJsonb(before === undefined ? profile : mergeProfiles(before, profile)),
    ],
  );
}

export async function recordFailure(db: Queryable, id: string, failure: string): Promise<void> {
  await db.query(
    "update ingestions set state = 'failed', failure = $2, validated_at = now() where id = $1 and state = 'received'",
    [id, failure],
  );
}

/** Whether a pipeline of this name was there, is no more, and left no bucket in its stack: who retains data wants the files, too. */
export async function isGone(db: Queryable, team: string, name: string): Promise<boolean> {
  const { rows } = await db.query<{ gone: boolean }>(
    `select bool_and(p.deleted_at is not null and not exists (
       select from resources r where r.stack_id = p.stack_id and r.type = 'aws:s3/bucket:Bucket')) as gone
     from pipelines p where p.team = $1 and p.name = $2`,
    [team, name],
  );
  return rows[0]?.gone === true;
}
