import { randomUUID } from "node:crypto";
import type pg from "pg";
import { AppError } from "../errors.ts";
import { admitOperation } from "../teams/quotas.ts";
import { changesStack, isApply } from "./states.ts";
import {
  activeChange,
  insertOperation,
  type NewOperation,
  type Operation,
  supersedePending,
} from "./store.ts";

/**
 * Queues an operation in the caller's transaction. A newer update, or a destroy, takes the place of an
 * update that is still queued, and of whatever waits for approval; nothing can follow a destroy. Throws `stack_busy` and `quota_exceeded`.
 */
export async function submitOperation(
  client: pg.PoolClient,
  request: Omit<NewOperation, "id">,
): Promise<Operation> {
  if (changesStack(request.kind)) {
    const active = await activeChange(client, request.stackId);
    if (active?.kind === "destroy") {
      throw new AppError("stack_busy", "An operation is destroying it: wait until that has ended", {
        details: { operation: { id: active.id, team: active.team } },
      });
    }
  }
  await admitOperation(client, request.team, request.kind);
  if (isApply(request.kind) || request.kind === "destroy") await supersedePending(client, request.stackId);
  const operation = await insertOperation(client, { ...request, id: randomUUID() });
  await client.query("select pg_notify('operation_queued', $1)", [operation.id]);
  return operation;
}
