import { describe, expect, it, vi } from "vitest";
import { type Document, validSpec } from "../../support/builders.ts";
import { pipelineScene } from "../pipelines/pipeline-scene.ts";

const scene = pipelineScene();

const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);

describe("the list of operations", () => {
  it("pages through everything once, the newest first, and filters", async () => {
    const own = await scene.api.teamWithAccount();
    const target = `/v1/teams/${own}/pipelines/${scene.churn.name}`;
    await scene.api.send("PUT", target, { body: validSpec() });
    for (let index = 0; index < 4; index++) await scene.api.send("POST", `${target}/previews`);
    const seen: Document[] = [];
    let cursor = "";
    do {
      const { body } = await scene.api.send("GET", `/v1/operations?team=${own}&limit=2${cursor}`);
      seen.push(...body.items);
      cursor = body.nextCursor === undefined ? "" : `&cursor=${body.nextCursor}`;
    } while (cursor !== "");
    expect(seen.map((item) => item.kind)).toEqual([
      "preview",
      "preview",
      "preview",
      "preview",
      "update",
      "update",
    ]);
    expect(new Set(seen.map((item) => item.id)).size).toBe(6);
    const { body } = await scene.api.send(
      "GET",
      `/v1/operations?team=${own}&kind=update&state=queued&pipeline=${scene.churn.name}`,
    );
    expect(body.items).toHaveLength(1);
  });
});

describe("an operation that waits", () => {
  it("says why, and which place it has, wherever it is read", async () => {
    const { body } = await scene.churn.put();
    const waiting = { reason: "no_worker", position: expect.any(Number) };
    expect((await scene.api.send("GET", `/v1/operations/${body.id}`)).body).toMatchObject({
      state: "queued",
      waiting,
    });
    const { body: list } = await scene.api.send("GET", `/v1/operations?team=${scene.team}&state=queued`);
    expect(list.items).toMatchObject([{ id: body.id, waiting }]);
    await scene.api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect((await scene.api.send("GET", `/v1/operations/${body.id}`)).body).not.toHaveProperty("waiting");
  });
});

describe("cancelling", () => {
  it("ends a queued operation at once and tells the workers of all nodes", async () => {
    const { body } = await scene.churn.put();
    const cancelled = await scene.api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 202,
      body: { state: "cancelled", finishedAt: expect.any(String), cancelRequestedAt: expect.any(String) },
    });
    await vi.waitFor(() => expect(scene.api.cancelled).toContain(body.id));
  });

  it("of a running operation is noted; it ends by itself", async () => {
    const { body } = await scene.churn.put();
    await sql("update operations set state = 'running' where id = $1", [body.id]);
    const cancelled = await scene.api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 202,
      body: { state: "running", cancelRequestedAt: expect.any(String) },
    });
    expect(cancelled.body).not.toHaveProperty("finishedAt");
  });

  it("of an ended operation is a conflict that says how it ended", async () => {
    const { body } = await scene.churn.put();
    await scene.churn.applied(body.id);
    const refused = await scene.api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("succeeded");
  });
});
