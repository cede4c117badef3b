import type pg from "pg";
import type { OperationError, RunOutcome } from "../engine/protocol.ts";
import { toJsonb } from "../postgres/json.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { changesStack, changingKinds, type OperationKind } from "./states.ts";
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
}

/**
 * Takes a queued operation for this node: undefined when it is no longer queued, or another change of its stack runs. For an operation that
 * changes its stack the new fencing token also becomes the stack's, so that whatever an earlier run still writes is refused.
 */
export async function claimOperation(
  pool: pg.Pool,
  id: string,
  claim: { readonly node: string; readonly leaseMs: number },
): Promise<Claim | undefined> {
  return inTransaction(pool, async (client) => {
    const claimed = await client.query<OperationRow & { fencing_token: number }>(
      `update operations set state = 'running', node = $2, started_at = clock_timestamp(),
         lease_until = clock_timestamp() + $3 * interval '1 millisecond', fencing_token = nextval('fencing_tokens')
       where id = $1 and state = 'queued'
         -- The queue keeps changes of a stack apart; this is for when it believes a job dead whose operation lives.
         and not (kind = any ($4) and exists (
           select from operations other where other.stack_id = operations.stack_id and other.state = 'running'
             and other.kind = any ($4)))
       returning ${operationColumns}, fencing_token`,
      [id, claim.node, claim.leaseMs, changingKinds],
    );
    const row = claimed.rows[0];
    if (!row) return undefined;
    if (changesStack(row.kind)) {
      await client.query("update stacks set fencing_token = $2 where id = $1", [
        row.stack_id,
        row.fencing_token,
      ]);
    }
    await client.query("select pg_notify('operation_changed', $1)", [id]);
    return { operation: fromRow(row), fencingToken: row.fencing_token };
  });
}

/** Records which processes run the operation; they are what must be proved dead before anybody else may touch the stack. */
export async function recordRunner(
  db: Queryable,
  id: string,
  fencingToken: number,
  runner: { readonly marker: string; readonly processGroup: number | undefined },
): Promise<void> {
  await db.query(
    "update operations set runner = $3, process_group = $4 where id = $1 and fencing_token = $2",
    [id, fencingToken, runner.marker, runner.processGroup ?? null],
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

export interface LapsedOperation {
  readonly id: string;
  readonly runner: string | null;
  readonly fencingToken: number;
  readonly kind: OperationKind;
}

/** Operations that claim to run on this node although nobody renews their lease; with `all`, whatever their lease says. */
export async function lapsedOperations(
  db: Queryable,
  node: string,
  { all }: { readonly all: boolean },
): Promise<LapsedOperation[]> {
  const found = await db.query<{
    id: string;
    runner: string | null;
    fencing_token: number;
    kind: OperationKind;
  }>(
    `select id, runner, fencing_token, kind from operations
     where state = 'running' and node = $1 and ($2 or lease_until < clock_timestamp())`,
    [node, all],
  );
  return found.rows.map((row) => ({
    id: row.id,
    runner: row.runner,
    fencingToken: row.fencing_token,
    kind: row.kind,
  }));
}

/**
 * Ends an operation that this claim holds and tells its followers; false, and nothing is written, when the claim was lost.
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
       update operations set state = $3, result = $4, error = $5, finished_at = clock_timestamp(), lease_until = null
       where id = $1 and fencing_token = $2 and state = 'running' returning id)
     select pg_notify('operation_changed', id::text) from ended`,
    [id, fencingToken, end.state, end.result && toJsonb(end.result), end.error && toJsonb(end.error)],
  );
  return finished.rowCount === 1;
}
