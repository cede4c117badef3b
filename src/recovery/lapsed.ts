import { reap, waitUntilGone } from "../engine/reaper.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Verdict } from "./verdict.ts";

/** An operation that claims to run although nobody renews its lease. */
export interface LapsedOperation {
  readonly id: string;
  readonly node: string;
  readonly fencingToken: number;
  /** What its processes bear; null when none was begun. */
  readonly runner: string | null;
  /** Where they are; null where an older version of the service recorded it, which knew one host only. */
  readonly host: string | null;
  readonly attempt: number;
  readonly cancelRequested: boolean;
  readonly verdict: Verdict | null;
  /** Of the lease; negative when it has lapsed. */
  readonly remainingMs: number;
}

// For what a run on another host may still do after its guard found the lease over: the guard is one process that starts another.
const marginMs = 10_000;

/**
 * Operations of any node whose lease has lapsed, on another host than `host` by a margin; and with `allOf`, those of that node
 * whatever their lease says, since its name is held by one process alone.
 */
export async function lapsedOperations(
  db: Queryable,
  { host, allOf }: { readonly host: string; readonly allOf: string | null },
): Promise<LapsedOperation[]> {
  const found = await db.query<{
    id: string;
    node: string;
    fencing_token: number;
    runner: string | null;
    host: string | null;
    attempt: number;
    cancel_requested: boolean;
    verdict: Verdict | null;
    remaining_ms: number;
  }>(
    `select id, node, fencing_token, runner, host, attempt, cancel_requested_at is not null as cancel_requested, verdict,
       extract(epoch from lease_until - clock_timestamp())::float8 * 1000 as remaining_ms
     from operations
     where state = 'running' and (node = $2 or lease_until < clock_timestamp()
       - case when coalesce(host, $1) = $1 then 0 else $3 end * interval '1 millisecond')`,
    [host, allOf, marginMs],
  );
  return found.rows.map((row) => ({
    id: row.id,
    node: row.node,
    fencingToken: row.fencing_token,
    runner: row.runner,
    host: row.host,
    attempt: row.attempt,
    cancelRequested: row.cancel_requested,
    verdict: row.verdict,
    remainingMs: row.remaining_ms,
  }));
}

/**
 * Resolves when no process of the operation is left, with the number of those that had to be killed. On another host its runner ended them
 * itself when the lease lapsed, which is longer ago than that takes.
 */
export async function proveDead(
  { runner, host, remainingMs }: LapsedOperation,
  thisHost: string,
): Promise<number> {
  if (runner === null || (host !== null && host !== thisHost)) return 0;
  // A runner without its supervisor asks its engine to stop, which leaves a whole state and no lock.
  await waitUntilGone(runner, remainingMs);
  return reap(runner);
}

/**
 * Puts an operation that this claim holds back into the queue; false, and nothing is written, when the claim was lost. Whatever an earlier
 * run still writes is refused from here on.
 */
export async function giveBack(
  db: Queryable,
  id: string,
  fencingToken: number,
  how: { readonly countsAttempt: boolean; readonly verdict: Verdict | null },
): Promise<boolean> {
  const given = await db.query(
    `with given as (
       update operations set state = 'queued', fencing_token = nextval('fencing_tokens'), lease_until = null, node = null,
         runner = null, process_group = null, host = null, attempt = attempt + $3, verdict = $4
       where id = $1 and fencing_token = $2 and state = 'running' returning id, stack_id, fencing_token, lane),
     fenced as (
       update stacks set fencing_token = given.fencing_token from given
       where stacks.id = given.stack_id and given.lane = 'changes')
     select pg_notify('operation_changed', id::text), pg_notify('operation_queued', id::text) from given`,
    [id, fencingToken, how.countsAttempt ? 1 : 0, how.verdict && toJsonb(how.verdict)],
  );
  return given.rowCount === 1;
}
