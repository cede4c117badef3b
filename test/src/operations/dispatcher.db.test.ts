import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OperationFeed } from "../../../src/operations/feed.ts";
import { claimNext } from "../../../src/operations/next-claim.ts";
import { laneOf, operationKinds } from "../../../src/operations/states.ts";
import { findOperation, requestCancel } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { aStack, enqueue, HeldRuns, insertQueued } from "./queue-scene.ts";

let database: TestDatabase;
let feed: OperationFeed;
let runs: HeldRuns;
const errors: Error[] = [];

// Twelve operations one after another: too short a time if each waited for a poll.
const withoutPollingMs = 15_000;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = new OperationFeed(database.url, (error) => errors.push(error));
  await feed.start();
});

afterAll(async () => {
  await feed.close();
  await database.drop();
});

beforeEach(() => {
  runs = new HeldRuns(database.pool);
});

afterEach(async () => {
  runs.end(...runs.running);
  for (const dispatcher of runs.dispatchers) await dispatcher.stop();
  await database.pool.query("delete from operations");
  await database.pool.query("delete from queue_turns");
  await database.pool.query(
    "update quota_defaults set operations_at_once = 10, account_operations_at_once = 10",
  );
  expect(errors.splice(0)).toEqual([]);
});

const node = { node: "node-a", leaseMs: 60_000 };

describe("the queue of operations", () => {
  it(
    "begins the changes of one stack strictly one after another, in the order they were asked for, on however many nodes",
    async () => {
      const stackId = await aStack(database.pool);
      const asked: string[] = [];
      for (let index = 0; index < 12; index++) asked.push(await enqueue(database.pool, { stackId }));
      for (const name of ["a", "b"]) runs.node(feed, name, { changes: 4, checks: 4 });
      for (const id of asked) {
        await runs.until(() => runs.running.has(id));
        expect([...runs.running]).toEqual([id]);
        runs.end(id);
      }
      await runs.until(() => runs.running.size === 0);
      expect(runs.begun).toEqual(asked);
    },
    withoutPollingMs,
  );

  it(
    "begins an operation because it was asked for, not because it was time to look again",
    async () => {
      runs.node(feed, "a", { changes: 1, checks: 1 });
      const stackId = await aStack(database.pool);
      for (let index = 0; index < 12; index++) {
        const id = await enqueue(database.pool, { stackId });
        runs.end(id);
        await runs.until(() => runs.begun.length === index + 1 && runs.running.size === 0);
      }
    },
    withoutPollingMs,
  );

  it(
    "begins the next when the end of one on another node made room for its team",
    async () => {
      await database.pool.query("update quota_defaults set operations_at_once = 1");
      for (const name of ["a", "b"]) runs.node(feed, name, { changes: 1, checks: 1 });
      const asked: string[] = [];
      for (let index = 0; index < 8; index++) {
        asked.push(await enqueue(database.pool, { stackId: await aStack(database.pool) }));
      }
      for (const id of asked) {
        await runs.until(() => runs.running.has(id));
        expect(runs.running.size).toBe(1);
        runs.end(id);
      }
      await runs.until(() => runs.running.size === 0);
    },
    withoutPollingMs,
  );

  it(
    "runs no more of a lane on a node than it has places, and goes on when one is free",
    async () => {
      const asked: string[] = [];
      for (let index = 0; index < 6; index++) {
        asked.push(await enqueue(database.pool, { stackId: await aStack(database.pool) }));
      }
      const dispatcher = runs.node(feed, "a", { changes: 2, checks: 2 });
      for (const id of asked) {
        await runs.until(() => runs.running.has(id));
        expect(runs.running.size).toBeLessThanOrEqual(2);
        runs.end(id);
      }
      await dispatcher.stop();
      expect(runs.begun).toEqual(asked);
    },
    withoutPollingMs,
  );

  it("lets no check wait for changes, not even for one of its stack or a flood of them", async () => {
    const stackId = await aStack(database.pool);
    await enqueue(database.pool, { stackId });
    for (let index = 0; index < 5; index++) {
      await enqueue(database.pool, { stackId: await aStack(database.pool) });
    }
    runs.node(feed, "a", { changes: 1, checks: 2 });
    await runs.until(() => runs.running.size === 1);
    const checks = [
      await enqueue(database.pool, { stackId, kind: "preview" }),
      await enqueue(database.pool, { stackId, kind: "drift" }),
    ];
    await runs.until(() => checks.every((id) => runs.running.has(id)));
    expect(runs.running.size).toBe(3);
  });

  it("lets no later change of a stack overtake one that went back to the queue", async () => {
    const stackId = await aStack(database.pool);
    const [first, second] = [
      await enqueue(database.pool, { stackId }),
      await enqueue(database.pool, { stackId }),
    ];
    const claim = await claimNext(database.pool, { lane: "changes", ...node });
    expect(claim?.operation.id).toBe(first);
    expect(await claimNext(database.pool, { lane: "changes", ...node })).toBeUndefined();
    await database.pool.query("update operations set state = 'queued', node = null where id = $1", [first]);
    const again = await claimNext(database.pool, { lane: "changes", ...node });
    expect(again?.operation.id).toBe(first);
    expect(again?.fencingToken).toBeGreaterThan(claim?.fencingToken ?? 0);
    await database.pool.query("update operations set state = 'cancelled' where id = $1", [first]);
    expect((await claimNext(database.pool, { lane: "changes", ...node }))?.operation.id).toBe(second);
  });

  it("never begins what was cancelled, and goes on with the next of its stack at once", async () => {
    const stackId = await aStack(database.pool);
    const [first, second, third] = [
      await enqueue(database.pool, { stackId }),
      await enqueue(database.pool, { stackId }),
      await enqueue(database.pool, { stackId }),
    ];
    await requestCancel(database.pool, first);
    runs.node(feed, "a", { changes: 2, checks: 1 });
    await runs.until(() => runs.running.has(second));
    await requestCancel(database.pool, third);
    runs.end(second);
    await runs.until(() => runs.running.size === 0);
    expect(runs.begun).toEqual([second]);
  });

  it("waits for no request that is just changing an operation's row, and doesn't pass it over on its stack", async () => {
    const stackId = await aStack(database.pool);
    const held = await enqueue(database.pool, { stackId });
    await enqueue(database.pool, { stackId });
    const other = await enqueue(database.pool, { stackId: await aStack(database.pool) });
    const claimed = await inTransaction(database.pool, async (client) => {
      await client.query("select from operations where id = $1 for update", [held]);
      const claim = await claimNext(database.pool, { lane: "changes", ...node });
      expect(await claimNext(database.pool, { lane: "changes", ...node })).toBeUndefined();
      return claim;
    });
    expect(claimed?.operation.id).toBe(other);
  });

  it("holds nothing of a transaction that was rolled back, and nothing before it is committed", async () => {
    runs.node(feed, "a", { changes: 2, checks: 1 });
    const stackId = await aStack(database.pool);
    const work = inTransaction(database.pool, async (client) => {
      await insertQueued(client, { stackId });
      const other = await enqueue(database.pool, { stackId: await aStack(database.pool) });
      await runs.until(() => runs.running.has(other));
      expect(runs.begun).toEqual([other]);
      throw new Error("rolled back");
    });
    await expect(work).rejects.toThrow("rolled back");
    const kept = await enqueue(database.pool, { stackId });
    await runs.until(() => runs.running.has(kept));
    expect(runs.begun).toHaveLength(2);
  });

  it("takes nothing further when it is stopped, and waits for what runs", async () => {
    const stackId = await aStack(database.pool);
    const first = await enqueue(database.pool, { stackId });
    const second = await enqueue(database.pool, { stackId });
    const dispatcher = runs.node(feed, "a", { changes: 1, checks: 1 });
    await runs.until(() => runs.running.has(first));
    let stopped = false;
    const stop = dispatcher.stop().then(() => {
      stopped = true;
    });
    await dispatcher.pause();
    expect(stopped).toBe(false);
    runs.end(first);
    await stop;
    expect(runs.begun).toEqual([first]);
    expect((await findOperation(database.pool, second))?.state).toBe("queued");
  });

  it("leaves what couldn't be recorded to its lease, and its place to the next", async () => {
    const stackId = await aStack(database.pool);
    const lost = await enqueue(database.pool, { stackId });
    await enqueue(database.pool, { stackId });
    const other = await enqueue(database.pool, { stackId: await aStack(database.pool) });
    runs.node(feed, "a", { changes: 1, checks: 1 });
    await runs.until(() => runs.running.has(lost));
    runs.fail(lost);
    await runs.until(() => runs.running.has(other));
    expect((await findOperation(database.pool, lost))?.state).toBe("running");
    expect(runs.begun).toEqual([lost, other]);
  });

  it.each(operationKinds)("has the same lane for a %s as the database", async (kind) => {
    const id = await enqueue(database.pool, { stackId: await aStack(database.pool), kind });
    const { rows } = await database.pool.query("select lane from operations where id = $1", [id]);
    expect(rows).toEqual([{ lane: laneOf(kind) }]);
  });

  it("lets no two changes of a stack run, whoever asks the database for that", async () => {
    const stackId = await aStack(database.pool);
    for (const _ of [1, 2]) await enqueue(database.pool, { stackId });
    await expect(database.pool.query("update operations set state = 'running'")).rejects.toThrow(
      "operations_one_change_per_stack",
    );
  });
});

describe("a flood of one team", () => {
  it("doesn't keep another team waiting: the one with the fewest running is next, then the one served longest ago", async () => {
    for (let index = 0; index < 40; index++) {
      await enqueue(database.pool, { team: "flood", stackId: await aStack(database.pool) });
    }
    const small: string[] = [];
    for (const team of ["b", "c", "b"]) {
      small.push(await enqueue(database.pool, { team, stackId: await aStack(database.pool) }));
    }
    const order: string[] = [];
    for (let index = 0; index < 7; index++) {
      const claim = await claimNext(database.pool, { lane: "changes", ...node });
      order.push(claim?.operation.team ?? "");
    }
    expect(order).toEqual(["flood", "b", "c", "flood", "b", "flood", "flood"]);
  });

  it("takes turns with the others even when each ends before the next begins", async () => {
    for (const team of ["flood", "b"]) {
      for (let index = 0; index < 3; index++) {
        await enqueue(database.pool, { team, stackId: await aStack(database.pool) });
      }
    }
    const order: string[] = [];
    for (let index = 0; index < 6; index++) {
      const claim = await claimNext(database.pool, { lane: "changes", ...node });
      order.push(claim?.operation.team ?? "");
      await database.pool.query("update operations set state = 'succeeded' where state = 'running'");
    }
    expect(order).toEqual(["flood", "b", "flood", "b", "flood", "b"]);
  });
});

describe("caps", () => {
  it("hold for a team, as the service or its own quota says, in each lane by itself", async () => {
    const team = `team-${randomUUID().slice(0, 8)}`;
    await database.pool.query("insert into teams (name, display_name) values ($1, 'T')", [team]);
    await database.pool.query("insert into team_quotas (team, operations_at_once) values ($1, 2)", [team]);
    for (let index = 0; index < 4; index++) {
      await enqueue(database.pool, { team, stackId: await aStack(database.pool) });
      await enqueue(database.pool, { team, stackId: await aStack(database.pool), kind: "drift" });
    }
    for (const lane of ["changes", "checks"] as const) {
      expect(await claimNext(database.pool, { lane, ...node })).toBeDefined();
      expect(await claimNext(database.pool, { lane, ...node })).toBeDefined();
      expect(await claimNext(database.pool, { lane, ...node })).toBeUndefined();
    }
  });

  it("hold for an account of AWS, whichever teams work in it", async () => {
    await database.pool.query("update quota_defaults set account_operations_at_once = 2");
    const [{ id: stack } = { id: "" }] = (
      await database.pool.query<{ id: string }>(
        "insert into stacks (project, name) values ('aidlc-foundation', $1) returning id",
        [randomUUID()],
      )
    ).rows;
    await database.pool.query(
      "insert into foundations (aws_account_id, region, stack_id) values ('123456789012', 'eu-central-1', $1)",
      [stack],
    );
    for (const team of ["one", "two", "three"]) {
      await database.pool.query("insert into teams (name, display_name) values ($1, $1)", [team]);
      await database.pool.query(
        "insert into accounts (team, name, aws_account_id, region) values ($1, 'shared', '123456789012', 'eu-central-1')",
        [team],
      );
      await enqueue(database.pool, { team, account: "shared", stackId: await aStack(database.pool) });
    }
    const elsewhere = await enqueue(database.pool, { team: "three", stackId: await aStack(database.pool) });
    const claims = [];
    for (let index = 0; index < 4; index++) {
      claims.push((await claimNext(database.pool, { lane: "changes", ...node }))?.operation);
    }
    expect(claims.map((each) => each?.team)).toEqual(["one", "two", "three", undefined]);
    expect(claims[2]?.id).toBe(elsewhere);
  });
});
