import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";
import { findOperation, type Operation } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";

/** The operation that an earlier request with this key started; throws `idempotency_conflict` when it asked for something else. */
export async function repeatedOperation(
  db: Queryable,
  team: string,
  key: string,
  request: unknown,
): Promise<Operation | undefined> {
  // Two requests with one key at the same time: the second waits here and then finds the first one's row.
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`idempotency ${team}/${key}`]);
  const found = await db.query<{ request_digest: string; operation_id: string }>(
    "select request_digest, operation_id from idempotency_keys where team = $1 and key = $2",
    [team, storedKey(key)],
  );
  const row = found.rows[0];
  if (!row) return undefined;
  if (row.request_digest !== digestOf(request)) {
    throw new AppError(
      "idempotency_conflict",
      "The Idempotency-Key was used for a different request: use a new key",
      { details: { operation: { id: row.operation_id, team } } },
    );
  }
  return findOperation(db, row.operation_id);
}

export async function rememberRequest(
  db: Queryable,
  team: string,
  key: string,
  request: unknown,
  operationId: string,
): Promise<void> {
  await db.query(
    "insert into idempotency_keys (team, key, request_digest, operation_id) values ($1, $2, $3, $4)",
    [team, storedKey(key), digestOf(request), operationId],
  );
}

/** What callers make their keys of is theirs to keep. */
function storedKey(key: string): string {
  return digestOf(key);
}
