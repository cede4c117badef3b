import { randomUUID } from "node:crypto";
import type pg from "pg";
import { AppError } from "../errors.ts";
import type { Queue } from "../queue/queue.ts";
import { admitOperation } from "../teams/quotas.ts";
import { changesStack, laneOf } from "./states.ts";
import {
  activeChange,
  insertOperation,
  type NewOperation,
  type Operation,
  supersedeQueuedUpdates,
} from "./store.ts";

/**
 * Records an operation and queues it, both in the caller's transaction. A newer update, or a destroy, takes the place of an
 * update that is still queued; nothing can follow a destroy. Throws `stack_busy` and `quota_exceeded`.
 */
export async function submitOperation(
  client: pg.PoolClient,
  queue: Queue,
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
  if (request.kind === "update" || request.kind === "destroy")
    await supersedeQueuedUpdates(client, request.stackId);
  const operation = await insertOperation(client, { ...request, id: randomUUID() });
  await queue.send(client, laneOf(request.kind), request.stackId, { operationId: operation.id });
  return operation;
}
