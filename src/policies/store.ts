import type { Queryable } from "../postgres/pool.ts";

export interface StoredException {
  readonly policy: string;
  readonly resource: string | null;
  readonly reason: string;
  readonly approvedBy: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `policy, resource, reason, approved_by as "approvedBy", expires_at as "expiresAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

export async function listExceptions(db: Queryable, pipelineId: string): Promise<StoredException[]> {
  const found = await db.query<StoredException>(
    `select ${columns} from policy_exceptions where pipeline_id = $1 order by policy`,
    [pipelineId],
  );
  return found.rows;
}

export async function findException(
  db: Queryable,
  pipelineId: string,
  policy: string,
): Promise<StoredException | undefined> {
  const found = await db.query<StoredException>(
    `select ${columns} from policy_exceptions where pipeline_id = $1 and policy = $2`,
    [pipelineId, policy],
  );
  return found.rows[0];
}

/** The subjects that asked for a pipeline to be brought to this revision. */
export async function requestersOf(db: Queryable, pipelineId: string, revision: number): Promise<string[]> {
  const found = await db.query<{ subject: string }>(
    // What a key asks for, whoever made the key asks for.
    `with recursive requesters(subject) as (
       select requested_by from operations
       where pipeline_id = $1 and revision = $2 and kind = 'update' and requested_by is not null
       union
       select created_by from requesters join api_keys on subject = 'key:' || id)
     select subject from requesters`,
    [pipelineId, revision],
  );
  return found.rows.map(({ subject }) => subject);
}

export type NewException = Pick<
  StoredException,
  "policy" | "resource" | "reason" | "approvedBy" | "expiresAt"
>;

/** Grants an exception or puts another in its place; granting the same again changes nothing. */
export async function putException(
  db: Queryable,
  pipelineId: string,
  { policy, resource, reason, approvedBy, expiresAt }: NewException,
): Promise<{ exception: StoredException; created: boolean }> {
  const put = await db.query<StoredException & { created: boolean }>(
    `insert into policy_exceptions as e (pipeline_id, policy, resource, reason, approved_by, expires_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (pipeline_id, policy) do update set
       resource = excluded.resource, reason = excluded.reason, approved_by = excluded.approved_by,
       expires_at = excluded.expires_at,
       updated_at = case
         when (e.resource, e.reason, e.approved_by, e.expires_at)
           is distinct from (excluded.resource, excluded.reason, excluded.approved_by, excluded.expires_at)
         then now() else e.updated_at end
     -- Only a row that this statement inserted has never been locked or deleted by another.
     returning ${columns}, e.xmax = 0 as created`,
    [pipelineId, policy, resource, reason, approvedBy, expiresAt],
  );
  const { created, ...exception } = put.rows[0] as StoredException & { created: boolean };
  return { exception, created };
}

/** Takes an exception back; idempotent. */
export async function deleteException(db: Queryable, pipelineId: string, policy: string): Promise<void> {
  await db.query("delete from policy_exceptions where pipeline_id = $1 and policy = $2", [
    pipelineId,
    policy,
  ]);
}
