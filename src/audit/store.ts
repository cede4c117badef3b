import type pg from "pg";
import type { Queryable } from "../postgres/pool.ts";
import type { AuditEntry } from "./chain.ts";

// Any constant will do that nothing else locks.
const advisoryLock = 4_723_002;

// As JSON has it: with every digit that isn't a trailing zero, and with a mark for years before Christ.
const moment = (expression: string) => `(to_json(${expression} at time zone 'UTC') #>> '{}') || 'Z'`;

const columns = `sequence, ${moment("at")} as at, subject, label, team, action, target, outcome,
  source_address as "sourceAddress", request_id as "requestId", before::text, after::text,
  previous_hash as "previousHash", hash`;

/** Makes this the only transaction that appends until it has ended; gives the end of the trail and the moment of its next entry. */
export async function holdTrail(
  client: pg.PoolClient,
): Promise<{ readonly sequence: number; readonly hash: string | null; readonly at: string }> {
  await client.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
  // A statement of its own: only what begins after the lock was had sees the entry of whoever held it before.
  const found = await client.query<{ sequence: number; hash: string | null; at: string }>(
    `select coalesce(last.sequence, 0) as sequence, last.hash,
       ${moment("greatest(clock_timestamp(), last.at + interval '1 microsecond')")} as at
     from (select 1) as always left join lateral
       (select sequence, at, hash from audit_entries order by sequence desc limit 1) as last on true`,
  );
  return found.rows[0] as { sequence: number; hash: string | null; at: string };
}

export async function appendEntry(client: pg.PoolClient, entry: AuditEntry): Promise<void> {
  await client.query(
    `insert into audit_entries (sequence, at, subject, label, team, action, target, outcome, source_address,
       request_id, before, after, previous_hash, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      entry.sequence,
      entry.at,
      entry.subject,
      entry.label,
      entry.team,
      entry.action,
      entry.target,
      entry.outcome,
      entry.sourceAddress,
      entry.requestId,
      entry.before,
      entry.after,
      entry.previousHash,
      entry.hash,
    ],
  );
}

export interface EntryFilter {
  readonly team?: string | undefined;
  readonly subject?: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: AuditEntry["outcome"] | undefined;
  readonly from?: Date | undefined;
  /** Entries before this moment. */
  readonly to?: Date | undefined;
  /** Nothing of an earlier team of the same name. */
  readonly sinceTeamBegan: boolean;
}

const filtered = `($1::text is null or team = $1) and ($2::text is null or subject = $2)
  and ($3::text is null or action = $3) and ($4::text is null or outcome = $4)
  and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
  and (not $7 or at >= (select created_at from teams where name = $1))`;

function filterValues({ team, subject, action, outcome, from, to, sinceTeamBegan }: EntryFilter) {
  const texts = [team ?? null, subject ?? null, action ?? null, outcome ?? null];
  return [...texts, from ?? null, to ?? null, sinceTeamBegan];
}

/** An entry with its moment in microseconds, by which pages go on. */
export interface ListedEntry extends AuditEntry {
  readonly instant: string;
}

/** The newest first, those before `before` microseconds; one more than `limit` when there is a further page. */
export async function listEntries(
  db: Queryable,
  filter: EntryFilter,
  before: string | undefined,
  limit: number,
): Promise<ListedEntry[]> {
  const found = await db.query<ListedEntry>(
    `select ${columns}, trunc(extract(epoch from audit_entries.at) * 1000000)::text as instant from audit_entries
     where ${filtered} and ($8::bigint is null or at < timestamptz 'epoch' + $8 * interval '1 microsecond')
     order by audit_entries.at desc limit $9`,
    [...filterValues(filter), before ?? null, limit + 1],
  );
  return found.rows;
}

const batch = 200;

/** The oldest first, in batches that never hold a connection while the caller is busy. */
export async function* readEntries(
  db: Queryable,
  filter: EntryFilter,
): AsyncGenerator<readonly AuditEntry[]> {
  for (let after: string | null = null; ; ) {
    const found: pg.QueryResult<AuditEntry> = await db.query<AuditEntry>(
      `select ${columns} from audit_entries where ${filtered} and ($8::timestamptz is null or at > $8)
       order by audit_entries.at limit $9`,
      [...filterValues(filter), after, batch],
    );
    const last = found.rows.at(-1);
    if (last === undefined) return;
    yield found.rows;
    after = last.at;
  }
}

/** Every row as it is, whatever somebody made of the table's keys; the caller is in a transaction of its own. */
export async function* walkEntries(client: pg.PoolClient): AsyncGenerator<readonly AuditEntry[]> {
  await client.query(
    `declare trail no scroll cursor for select ${columns} from audit_entries order by sequence, audit_entries.at`,
  );
  for (;;) {
    const found = await client.query<AuditEntry>(`fetch ${batch} from trail`);
    if (found.rows.length === 0) return;
    yield found.rows;
  }
}
