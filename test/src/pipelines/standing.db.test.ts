import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { OperationKind } from "../../../src/operations/states.ts";
import { readStanding } from "../../../src/pipelines/standing.ts";
import { ensureStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query("insert into teams (name, display_name) values ('ml', 'ML')");
});

afterAll(() => database.drop());

async function pipeline() {
  const name = `p-${randomUUID()}`;
  const stackId = await ensureStack(database.pool, "aidlc-pipeline", `ml.${name}`);
  const inserted = await database.pool.query<{ id: string }>(
    "insert into pipelines (team, name, account, stack_id, desired_revision) values ('ml', $1, 'main', $2, 1) returning id",
    [name, stackId],
  );
  return { name, stackId, id: inserted.rows[0]!.id };
}

type Pipeline = Awaited<ReturnType<typeof pipeline>>;

async function ended({ id, name, stackId }: Pipeline, kind: OperationKind): Promise<string> {
  const operation = randomUUID();
  await database.pool.query(
    `insert into operations (id, kind, state, stack_id, team, pipeline, pipeline_id, request_id, started_at, finished_at)
     values ($1, $2, 'succeeded', $3, 'ml', $4, $5, 'r', clock_timestamp(), clock_timestamp())`,
    [operation, kind, stackId, name, id],
  );
  return operation;
}

const standing = ({ name }: Pipeline) => readStanding(database.pool, "ml", name);

it("names each phase once in which a resource failed in the last change, and no other phase", async () => {
  const churn = await pipeline();
  const addEvents = (operation: string, events: readonly (readonly [string, string | null, string])[]) =>
    database.pool.query(
      `insert into operation_events (operation_id, sequence, at, type, phase, body)
       select $1, row_number() over (), now(), e->>0, e->>1, jsonb_build_object('status', e->>2) from jsonb_array_elements($2) e`,
      [operation, JSON.stringify(events)],
    );
  await addEvents(await ended(churn, "update"), [["resource", "architecture", "failed"]]);
  await addEvents(await ended(churn, "update"), [
    ["resource", "learning", "failed"],
    ["resource", "learning", "failed"],
    ["resource", "deployment", "done"],
    ["resource", null, "failed"],
    ["diagnostic", "compliance", "failed"],
  ]);
  expect((await standing(churn)).failed).toEqual(new Set(["learning"]));
});

it("says when drift was last looked for, until a change of the stack ends", async () => {
  const churn = await pipeline();
  expect((await standing(churn)).checkedAt).toBeUndefined();
  await ended(churn, "drift");
  const first = (await standing(churn)).checkedAt;
  expect(first).toBeInstanceOf(Date);
  await ended(churn, "drift");
  expect((await standing(churn)).checkedAt?.getTime()).toBeGreaterThan(first!.getTime());
  await ended(churn, "refresh");
  expect((await standing(churn)).checkedAt).toBeUndefined();
  await ended(churn, "drift");
  expect((await standing(churn)).checkedAt).toBeInstanceOf(Date);
});

it("tells a team that isn't there from a pipeline that isn't", async () => {
  await expect(readStanding(database.pool, "ml", "none")).rejects.toMatchObject({
    code: "pipeline_not_found",
  });
  await expect(readStanding(database.pool, "no-team", "none")).rejects.toMatchObject({
    code: "team_not_found",
  });
});
