import type { Queryable } from "../postgres/pool.ts";

/** Whose request it is, and under which key. */
export interface RequestKey {
  readonly subject: string;
  /** Empty for what is no team's. */
  readonly team: string;
  readonly keyDigest: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What is known of the request that had the key first. */
export interface EarlierRequest {
  readonly requestDigest: string;
  /** Whether the node that works on it may still do so. */
  readonly recent: boolean;
  /** Whether what it asked for was done. */
  readonly changed: boolean;
  /** The path of what was changed. */
  readonly target: string | null;
  readonly operationId: string | null;
  readonly answer: StoredAnswer | undefined;
  /** The answer held a secret, and is not stored. */
  readonly holdsSecret: boolean;
}

/** For how long an answer is repeated. */
export const keptHours = 24;
// Longer than any request works before its change: the node of an older one that changed nothing has died.
const claimSeconds = 90;

const isKey = "subject = $1 and team = $2 and key_digest = $3";
const expired = `claimed_at < clock_timestamp() - interval '${keptHours} hours'`;
const recent = `claimed_at > clock_timestamp() - interval '${claimSeconds} seconds'`;

/** Takes a key for a request; otherwise tells what is known of the request that has it. */
export async function claimKey(
  db: Queryable,
  { subject, team, keyDigest }: RequestKey,
  request: { readonly id: string; readonly digest: string },
): Promise<"claimed" | EarlierRequest> {
  for (;;) {
    const claimed = await db.query(
      `insert into idempotent_requests as earlier (subject, team, key_digest, request_digest, request_id)
       values ($1, $2, $3, $4, $5)
       on conflict (subject, team, key_digest) do update set request_digest = excluded.request_digest,
         request_id = excluded.request_id, claimed_at = excluded.claimed_at, changed_at = null, target = null,
         operation_id = null, status = null, headers = null, body = null, holds_secret = false
       where earlier.${expired}
         or (earlier.changed_at is null and earlier.status is null and not earlier.${recent})`,
      [subject, team, keyDigest, request.digest, request.id],
    );
    if (claimed.rowCount === 1) return "claimed";
    const earlier = await findEarlier(db, { subject, team, keyDigest });
    // Otherwise it failed meanwhile, and gave the key back.
    if (earlier !== undefined) return earlier;
  }
}

async function findEarlier(
  db: Queryable,
  { subject, team, keyDigest }: RequestKey,
): Promise<EarlierRequest | undefined> {
  const found = await db.query<{
    request_digest: string;
    recent: boolean;
    changed: boolean;
    target: string | null;
    operation_id: string | null;
    status: number | null;
    headers: Record<string, string> | null;
    body: string | null;
    holds_secret: boolean;
  }>(
    `select request_digest, ${recent} as recent, changed_at is not null as changed, target, operation_id, status, headers,
       body, holds_secret from idempotent_requests where ${isKey}`,
    [subject, team, keyDigest],
  );
  const row = found.rows[0];
  return (
    row && {
      requestDigest: row.request_digest,
      recent: row.recent,
      changed: row.changed,
      target: row.target,
      operationId: row.operation_id,
      answer:
        row.status === null ? undefined : { status: row.status, headers: row.headers ?? {}, body: row.body },
      holdsSecret: row.holds_secret,
    }
  );
}

/** Notes, in the transaction of the change, that the request was carried out; false when another one has the key by now. */
export async function confirmChange(
  db: Queryable,
  { subject, team, keyDigest }: RequestKey,
  requestId: string,
  { target, operationId }: { readonly target: string; readonly operationId: string | null },
): Promise<boolean> {
  const confirmed = await db.query(
    `update idempotent_requests set changed_at = clock_timestamp(), target = $5, operation_id = $6
     where ${isKey} and request_id = $4`,
    [subject, team, keyDigest, requestId, target, operationId],
  );
  return confirmed.rowCount === 1;
}

/** Keeps an answer for whoever repeats the request; without its body where that holds a secret. */
export async function keepAnswer(
  db: Queryable,
  { subject, team, keyDigest }: RequestKey,
  requestId: string,
  { status, headers, body }: StoredAnswer,
  holdsSecret: boolean,
): Promise<void> {
  await db.query(
    `update idempotent_requests set status = $5, headers = $6, body = $7, holds_secret = $8
     where ${isKey} and request_id = $4`,
    [subject, team, keyDigest, requestId, status, JSON.stringify(headers), body, holdsSecret],
  );
}

/** Gives the key of a request back that changed nothing; false when it did. */
export async function releaseKey(
  db: Queryable,
  { subject, team, keyDigest }: RequestKey,
  requestId: string,
): Promise<boolean> {
  const released = await db.query(
    `delete from idempotent_requests where ${isKey} and request_id = $4 and changed_at is null`,
    [subject, team, keyDigest, requestId],
  );
  return released.rowCount === 1;
}

/** Removes what is older than answers are repeated. */
export async function forgetOldRequests(db: Queryable): Promise<number> {
  const removed = await db.query(`delete from idempotent_requests where ${expired}`);
  return removed.rowCount ?? 0;
}
