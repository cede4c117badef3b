import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { appendEvents } from "../../../src/operations/events.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import { leftByEngines } from "../../../src/recovery/left-by-engines.ts";
import { ensureStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { queuedOperation } from "../operations/queued-operation.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Told = readonly [action: string, status: string, urn: string];

/** An operation on a stack that was begun, told of these steps, and ended so. */
async function operation(
  stackId: string,
  kind: OperationKind,
  state: "succeeded" | "failed",
  told: readonly Told[],
) {
  const { id } = await queuedOperation(database.pool, { kind, stackId });
  const claim = await claimOperation(database.pool, id, { node: "n", leaseMs: 600_000 });
  const token = claim?.fencingToken ?? 0;
  const events = told.map(([action, status, urn], index) => ({
    sequence: index + 1,
    at: new Date(),
    type: "resource",
    phase: null,
    body: { action, status, urn },
  }));
  expect(await appendEvents(database.pool, id, token, events)).toBe(true);
  await finishOperation(database.pool, id, token, { state, result: null, error: null });
}

describe("what engines have begun on a stack", () => {
  const started = (action: string, urn: string): Told => [action, "started", urn];
  let stack: string;
  const begun = async () => (await leftByEngines(database.pool, stack)).begun;

  beforeAll(async () => {
    stack = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
  });

  it("is nothing at first", async () => {
    expect(await begun()).toEqual([]);
  });

  it("is what the operations since the last success have begun to change or to delete", async () => {
    await operation(stack, "update", "failed", [started("delete", "urn:settled")]);
    await operation(stack, "update", "succeeded", [started("update", "urn:done")]);
    await operation(stack, "update", "failed", [
      started("create", "urn:new"),
      started("update", "urn:changed"),
      started("delete-replaced", "urn:replaced"),
    ]);
    await operation(stack, "refresh", "failed", [started("delete", "urn:removed")]);
    expect(await begun()).toEqual(["urn:changed", "urn:removed", "urn:replaced"]);
  });

  it("may be anything where the stack was being destroyed: the last events of a node that died are not stored", async () => {
    await operation(stack, "destroy", "failed", []);
    expect(await begun()).toBe("all");
  });

  it("is nothing of another stack's", async () => {
    stack = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
    expect(await begun()).toEqual([]);
  });
});
