import type { Queryable } from "../postgres/pool.ts";
import type { IgnoreRule } from "./holding.ts";

export interface StoredRule extends IgnoreRule {
  readonly reason: string;
  readonly owner: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `id, resource, path, reason, owner, expires_at as "expiresAt", created_by as "createdBy",
  created_at as "createdAt", updated_at as "updatedAt"`;

export async function listRules(db: Queryable, pipelineId: string): Promise<StoredRule[]> {
  const found = await db.query<StoredRule>(
    `select ${columns} from drift_rules where pipeline_id = $1 order by id`,
    [pipelineId],
  );
  return found.rows;
}

export async function findRule(
  db: Queryable,
  pipelineId: string,
  id: string,
): Promise<StoredRule | undefined> {
  const found = await db.query<StoredRule>(
    `select ${columns} from drift_rules where pipeline_id = $1 and id = $2`,
    [pipelineId, id],
  );
  return found.rows[0];
}

export type NewRule = Omit<StoredRule, "createdAt" | "updatedAt">;

/** Makes a rule or puts another in its place; the same again changes nothing. */
export async function putRule(
  db: Queryable,
  pipelineId: string,
  rule: NewRule,
): Promise<{ rule: StoredRule; created: boolean }> {
  const put = await db.query<StoredRule & { created: boolean }>(
    `insert into drift_rules as r (pipeline_id, id, resource, path, reason, owner, expires_at, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (pipeline_id, id) do update set
       resource = excluded.resource, path = excluded.path, reason = excluded.reason, owner = excluded.owner,
       expires_at = excluded.expires_at, created_by = excluded.created_by,
       updated_at = case
         when (r.resource, r.path, r.reason, r.owner, r.expires_at)
           is distinct from (excluded.resource, excluded.path, excluded.reason, excluded.owner, excluded.expires_at)
         then now() else r.updated_at end
     -- Only a row that this statement inserted has never been locked or deleted by another.
     returning ${columns}, r.xmax = 0 as created`,
    [pipelineId, rule.id, rule.resource, rule.path, rule.reason, rule.owner, rule.expiresAt, rule.createdBy],
  );
  const { created, ...stored } = put.rows[0] as StoredRule & { created: boolean };
  return { rule: stored, created };
}

/** Idempotent. */
export async function deleteRule(db: Queryable, pipelineId: string, id: string): Promise<void> {
  await db.query("delete from drift_rules where pipeline_id = $1 and id = $2", [pipelineId, id]);
}
