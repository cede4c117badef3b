import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openQueue, type Queue } from "../../../src/queue/queue.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let queues: Queue[];
let logged: { msg: string; task?: string }[];

const log = pino({ level: "warn" }, { write: (line) => void logged.push(JSON.parse(line)) });

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  logged = [];
  queues = [];
});

afterEach(async () => {
  for (const queue of queues) await queue.stop(5_000);
  await database.pool.query("drop schema pgboss cascade");
});

/** What a node opens. */
async function node(): Promise<Queue> {
  const queue = await openQueue(database.url, database.pool, log);
  queues.push(queue);
  return queue;
}

/** Does at once what the schedule does at its minute; false when nothing was queued. */
async function minute(name: string): Promise<boolean> {
  const sent = await database.pool.query(
    `insert into pgboss.job (name, policy, retry_limit, expire_seconds, heartbeat_seconds)
     select name, policy, retry_limit, expire_seconds, heartbeat_seconds from pgboss.queue where name = $1
     on conflict do nothing`,
    [name],
  );
  return sent.rowCount === 1;
}

describe("a periodic task", () => {
  it("is scheduled in UTC, once however many nodes ask for it, and by its newest schedule", async () => {
    await (await node()).every("sweep", "0 3 * * *", async () => {});
    await (await node()).every("sweep", "*/5 * * * *", async () => {});
    const { rows } = await database.pool.query("select name, cron, timezone from pgboss.schedule");
    expect(rows).toEqual([{ name: "sweep", cron: "*/5 * * * *", timezone: "UTC" }]);
  });

  it("runs on one node, and not again while it runs", async () => {
    const ran: string[] = [];
    const end = Promise.withResolvers<void>();
    for (const name of ["a", "b"]) {
      await (await node()).every("sweep", "0 3 * * *", async () => {
        ran.push(name);
        await end.promise;
      });
    }
    expect(await minute("sweep")).toBe(true);
    await vi.waitFor(() => expect(ran).toHaveLength(1), 20_000);
    expect(await minute("sweep")).toBe(false);
    end.resolve();
    await vi.waitFor(async () => expect(await minute("sweep")).toBe(true), 20_000);
    await vi.waitFor(() => expect(ran).toHaveLength(2), 20_000);
  }, 60_000);

  it("that throws is logged and runs again at its next time", async () => {
    let runs = 0;
    await (await node()).every("sweep", "0 3 * * *", async () => {
      runs += 1;
      throw new Error("a defect");
    });
    await minute("sweep");
    await vi.waitFor(
      () => expect(logged).toMatchObject([{ task: "sweep", err: { message: "a defect" } }]),
      20_000,
    );
    await vi.waitFor(async () => expect(await minute("sweep")).toBe(true), 20_000);
    await vi.waitFor(() => expect(runs).toBe(2), 20_000);
  }, 60_000);

  it("is waited for on a stop", async () => {
    const queue = await node();
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    let stopped = false;
    await queue.every("sweep", "0 3 * * *", async () => {
      begun.resolve();
      await end.promise;
      expect(stopped).toBe(false);
    });
    await minute("sweep");
    await begun.promise;
    const stop = queue.stop(10_000).then(() => {
      stopped = true;
    });
    end.resolve();
    await stop;
    expect(logged).toEqual([]);
  }, 30_000);
});
