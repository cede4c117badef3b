import type { PipelineSpec } from "../../programs/spec.ts";
import type { Phase } from "../engine/phase.ts";
import type { PropertyChange } from "../engine/protocol.ts";
import { fromRow, type Operation, type OperationRow, operationColumns } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import { type SpecChange, specChanges } from "./spec-diff.ts";

/** What a change really did to one resource, however many steps of the engine and attempts it took. */
export interface ChangedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly phase?: Phase;
  readonly action: string;
  readonly result: "done" | "failed";
  readonly changes: readonly PropertyChange[];
}

/** An operation that changed a pipeline, or tried to. */
export interface HistoryEntry {
  readonly operation: Operation;
  /** The revision that was applied completely before it; null before the first. */
  readonly from: number | null;
  /** The earlier revision that its own restores. */
  readonly restores: number | null;
  readonly specChanges: readonly SpecChange[];
  readonly resources: readonly ChangedResource[];
  readonly key: readonly string[];
}

type HistoryRow = OperationRow & {
  key_time: string;
  from_revision: number | null;
  restores: number | null;
  before: PipelineSpec | null;
  after: PipelineSpec | null;
};

/** What began, the newest first; one row more than `limit` when there is a further page. */
export async function listHistory(
  db: Queryable,
  pipelineId: string,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<HistoryEntry[]> {
  const [afterTime, afterId] = after ?? [null, null];
  const { rows } = await db.query<HistoryRow>(
    `with page as (
       select ${operationColumns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key_time
       from operations
       where pipeline_id = $1 and lane = 'changes' and started_at is not null
         and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
       order by created_at desc, id desc limit $4)
     select page.*, previous.revision as from_revision, mine.restores, theirs.spec as before, mine.spec as after
     from page
     left join lateral (
       select revision from operations
       where pipeline_id = page.pipeline_id and kind in ('update', 'rollback') and state = 'succeeded'
         and (created_at, id) < (page.created_at, page.id)
       order by created_at desc, id desc limit 1) previous on page.kind in ('update', 'rollback')
     left join revisions mine
       on mine.pipeline_id = page.pipeline_id and mine.number = page.revision and page.kind in ('update', 'rollback')
     left join revisions theirs on theirs.pipeline_id = page.pipeline_id and theirs.number = previous.revision
     order by page.created_at desc, page.id desc`,
    [pipelineId, afterTime, afterId, limit + 1],
  );
  const changed = await changedResources(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({
    operation: fromRow(row),
    from: row.from_revision,
    restores: row.kind === "rollback" ? row.restores : null,
    specChanges: row.before === null || row.after === null ? [] : specChanges(row.before, row.after),
    resources: changed.get(row.id) ?? [],
    key: [row.key_time, row.id],
  }));
}

interface ChangedRow {
  operation_id: string;
  urn: string;
  type: string;
  name: string;
  phase: Phase | null;
  actions: string[];
  result: "done" | "failed";
  changes: PropertyChange[] | null;
}

// Of a replacement, only some of the engine's steps tell why; what failed in one attempt may be done by the next.
async function changedResources(
  db: Queryable,
  operationIds: readonly string[],
): Promise<ReadonlyMap<string, ChangedResource[]>> {
  const { rows } = await db.query<ChangedRow>(
    `select operation_id, body->>'urn' as urn, min(body->>'resourceType') as type, min(body->>'name') as name,
       min(phase) as phase, array_agg(body->>'action' order by sequence) as actions,
       (array_agg(body->>'status' order by sequence desc))[1] as result,
       (array_agg(body->'changes' order by sequence) filter (where body ? 'changes'))[1] as changes
     from operation_events
     where operation_id = any ($1) and type = 'resource' and body->>'status' in ('done', 'failed')
       and body->>'resourceType' like 'aws:%'
     group by operation_id, body->>'urn' order by operation_id, min(sequence)`,
    [operationIds],
  );
  const byOperation = new Map<string, ChangedResource[]>();
  for (const { operation_id: id, phase, actions, changes, ...row } of rows) {
    const list = byOperation.get(id) ?? [];
    byOperation.set(id, list);
    list.push({
      ...row,
      ...(phase === null ? {} : { phase }),
      action: actions.some((action) => /replace/.test(action)) ? "replace" : (actions.at(-1) ?? ""),
      changes: changes ?? [],
    });
  }
  return byOperation;
}
