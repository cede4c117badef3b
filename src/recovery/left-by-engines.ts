import type { BegunChanges, PendingOperation } from "../engine/pending.ts";
import type { Queryable } from "../postgres/pool.ts";
import { findStack } from "../stacks/store.ts";

/** What a repair must know of the engines that worked on a stack since it was settled last, besides what its state says. */
export interface LeftByEngines {
  readonly pending: readonly PendingOperation[];
  readonly begun: BegunChanges;
}

/** Read anew for each attempt at a repair: the one before may have changed it. */
export async function leftByEngines(db: Queryable, stackId: string): Promise<LeftByEngines> {
  const [{ pending }, begun] = await Promise.all([findStack(db, stackId), begunChanges(db, stackId)]);
  return { pending, begun };
}

/**
 * What events tell of changes and deletions since the last operation that succeeded. The last ones of a node that was killed are not
 * stored: where a whole stack was being deleted, any of its resources may be gone.
 */
async function begunChanges(db: Queryable, stackId: string): Promise<BegunChanges> {
  const found = await db.query<{ destroyed: boolean; urns: string[] }>(
    `with since as (
       select id, kind from operations
       where stack_id = $1 and lane = 'changes' and started_at is not null and created_at > coalesce(
         (select max(created_at) from operations where stack_id = $1 and lane = 'changes' and state = 'succeeded'), '-infinity'))
     select coalesce(bool_or(since.kind = 'destroy'), false) as destroyed,
       coalesce(array_agg(distinct e.body->>'urn') filter (where e.body->>'urn' is not null), '{}') as urns
     from since left join operation_events e on e.operation_id = since.id and e.type = 'resource' and e.body->>'status' = 'started'
       and e.body->>'action' in ('update', 'delete', 'delete-replaced')`,
    [stackId],
  );
  const { destroyed = false, urns = [] } = found.rows[0] ?? {};
  return destroyed ? "all" : urns;
}
