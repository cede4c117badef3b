import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { claimOperation } from "../../../src/operations/claims.ts";
import { claimNext } from "../../../src/operations/next-claim.ts";
import { queueLoad, queuePositions } from "../../../src/operations/queue-position.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { aNode, aStack, enqueue } from "./queue-scene.ts";

const node = { node: "node-a", leaseMs: 60_000 };

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await database.pool.query("delete from operations; delete from nodes; delete from queue_turns");
  await database.pool.query(
    "update quota_defaults set operations_at_once = 10, account_operations_at_once = 10",
  );
});

afterAll(() => database.drop());

const ask = async (team: string, stackId?: string) =>
  enqueue(database.pool, { team, stackId: stackId ?? (await aStack(database.pool)) });

/** Reasons and positions, in the order of the ids. */
async function waiting(...ids: string[]): Promise<string[]> {
  const found = await queuePositions(database.pool, ids);
  return ids.map((id) => {
    const at = found.get(id);
    return at === undefined ? "none" : `${at.reason} ${at.position}`;
  });
}

describe("an operation that waits", () => {
  it("is next while there are places for those before it and itself; the others wait for a node", async () => {
    await aNode(database.pool, "a", { changes: 1, checks: 1 });
    await aNode(database.pool, "b", { changes: 1, checks: 1 });
    const ids = [await ask("ml"), await ask("ml"), await ask("ml")];
    expect(await waiting(...ids)).toEqual(["next 1", "next 2", "node_full 3"]);
    await claimNext(database.pool, { lane: "changes", ...node });
    expect(await waiting(...ids)).toEqual(["none", "next 1", "node_full 2"]);
  });

  it("waits for a worker while none lives", async () => {
    const id = await ask("ml");
    expect(await waiting(id)).toEqual(["no_worker 1"]);
    await aNode(database.pool, "a", { changes: 1, checks: 1 });
    await database.pool.query("update nodes set seen_at = seen_at - interval '1 minute'");
    expect(await waiting(id)).toEqual(["no_worker 1"]);
  });

  it("waits behind the operation of its stack that has to end first", async () => {
    await aNode(database.pool, "a", { changes: 5, checks: 5 });
    const stackId = await aStack(database.pool);
    const [first, second, third] = [
      await ask("ml", stackId),
      await ask("ml", stackId),
      await ask("ml", stackId),
    ];
    expect(await waiting(first, second, third)).toEqual(["next 1", "stack_busy 2", "stack_busy 3"]);
    expect((await queuePositions(database.pool, [third])).get(third)?.behind).toEqual({
      id: first,
      team: "ml",
    });
    await claimOperation(database.pool, first, node);
    expect(await waiting(first, second, third)).toEqual(["none", "stack_busy 1", "stack_busy 2"]);
    expect((await queuePositions(database.pool, [third])).get(third)?.behind).toEqual({
      id: first,
      team: "ml",
    });
  });

  it("waits for the cap of its team or its account when those before it take what is left of it", async () => {
    await aNode(database.pool, "a", { changes: 9, checks: 9 });
    await database.pool.query("update quota_defaults set operations_at_once = 2");
    const own = [await ask("ml"), await ask("ml"), await ask("ml")];
    const other = await ask("vision");
    expect(await waiting(...own, other)).toEqual(["next 1", "next 3", "team_cap 4", "next 2"]);
    await database.pool.query(
      "update quota_defaults set operations_at_once = 9, account_operations_at_once = 1",
    );
    await database.pool.query("update operations set aws_account_id = '111122223333'");
    expect(await waiting(...own, other)).toEqual([
      "next 1",
      "account_cap 3",
      "account_cap 4",
      "account_cap 2",
    ]);
  });

  it("has the position in which the queue takes it, whatever a flood came before", async () => {
    await aNode(database.pool, "a", { changes: 20, checks: 20 });
    const asked: string[] = [];
    for (const team of ["flood", "flood", "flood", "flood", "b", "flood", "c", "b", "c", "c"]) {
      asked.push(await ask(team));
    }
    const positions = await queuePositions(database.pool, asked);
    const foretold = asked.toSorted(
      (a, b) => (positions.get(a)?.position ?? 0) - (positions.get(b)?.position ?? 0),
    );
    const taken: string[] = [];
    while (taken.length < asked.length) {
      taken.push((await claimNext(database.pool, { lane: "changes", ...node }))?.operation.id ?? "");
    }
    expect(taken).toEqual(foretold);
  });

  it("is counted by lane and reason, with the age of the oldest", async () => {
    const first = await ask("ml");
    await ask("ml");
    await enqueue(database.pool, { stackId: await aStack(database.pool), kind: "drift" });
    await database.pool.query(
      "update operations set created_at = created_at - interval '1 hour' where id = $1",
      [first],
    );
    const load = await queueLoad(database.pool);
    expect(load).toMatchObject([
      { lane: "changes", reason: "no_worker", count: 2 },
      { lane: "checks", reason: "no_worker", count: 1 },
    ]);
    expect(load[0]?.oldestSeconds).toBeGreaterThanOrEqual(3_600);
  });
});
