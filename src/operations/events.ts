import type { Phase } from "../engine/phase.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface StoredEvent {
  readonly sequence: number;
  readonly at: Date;
  readonly type: string;
  readonly phase: Phase | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Appends events in order, in one statement; false, and nothing is written, when the claim was lost. */
export async function appendEvents(
  db: Queryable,
  id: string,
  fencingToken: number,
  events: readonly StoredEvent[],
): Promise<boolean> {
  const appended = await db.query(
    `with holder as (select id from operations where id = $1 and fencing_token = $2 and state = 'running'),
     appended as (
       insert into operation_events (operation_id, sequence, at, type, phase, body)
       select holder.id, e.sequence, e.at, e.type, e.phase, e.body from holder,
         jsonb_to_recordset($3::jsonb) as e(sequence integer, at timestamptz, type text, phase text, body jsonb)
       returning 1)
     select pg_notify('operation_changed', holder.id::text) from holder`,
    [id, fencingToken, toJsonb(events)],
  );
  return appended.rowCount === 1;
}

export async function listEvents(
  db: Queryable,
  id: string,
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const found = await db.query<StoredEvent>(
    `select sequence, at, type, phase, body from operation_events
     where operation_id = $1 and sequence > $2 order by sequence limit $3`,
    [id, after, limit],
  );
  return found.rows;
}

/** Phases of the resources that failed in an operation. */
export async function failedPhases(db: Queryable, id: string | undefined): Promise<ReadonlySet<Phase>> {
  if (id === undefined) return new Set();
  const found = await db.query<{ phase: Phase }>(
    `select distinct phase from operation_events
     where operation_id = $1 and type = 'resource' and phase is not null and body->>'status' = 'failed'`,
    [id],
  );
  return new Set(found.rows.map((row) => row.phase));
}
