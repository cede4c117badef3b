import type pg from "pg";
import type { AuditFact, InventoryItem, OperationFact, PipelineFact, StackRow } from "./facts.ts";

/** What AWS would say it has; a key or secret whose deletion is scheduled is gone. */
export async function readInventory(pool: pg.Pool): Promise<InventoryItem[]> {
  const { rows } = await pool.query<Omit<InventoryItem, "owner"> & { owner: string | null }>(
    `select r.type, r.account, r.aws_id as "awsId", r.inputs,
       nullif(concat_ws('/', r.outputs->'tagsAll'->>'aidlc:team', r.outputs->'tagsAll'->>'aidlc:pipeline'), '') as owner
     from sandbox.resources r where r.deletion_due_at is null order by r.number`,
  );
  return rows.map((row) => ({ ...row, owner: row.owner ?? undefined }));
}

export async function readStackRows(pool: pg.Pool): Promise<StackRow[]> {
  const { rows } = await pool.query<StackRow>(
    `select s.project || '/' || s.name as stack, s.initialized,
       coalesce(jsonb_agg(jsonb_build_object('urn', r.urn, 'awsId', r.aws_id)) filter (where r.type like 'aws:%'), '[]') as resources
     from stacks s left join resources r on r.stack_id = s.id group by s.id order by stack`,
  );
  return rows;
}

export async function readOperations(pool: pg.Pool): Promise<OperationFact[]> {
  const { rows } = await pool.query<OperationFact>(
    `select o.id, o.kind, o.state, s.project || '/' || s.name as stack, o.started_at is not null as "wasStarted",
       o.lane = 'changes' as "changesStack", coalesce((to_jsonb(o)->>'attempt')::int, 1) as attempt, o.revision,
       o.error->>'code' as "errorCode", o.error->>'message' as "errorMessage",
       case when o.kind = 'drift' then coalesce(jsonb_path_query_array(o.result, '$.steps[*].name'), '[]') else '[]' end as drifted,
       (select jsonb_build_object('count', count(*), 'lowest', coalesce(min(sequence), 0), 'highest', coalesce(max(sequence), 0))
        from operation_events where operation_id = o.id) as events
     from operations o join stacks s on s.id = o.stack_id order by o.created_at, o.id`,
  );
  return rows;
}

export async function readPipelines(pool: pg.Pool): Promise<PipelineFact[]> {
  const { rows } = await pool.query<PipelineFact>(
    `select p.team || '/' || p.name as pipeline, s.project || '/' || s.name as stack, p.deleted_at is not null as "isDeleted",
       p.applied_revision as "appliedRevision"
     from pipelines p join stacks s on s.id = p.stack_id order by p.created_at`,
  );
  return rows;
}

export async function readAuditEntries(pool: pg.Pool): Promise<AuditFact["entries"]> {
  const { rows } = await pool.query<AuditFact["entries"][number]>(
    `select action, target, after->>'operation' as operation from audit_entries where outcome = 'changed' order by sequence`,
  );
  return rows;
}
