import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { type Lane, openQueue, type Queue, type QueuedOperation } from "../../../src/queue/queue.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let queue: Queue;
let others: Queue[];
const errors: Error[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  queue = await openQueue(database.url, (error) => errors.push(error));
  others = [];
});

afterEach(async () => {
  for (const each of [queue, ...others]) await each.stop(5_000);
  await database.pool.query("drop schema pgboss cascade");
  expect(errors.splice(0)).toEqual([]);
});

async function send(lane: Lane, stackId: string): Promise<string> {
  const operationId = randomUUID();
  await inTransaction(database.pool, (client) => queue.send(client, lane, stackId, { operationId }));
  return operationId;
}

/** A handler whose jobs begin by themselves and end when the test says so. */
function heldJobs() {
  const begun: string[] = [];
  const running = new Set<string>();
  const bell = new EventEmitter().setMaxListeners(0);
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (id: string) => {
    const existing = gates.get(id) ?? Promise.withResolvers<void>();
    gates.set(id, existing);
    return existing;
  };
  return {
    begun,
    running,
    handler: async ({ operationId }: QueuedOperation) => {
      begun.push(operationId);
      running.add(operationId);
      bell.emit("change");
      try {
        await gate(operationId).promise;
      } finally {
        running.delete(operationId);
        bell.emit("change");
      }
    },
    end: (id: string) => gate(id).resolve(),
    fail: (id: string) => {
      gate(id).reject(new Error("the handler failed"));
      gates.delete(id);
    },
    until: async (condition: () => boolean) => {
      while (!condition()) await once(bell, "change");
    },
  };
}

// Twelve jobs one after another: too short a time if each waited for a poll, whose interval is at least a second.
const withoutPollingMs = 10_000;

describe("the queue", () => {
  it(
    "runs the changes of one stack strictly one after another, in the order they were sent",
    async () => {
      const stack = randomUUID();
      const sent: string[] = [];
      for (let index = 0; index < 12; index++) sent.push(await send("changes", stack));
      let atOnce = 0;
      let most = 0;
      const done: string[] = [];
      const all = Promise.withResolvers<void>();
      await queue.work(4, async ({ operationId }) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        // Gives every other worker the chance to take a job of the same stack.
        await database.pool.query("select pg_sleep(0.02)");
        atOnce -= 1;
        done.push(operationId);
        if (done.length === sent.length) all.resolve();
      });
      await all.promise;
      expect(done).toEqual(sent);
      expect(most).toBe(1);
    },
    withoutPollingMs,
  );

  it(
    "keeps that order when two nodes work on the same stacks",
    async () => {
      const second = await openQueue(database.url, (error) => errors.push(error));
      others.push(second);
      const stacks = [randomUUID(), randomUUID(), randomUUID()];
      const sent = new Map<string, string[]>(stacks.map((stack) => [stack, []]));
      const stackOf = new Map<string, string>();
      for (let round = 0; round < 12; round++) {
        for (const stack of stacks) {
          const id = await send("changes", stack);
          sent.get(stack)?.push(id);
          stackOf.set(id, stack);
        }
      }
      const done = new Map<string, string[]>(stacks.map((stack) => [stack, []]));
      const busy = new Set<string>();
      const overlaps: string[] = [];
      const all = Promise.withResolvers<void>();
      const handler = async ({ operationId }: QueuedOperation) => {
        const stack = stackOf.get(operationId) ?? "";
        if (busy.has(stack)) overlaps.push(operationId);
        busy.add(stack);
        await database.pool.query("select pg_sleep(0.02)");
        busy.delete(stack);
        done.get(stack)?.push(operationId);
        if ([...done.values()].flat().length === stackOf.size) all.resolve();
      };
      await Promise.all([queue.work(3, handler), second.work(3, handler)]);
      await all.promise;
      expect(done).toEqual(sent);
      expect(overlaps).toEqual([]);
    },
    withoutPollingMs,
  );

  it("runs the changes of different stacks at the same time", async () => {
    const jobs = heldJobs();
    const first = await send("changes", randomUUID());
    const second = await send("changes", randomUUID());
    await queue.work(2, jobs.handler);
    await jobs.until(() => jobs.running.size === 2);
    jobs.end(first);
    jobs.end(second);
    await jobs.until(() => jobs.running.size === 0);
  }, 15_000);

  it("never lets a check wait for a change, not even for one of its own stack", async () => {
    const jobs = heldJobs();
    const stack = randomUUID();
    const changes = [
      await send("changes", stack),
      await send("changes", stack),
      await send("changes", randomUUID()),
    ];
    await queue.work(1, jobs.handler);
    await jobs.until(() => jobs.running.size === 1);
    const check = await send("checks", stack);
    await jobs.until(() => jobs.begun.includes(check));
    expect(jobs.running).toEqual(new Set([changes[0], check]));
    jobs.end(check);
    for (const change of changes) jobs.end(change);
    await jobs.until(() => jobs.begun.length === 4 && jobs.running.size === 0);
  }, 15_000);

  it("runs several checks of one stack at the same time", async () => {
    const jobs = heldJobs();
    const stack = randomUUID();
    const checks = [await send("checks", stack), await send("checks", stack)];
    await queue.work(2, jobs.handler);
    await jobs.until(() => jobs.running.size === 2);
    for (const check of checks) jobs.end(check);
    await jobs.until(() => jobs.running.size === 0);
  }, 15_000);

  it("holds no job of a transaction that was rolled back", async () => {
    const jobs = heldJobs();
    const stack = randomUUID();
    const lost = randomUUID();
    const work = inTransaction(database.pool, async (client) => {
      await queue.send(client, "changes", stack, { operationId: lost });
      throw new Error("rolled back");
    });
    await expect(work).rejects.toThrow("rolled back");
    await queue.work(1, jobs.handler);
    // The stack's queue is in order: had the lost job existed, it would have come first.
    const kept = await send("changes", stack);
    jobs.end(kept);
    await jobs.until(() => jobs.begun.length === 1 && jobs.running.size === 0);
    expect(jobs.begun).toEqual([kept]);
  }, 15_000);

  it("holds no job before its transaction is committed", async () => {
    const jobs = heldJobs();
    await queue.work(1, jobs.handler);
    const early = randomUUID();
    const later = await inTransaction(database.pool, async (client) => {
      await queue.send(client, "changes", randomUUID(), { operationId: early });
      const other = await send("changes", randomUUID());
      await jobs.until(() => jobs.begun.length === 1);
      return other;
    });
    expect(jobs.begun).toEqual([later]);
    jobs.end(later);
    jobs.end(early);
    await jobs.until(() => jobs.begun.length === 2 && jobs.running.size === 0);
  }, 15_000);

  it("gives a job whose handler threw to a handler again", async () => {
    const jobs = heldJobs();
    await queue.work(1, jobs.handler);
    const id = await send("changes", randomUUID());
    await jobs.until(() => jobs.running.size === 1);
    jobs.fail(id);
    await jobs.until(() => jobs.running.size === 0);
    await startRetriesNow();
    await jobs.until(() => jobs.begun.length === 2);
    jobs.end(id);
    await jobs.until(() => jobs.running.size === 0);
    expect(jobs.begun).toEqual([id, id]);
  }, 15_000);

  it("lets no later change of a stack overtake one that is tried again", async () => {
    const jobs = heldJobs();
    await queue.work(2, jobs.handler);
    const stack = randomUUID();
    const first = await send("changes", stack);
    await jobs.until(() => jobs.running.size === 1);
    const second = await send("changes", stack);
    jobs.fail(first);
    // A job of another stack runs through meanwhile: the workers did look for work.
    const other = await send("changes", randomUUID());
    jobs.end(other);
    await jobs.until(() => jobs.begun.includes(other) && jobs.running.size === 0);
    await startRetriesNow();
    await jobs.until(() => jobs.begun.length === 3);
    expect(jobs.begun).toEqual([first, other, first]);
    jobs.end(first);
    jobs.end(second);
    await jobs.until(() => jobs.begun.length === 4 && jobs.running.size === 0);
    expect(jobs.begun.at(-1)).toBe(second);
  }, 15_000);

  it("goes on with the next change of a stack when the one before is discarded", async () => {
    const jobs = heldJobs();
    const stack = randomUUID();
    const discarded = await send("changes", stack);
    const next = await send("changes", stack);
    await queue.discard("changes", discarded);
    await queue.work(2, jobs.handler);
    await jobs.until(() => jobs.running.size === 1);
    expect(jobs.begun).toEqual([next]);
    jobs.end(next);
    await jobs.until(() => jobs.running.size === 0);
  }, 15_000);

  it(
    "goes on with the next job when one beyond its concurrency has ended",
    async () => {
      const jobs = heldJobs();
      const sent: string[] = [];
      for (let index = 0; index < 12; index++) sent.push(await send("changes", randomUUID()));
      await queue.work(2, jobs.handler);
      for (const id of sent) {
        await jobs.until(() => jobs.running.has(id));
        expect(jobs.running.size).toBeLessThanOrEqual(2);
        jobs.end(id);
      }
      await jobs.until(() => jobs.begun.length === sent.length && jobs.running.size === 0);
    },
    withoutPollingMs,
  );

  it("discards what isn't there without an error", async () => {
    await expect(queue.discard("checks", randomUUID())).resolves.toBeUndefined();
  });

  it("keeps jobs that nobody worked on over a restart", async () => {
    const jobs = heldJobs();
    const id = await send("checks", randomUUID());
    await queue.stop(1_000);
    queue = await openQueue(database.url, (error) => errors.push(error));
    await queue.work(1, jobs.handler);
    await jobs.until(() => jobs.running.size === 1);
    jobs.end(id);
    await jobs.until(() => jobs.running.size === 0);
    expect(jobs.begun).toEqual([id]);
  }, 15_000);

  it("waits on a stop for the job that runs, and takes no other", async () => {
    const jobs = heldJobs();
    const stack = randomUUID();
    const first = await send("changes", stack);
    await send("changes", stack);
    await queue.work(1, jobs.handler);
    await jobs.until(() => jobs.running.size === 1);
    let stopped = false;
    const stop = queue.stop(10_000).then(() => {
      stopped = true;
    });
    await database.pool.query("select pg_sleep(0.2)");
    expect(stopped).toBe(false);
    jobs.end(first);
    await stop;
    expect(jobs.begun).toEqual([first]);
  }, 15_000);

  it(
    "begins a job because it was sent, not because it was time to look again",
    async () => {
      const jobs = heldJobs();
      await queue.work(1, jobs.handler);
      const stack = randomUUID();
      for (let index = 0; index < 12; index++) {
        const id = await send("changes", stack);
        jobs.end(id);
        await jobs.until(() => jobs.begun.length === index + 1 && jobs.running.size === 0);
      }
    },
    withoutPollingMs,
  );

  async function startRetriesNow(): Promise<void> {
    await vi.waitFor(async () => {
      const retried = await database.pool.query(
        "update pgboss.job set start_after = now() where state = 'retry'",
      );
      expect(retried.rowCount).toBe(1);
    });
  }
});
