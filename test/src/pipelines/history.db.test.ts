import { describe, expect, it } from "vitest";
import type { Document } from "../../support/builders.ts";
import { withBudget } from "./pipeline-requests.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);
const history = async (query = ""): Promise<Document> =>
  (await scene.api.send("GET", `${scene.churn.url}/history${query}`)).body;

async function tells(operation: string, events: readonly Document[]): Promise<void> {
  for (const [index, { phase = null, ...body }] of events.entries()) {
    await sql(
      `insert into operation_events (operation_id, sequence, at, type, phase, body)
       values ($1, $2, now(), 'resource', $3, $4)`,
      [operation, index + 1, phase, JSON.stringify(body)],
    );
  }
}
const event = (name: string, action: string, status: string, more: Document = {}) => ({
  status,
  action,
  urn: `urn:${name}`,
  resourceType: "aws:s3/bucket:Bucket",
  name,
  ...more,
});

describe("the history of a pipeline", () => {
  it("tells who changed it, how, when and why, the newest first", async () => {
    const { body: first } = await scene.churn.put(withBudget(50));
    await scene.churn.applied(first.id);
    const { body: second } = await scene.api.send("PATCH", `${scene.churn.url}?reason=more%20data`, {
      body: { budget: { monthlyUsd: 75 } },
    });
    await scene.churn.applied(second.id);
    const { items } = await history();
    expect(items).toMatchObject([
      {
        operation: second.id,
        kind: "update",
        state: "succeeded",
        requestedBy: expect.stringMatching(/^key:/),
        reason: "more data",
        revision: 2,
        from: 1,
        specChanges: [{ path: "/budget/monthlyUsd", before: 50, after: 75 }],
      },
      { operation: first.id, revision: 1, specChanges: [] },
    ]);
    expect(items[0].finishedAt).toBeDefined();
    expect(items[1].from).toBeUndefined();
  });

  it("compares with what was applied completely before, not with what was only tried", async () => {
    await scene.churn.applied((await scene.churn.put(withBudget(50))).body.id);
    const { body: tried } = await scene.churn.put(withBudget(75));
    await sql(
      "update operations set state = 'failed', started_at = now(), finished_at = now() where id = $1",
      [tried.id],
    );
    await scene.churn.applied((await scene.churn.put(withBudget(80))).body.id);
    const { items } = await history();
    expect(items.map((item: Document) => [item.state, item.from, item.specChanges[0]?.before])).toEqual([
      ["succeeded", 1, 50],
      ["failed", 1, 50],
      ["succeeded", undefined, undefined],
    ]);
  });

  it("names what a rollback restores", async () => {
    await scene.churn.applied((await scene.churn.put(withBudget(50))).body.id);
    await scene.churn.applied((await scene.churn.put(withBudget(75))).body.id);
    const { body: rollback } = await scene.api.send("POST", `${scene.churn.url}/rollbacks`, {
      body: { revision: 1 },
    });
    await scene.churn.applied(rollback.id);
    expect((await history()).items[0]).toMatchObject({
      kind: "rollback",
      revision: 3,
      from: 2,
      restores: 1,
      specChanges: [{ path: "/budget/monthlyUsd", before: 75, after: 50 }],
    });
  });

  it("holds what was really done to each resource, once", async () => {
    const { body: update } = await scene.churn.put();
    const changes = [{ path: "tags.a", kind: "update", before: "1", after: "2" }];
    await tells(update.id, [
      event("raw", "create", "started"),
      event("raw", "create", "failed", { phase: "infrastructure" }),
      event("raw", "create", "done", { phase: "infrastructure" }),
      event("models", "update", "done", { changes }),
      event("logs", "create-replacement", "done"),
      event("logs", "replace", "done", { changes }),
      event("logs", "delete-replaced", "done"),
      event("late", "create", "started"),
      event("bad", "delete", "failed"),
      event("component", "create", "done", { resourceType: "aidlc:phase:Infrastructure" }),
    ]);
    await scene.churn.applied(update.id);
    const [{ resources }] = (await history()).items;
    const type = "aws:s3/bucket:Bucket";
    expect(resources).toEqual([
      {
        urn: "urn:raw",
        type,
        name: "raw",
        phase: "infrastructure",
        action: "create",
        result: "done",
        changes: [],
      },
      { urn: "urn:models", type, name: "models", action: "update", result: "done", changes },
      { urn: "urn:logs", type, name: "logs", action: "replace", result: "done", changes },
      { urn: "urn:bad", type, name: "bad", action: "delete", result: "failed", changes: [] },
    ]);
  });

  it("leaves out checks, and what was called off before it began", async () => {
    const { body: first } = await scene.churn.put(withBudget(50));
    await scene.churn.applied(first.id);
    await scene.churn.put(withBudget(75));
    await scene.api.send("POST", `${scene.churn.url}/previews`);
    const { items } = await history();
    expect(items.map(({ operation }: Document) => operation)).toEqual([first.id]);
  });

  it("comes in pages", async () => {
    const ids: string[] = [];
    for (const budget of [50, 60, 70]) {
      const { body } = await scene.churn.put(withBudget(budget));
      await scene.churn.applied(body.id);
      ids.unshift(body.id);
    }
    const first = await history("?limit=2");
    const second = await history(`?limit=2&cursor=${first.nextCursor}`);
    const seen = [...first.items, ...second.items].map(({ operation }: Document) => operation);
    expect(seen).toEqual(ids);
    expect(second.nextCursor).toBeUndefined();
  });
});
