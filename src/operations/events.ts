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

/**
 * Appends events in order, in one statement; false, and nothing is written, when the claim was lost. The operation can't change its
 * hands, nor end, before they are there: whoever takes it over goes on after them, and no event follows its end. Idempotent: whether they
 * were stored when a connection broke, nobody can tell.
 */
export async function appendEvents(
  db: Queryable,
  id: string,
  fencingToken: number,
  events: readonly StoredEvent[],
): Promise<boolean> {
  const appended = await db.query(
    `with holder as (select id from operations where id = $1 and fencing_token = $2 and state = 'running' for share),
     appended as (
       insert into operation_events (operation_id, sequence, at, type, phase, body)
       select holder.id, e.sequence, e.at, e.type, e.phase, e.body from holder,
         jsonb_to_recordset($3::jsonb) as e(sequence integer, at timestamptz, type text, phase text, body jsonb)
       on conflict do nothing)
     select pg_notify('operation_changed', holder.id::text) from holder`,
    [id, fencingToken, toJsonb(events)],
  );
  return appended.rowCount === 1;
}

/** The number of an operation's last event; 0 when it has none. */
export async function lastSequence(db: Queryable, id: string): Promise<number> {
  const found = await db.query<{ last: number }>(
    "select coalesce(max(sequence), 0) as last from operation_events where operation_id = $1",
    [id],
  );
  return found.rows[0]?.last ?? 0;
}

/** Appends an event that no run tells: the caller's transaction holds the operation's row, and nobody a claim on it. */
export async function appendServiceEvent(
  db: Queryable,
  id: string,
  type: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db.query(
    `insert into operation_events (operation_id, sequence, at, type, body)
     select $1, coalesce(max(sequence), 0) + 1, clock_timestamp(), $2, $3 from operation_events where operation_id = $1`,
    [id, type, toJsonb(body)],
  );
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
