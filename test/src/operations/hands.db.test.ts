import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { appendEvents, listEvents } from "../../../src/operations/events.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { runningOperation } from "./running-operation.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

const event = (sequence: number) => ({
  sequence,
  at: new Date(),
  type: "diagnostic",
  phase: null,
  body: { message: `event ${sequence}` },
});
const sequences = async (id: string) =>
  (await listEvents(database.pool, id, 0, 100)).map(({ sequence }) => sequence);

/** Does `work` in a transaction that is open while `meanwhile` runs up to where it has to wait. */
async function whileOpen<Value>(
  work: (client: pg.PoolClient) => Promise<unknown>,
  meanwhile: () => Promise<Value>,
): Promise<Value> {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    await work(client);
    const result = meanwhile();
    let isOver = false;
    void result
      .catch(() => {})
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      const found = await database.pool.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      );
      if (found.rowCount === 1) break;
      await sleep(1);
    }
    await client.query("commit");
    return await result;
  } finally {
    client.release();
  }
}

describe("events of a run whose operation changes hands at that very moment", () => {
  it("are refused when it was given back before them", async () => {
    const operation = await runningOperation(database.pool);
    await operation.tell("event 1");
    const kept = await whileOpen(
      (client) => client.query("update operations set state = 'queued' where id = $1", [operation.id]),
      () => operation.tell("event 2"),
    );
    expect(kept).toBe(false);
    expect(await sequences(operation.id)).toEqual([1]);
  });

  it("are there before the end, so that none follows what readers take for the last", async () => {
    const operation = await runningOperation(database.pool);
    await operation.tell("event 1");
    const { rows } = await database.pool.query("select fencing_token from operations where id = $1", [
      operation.id,
    ]);
    const [{ fencing_token: token }] = rows;
    const seenAtTheEnd = await whileOpen(
      (client) => appendEvents(client, operation.id, token, [event(2)]),
      async () => {
        const end = { state: "succeeded", result: { changes: {} }, error: null } as const;
        expect(await finishOperation(database.pool, operation.id, token, end)).toBe(true);
        return sequences(operation.id);
      },
    );
    expect(seenAtTheEnd).toEqual([1, 2]);
  });

  it("of the next run go on where the last one's ended", async () => {
    const operation = await runningOperation(database.pool);
    await operation.tell("event 1");
    await operation.tell("event 2");
    await database.pool.query("update operations set state = 'queued' where id = $1", [operation.id]);
    const next = await claimOperation(database.pool, operation.id, { node: "another", leaseMs: 60_000 });
    expect(await operation.tell("event 3 of the run before")).toBe(false);
    expect(await appendEvents(database.pool, operation.id, next?.fencingToken ?? 0, [event(3)])).toBe(true);
    expect(await sequences(operation.id)).toEqual([1, 2, 3]);
  });
});
