import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { OperationKind } from "../../../src/operations/states.ts";
import { insertOperation, type Operation } from "../../../src/operations/store.ts";
import { ensureStack } from "../../../src/stacks/store.ts";

/** An operation that waits, on a stack of its own unless one is given. */
export async function queuedOperation(
  pool: pg.Pool,
  { kind = "update", stackId }: { readonly kind?: OperationKind; readonly stackId?: string } = {},
): Promise<Operation> {
  return insertOperation(pool, {
    id: randomUUID(),
    kind,
    stackId: stackId ?? (await ensureStack(pool, "aidlc-foundation", randomUUID())),
    team: "ml",
    subject: { type: "account", account: "main" },
    revision: null,
    options: {},
    requestId: "r-1",
    requestedBy: "user:ada",
  });
}
