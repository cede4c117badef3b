import type pg from "pg";
import { claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { appendEvents } from "../../../src/operations/events.ts";
import { queuedOperation } from "./queued-operation.ts";

/** An operation that runs, without anybody who runs it. */
export async function runningOperation(pool: pg.Pool) {
  const { id } = await queuedOperation(pool);
  const claim = await claimOperation(pool, id, { node: "n", leaseMs: 60_000 });
  const token = claim?.fencingToken ?? 0;
  let sequence = 0;
  return {
    id,
    tell: (message: string) => {
      sequence += 1;
      const body = { severity: "warning", message };
      return appendEvents(pool, id, token, [
        { sequence, at: new Date(), type: "diagnostic", phase: null, body },
      ]);
    },
    end: () => finishOperation(pool, id, token, { state: "succeeded", result: { changes: {} }, error: null }),
  };
}
