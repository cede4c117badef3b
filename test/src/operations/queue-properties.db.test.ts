import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimNext } from "../../../src/operations/next-claim.ts";
import { type Lane, laneOf, lanes, type OperationKind } from "../../../src/operations/states.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { aStack, enqueue } from "./queue-scene.ts";

const teams = ["ash", "birch", "cedar"] as const;
const accounts = ["one", "two"] as const;
const caps = { team: 2, account: 3 };
const stackCount = 5;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  for (const [index, account] of accounts.entries()) {
    const awsAccount = `11111111111${index}`;
    await pool.query(
      `with stack as (insert into stacks (project, name) values ('aidlc-foundation', $1) returning id)
       insert into foundations (aws_account_id, region, stack_id) select $1, 'eu-central-1', id from stack`,
      [awsAccount],
    );
    for (const team of teams) {
      await pool.query("insert into teams (name, display_name) values ($1, $1) on conflict do nothing", [
        team,
      ]);
      await pool.query(
        "insert into accounts (team, name, aws_account_id, region) values ($1, $2, $3, 'eu-central-1')",
        [team, account, awsAccount],
      );
    }
  }
  await pool.query("update quota_defaults set operations_at_once = $1, account_operations_at_once = $2", [
    caps.team,
    caps.account,
  ]);
});

afterAll(() => database.drop());

interface Asked {
  readonly id: string;
  readonly team: string;
  readonly account: string;
  readonly stack: number;
  readonly kind: OperationKind;
  state: "queued" | "running" | "ended";
}

/** What the queue has to do, told again in the simplest way. */
class Model {
  readonly asked: Asked[] = [];
  readonly #served: Record<Lane, string[]> = { changes: [], checks: [] };

  running(lane: Lane): Asked[] {
    return this.asked.filter((each) => each.state === "running" && laneOf(each.kind) === lane);
  }

  /** Those that may begin, in the order they were asked for. */
  eligible(lane: Lane): Asked[] {
    const running = this.running(lane);
    return this.asked.filter(
      (each, index) =>
        each.state === "queued" &&
        laneOf(each.kind) === lane &&
        running.filter(({ team }) => team === each.team).length < caps.team &&
        running.filter(({ account }) => account === each.account).length < caps.account &&
        (lane === "checks" || this.#firstOnStack(each, index)),
    );
  }

  /** Whose turn it is: the team with the fewest running, then the one served longest ago, then the oldest of its operations. */
  next(lane: Lane): Asked | undefined {
    const running = this.running(lane);
    const rank = (each: Asked) => [
      running.filter(({ team }) => team === each.team).length,
      this.#served[lane].lastIndexOf(each.team),
    ];
    return this.eligible(lane).toSorted((a, b) => {
      const [[runningA = 0, servedA = 0], [runningB = 0, servedB = 0]] = [rank(a), rank(b)];
      return runningA - runningB || servedA - servedB;
    })[0];
  }

  begin(id: string): Asked {
    const asked = this.asked.find((each) => each.id === id) as Asked;
    asked.state = "running";
    this.#served[laneOf(asked.kind)].push(asked.team);
    return asked;
  }

  /** All that came before it on its stack have ended. */
  #firstOnStack({ stack }: Asked, index: number): boolean {
    return (
      this.asked
        .slice(0, index)
        .every((each) => each.stack !== stack || laneOf(each.kind) === "checks" || each.state === "ended") &&
      !this.running("changes").some((each) => each.stack === stack)
    );
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      team: fc.constantFrom(...teams),
      // A flood now and then.
      count: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 4, max: 8 })),
      stack: fc.nat(stackCount - 1),
      account: fc.constantFrom(...accounts),
      kind: fc.constantFrom<OperationKind>("update", "reconcile", "destroy", "preview", "drift"),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      lane: fc.constantFrom(...lanes),
      // Nodes that ask at the same moment.
      nodes: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("end" as const, "give back" as const),
      which: fc.nat(20),
    }),
  },
);

describe("whatever is asked for, taken, ended and given back, by however many nodes", () => {
  it("the queue keeps the order of each stack and every cap, gives each team its turn, and lets nobody starve", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const { pool } = database;
        await pool.query("delete from operations");
        await pool.query("delete from queue_turns");
        const stacks: string[] = [];
        for (let index = 0; index < stackCount; index++) stacks.push(await aStack(pool));
        const model = new Model();
        const take = async (lane: Lane, nodes: number) => {
          const expected = nodes === 1 ? model.next(lane) : undefined;
          const room = model.eligible(lane).length > 0;
          const taken = (
            await Promise.all(
              Array.from({ length: nodes }, () =>
                claimNext(pool, { lane, node: randomUUID(), leaseMs: 60_000 }),
              ),
            )
          ).filter((claim) => claim !== undefined);
          if (nodes === 1) expect(taken[0]?.operation.id).toBe(expected?.id);
          // Whoever looks finds something as long as something may run.
          expect(taken.length > 0).toBe(room);
          // In the order in which they were taken.
          for (const claim of taken.toSorted((a, b) => a.fencingToken - b.fencingToken)) {
            expect(model.eligible(lane).map(({ id }) => id)).toContain(claim.operation.id);
            expect(model.next(lane)?.id).toBe(claim.operation.id);
            model.begin(claim.operation.id);
          }
        };
        const leave = async (asked: Asked | undefined, state: "queued" | "ended") => {
          if (asked === undefined) return;
          asked.state = state;
          await pool.query("update operations set state = $2 where id = $1", [
            asked.id,
            state === "ended" ? "succeeded" : "queued",
          ]);
        };
        for (const each of steps) {
          if (each.do === "ask") {
            const { team, account, stack, kind } = each;
            for (let index = 0; index < each.count; index++) {
              const id = await enqueue(pool, { team, account, kind, stackId: stacks[stack] ?? "" });
              model.asked.push({ id, team, account, stack, kind, state: "queued" });
            }
          } else if (each.do === "take") await take(each.lane, each.nodes);
          else {
            const running = model.asked.filter(({ state }) => state === "running");
            await leave(running[each.which % (running.length || 1)], each.do === "end" ? "ended" : "queued");
          }
        }
        // Nothing new comes: as many turns as there are operations are enough for everybody.
        for (let turn = 0; turn <= model.asked.length; turn++) {
          for (const lane of lanes) await take(lane, 1);
          const running = model.asked.find(({ state }) => state === "running");
          await leave(running, "ended");
        }
        expect(model.asked.filter(({ state }) => state !== "ended")).toEqual([]);
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});
