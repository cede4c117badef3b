import type { OperationError, RunOutcome } from "../engine/protocol.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Verdict } from "../recovery/verdict.ts";
import { changesStack } from "./states.ts";
import {
  fromRow,
  type Operation,
  type OperationResult,
  type OperationRow,
  operationColumns,
} from "./store.ts";

/** Who works on an operation from now on. */
export interface Claim {
  readonly operation: Operation;
  readonly fencingToken: number;
  /** How many times it was begun, this one included. */
  readonly attempt: number;
  /** How it ends, once its stack is repaired: it isn't run again. */
  readonly verdict: Verdict | null;
}

/**
 * Takes a queued operation for this node; the caller's transaction makes it whole. Undefined when it is no longer queued, or another
 * change of its stack runs. For an operation that changes its stack the new fencing token also becomes the stack's, so that
 * whatever an earlier run still writes is refused.
 */
export async function claimOperation(
  db: Queryable,
  id: string,
  claim: { readonly node: string; readonly leaseMs: number },
): Promise<Claim | undefined> {
  const claimed = await db.query<
    OperationRow & { fencing_token: number; attempt: number; verdict: Verdict | null }
  >(
    `update operations set state = 'running', node = $2, started_at = clock_timestamp(),
       lease_until = clock_timestamp() + $3 * interval '1 millisecond', fencing_token = nextval('fencing_tokens')
     where id = $1 and state = 'queued'
       and not (lane = 'changes' and exists (
         select from operations other where other.stack_id = operations.stack_id and other.state = 'running'
           and other.lane = 'changes'))
     returning ${operationColumns}, fencing_token, attempt, verdict`,
    [id, claim.node, claim.leaseMs],
  );
  const row = claimed.rows[0];
  if (!row) return undefined;
  if (changesStack(row.kind)) {
    await db.query("update stacks set fencing_token = $2 where id = $1", [row.stack_id, row.fencing_token]);
  }
  await db.query("select pg_notify('operation_changed', $1)", [id]);
  const { fencing_token: fencingToken, attempt, verdict } = row;
  return { operation: fromRow(row), fencingToken, attempt, verdict };
}

/**
 * Records which processes run the operation, and where; they are what must be proved dead before anybody else may touch the stack.
 * A stack that is to be changed is unsettled from here on.
 */
export async function recordRunner(
  db: Queryable,
  id: string,
  fencingToken: number,
  runner: { readonly marker: string; readonly processGroup: number | undefined; readonly host: string },
): Promise<void> {
  await db.query(
    `with begun as (
       update operations set runner = $3, process_group = $4, host = $5 where id = $1 and fencing_token = $2
       returning stack_id, fencing_token, lane)
     update stacks set unsettled = true from begun
     where stacks.id = begun.stack_id and stacks.fencing_token = begun.fencing_token and begun.lane = 'changes'`,
    [id, fencingToken, runner.marker, runner.processGroup ?? null, runner.host],
  );
}

/** Extends the lease; false when it was lost. Also tells whether somebody asked for the operation's end. */
export async function renewLease(
  db: Queryable,
  id: string,
  fencingToken: number,
  leaseMs: number,
): Promise<{ held: boolean; cancelRequested: boolean }> {
  const renewed = await db.query<{ cancel_requested_at: Date | null }>(
    `update operations set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
     where id = $1 and fencing_token = $2 and state = 'running' returning cancel_requested_at`,
    [id, fencingToken, leaseMs],
  );
  const row = renewed.rows[0];
  return { held: row !== undefined, cancelRequested: (row?.cancel_requested_at ?? null) !== null };
}

/**
 * Ends an operation that this claim holds, and tells its followers and those who look for work: its place is free. False, and nothing is
 * written, when the claim was lost.
 */
export async function finishOperation(
  db: Queryable,
  id: string,
  fencingToken: number,
  end: {
    readonly state: RunOutcome["state"];
    readonly result: OperationResult | null;
    readonly error: OperationError | null;
  },
): Promise<boolean> {
  const finished = await db.query(
    `with ended as (
       update operations set state = $3, result = $4, error = $5, finished_at = clock_timestamp(), lease_until = null,
         verdict = null
       where id = $1 and fencing_token = $2 and state = 'running' returning id)
     select pg_notify('operation_changed', id::text), pg_notify('operation_queued', '') from ended`,
    [id, fencingToken, end.state, end.result && toJsonb(end.result), end.error && toJsonb(end.error)],
  );
  return finished.rowCount === 1;
}
