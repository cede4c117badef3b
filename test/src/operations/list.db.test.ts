import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listOperations, type OperationFilter } from "../../../src/operations/list.ts";
import type { OperationKind, OperationState } from "../../../src/operations/states.ts";
import { ensureStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let stackId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  stackId = await ensureStack(database.pool, "aidlc-pipeline", randomUUID());
});

afterAll(() => database.drop());

async function team(createdAt = "2026-01-01"): Promise<string> {
  const name = `team-${randomUUID()}`;
  await database.pool.query("insert into teams (name, display_name, created_at) values ($1, $1, $2)", [
    name,
    createdAt,
  ]);
  return name;
}

async function operation(
  inTeam: string,
  {
    kind = "drift",
    state = "succeeded",
    pipeline = "churn",
    createdAt = "2026-01-31T12:00:00.123456Z",
  }: { kind?: OperationKind; state?: OperationState; pipeline?: string; createdAt?: string } = {},
): Promise<string> {
  const id = randomUUID();
  await database.pool.query(
    `insert into operations (id, kind, state, stack_id, team, pipeline, request_id, created_at)
     values ($1, $2, $3, $4, $5, $6, 'r', $7)`,
    [id, kind, state, stackId, inTeam, pipeline, createdAt],
  );
  return id;
}

/** Every page of a list, two by two. */
async function all(filter: Omit<OperationFilter, "limit" | "after">) {
  const seen: { id: string; createdAt: Date }[] = [];
  for (let after: readonly string[] | undefined; ; ) {
    const rows = await listOperations(database.pool, { ...filter, after, limit: 2 });
    seen.push(...rows.slice(0, 2).map((row) => row.operation));
    if (rows.length <= 2) return seen;
    after = rows[1]?.key;
  }
}

describe("lists of operations", () => {
  it.each(["everything", "two teams"])(
    "page through all of %s once, the newest first, even where moments are equal",
    async (seen) => {
      const [mine, theirs] = [await team(), await team()];
      const ids: string[] = [];
      for (const of of [mine, theirs, mine, theirs, mine]) ids.push(await operation(of));
      ids.push(await operation(mine, { createdAt: "2026-02-01T12:00:00Z" }));
      ids.push(await operation(theirs, { createdAt: "2026-01-02T12:00:00Z" }));
      const visible = seen === "everything" ? undefined : [mine, theirs];
      const listed = (await all({ visible })).filter(({ id }) => ids.includes(id));
      expect(listed.map(({ id }) => id).sort()).toEqual(ids.sort());
      const moments = listed.map(({ createdAt }) => createdAt.getTime());
      expect(moments).toEqual([...moments].sort((a, b) => b - a));
    },
  );

  it.each(["an admin", "a member"])(
    "filter by team, pipeline, state and kind together for %s",
    async (who) => {
      const mine = await team();
      const visible = who === "an admin" ? undefined : [mine, await team()];
      const id = await operation(mine, { state: "queued", kind: "preview" });
      const given = { team: mine, pipeline: "churn", state: "queued", kind: "preview" } as const;
      const list = async (filter: Partial<OperationFilter>) =>
        (await all({ visible, ...filter })).map((listed) => listed.id);
      const names = Object.keys(given) as (keyof typeof given)[];
      for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
        const filter = Object.fromEntries(
          names.filter((_, bit) => chosen & (1 << bit)).map((name) => [name, given[name]]),
        );
        expect(await list(filter), JSON.stringify(filter)).toContain(id);
      }
      for (const miss of [
        { pipeline: "fraud" },
        { state: "running" },
        { kind: "drift" },
        { team: "other" },
      ] as const) {
        expect(await list({ ...given, ...miss }), JSON.stringify(miss)).toEqual([]);
      }
    },
  );

  it("show a member nothing of other teams, nor what an earlier team of the same name did", async () => {
    const [mine, other] = [await team("2026-01-15"), await team()];
    const seen = await operation(mine);
    await operation(mine, { createdAt: "2026-01-14T12:00:00Z" });
    await operation(other);
    expect((await all({ visible: [mine] })).map(({ id }) => id)).toEqual([seen]);
    expect((await all({ visible: [mine], team: mine })).map(({ id }) => id)).toEqual([seen]);
    expect(await all({ visible: [mine], team: other })).toEqual([]);
    expect(await all({ visible: [] })).toEqual([]);
    expect(await all({ visible: undefined, team: mine })).toHaveLength(2);
  });
});
