import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Document, validSpec } from "../../support/builders.ts";
import { PipelineRequests, withBudget } from "./pipeline-requests.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const operation = async (id: string) => (await scene.api.send("GET", `/v1/operations/${id}`)).body;
const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);

describe("the same spec", () => {
  it("makes no new revision, however it is written", async () => {
    await scene.churn.put();
    const reordered = Object.fromEntries(Object.entries(validSpec()).reverse());
    await scene.churn.put(reordered);
    const filled = (await scene.churn.read()).spec;
    await scene.churn.put(filled);
    await scene.churn.put(stringify(validSpec()), { "content-type": "application/yaml" });
    await scene.churn.put(JSON.stringify(validSpec(), undefined, 4), {
      "content-type": "application/json; charset=utf-8",
    });
    expect(await scene.churn.revisions()).toHaveLength(1);
    expect((await scene.churn.read()).desiredRevision).toBe(1);
  });

  it("is applied again all the same", async () => {
    const { body: first } = await scene.churn.put();
    await scene.churn.applied(first.id);
    const { body: second } = await scene.churn.put();
    expect(second).toMatchObject({ kind: "update", state: "queued", revision: 1 });
    expect(second.id).not.toBe(first.id);
  });

  it.each(["application/yaml", "application/x-yaml", "text/yaml"])(
    "as %s and as JSON has one digest",
    async (type) => {
      const spec = validSpec((draft) => {
        draft.training.schedule = "cron(0 3 ? * MON *)";
        draft.dataset.schema.push(
          { name: "when", type: "date", min: "2026-01-01" },
          { name: "yes", type: "string" },
        );
      });
      await scene.churn.put(stringify(spec), { "content-type": type });
      const [first] = await scene.churn.revisions();
      scene.churn = new PipelineRequests(scene.api, scene.team);
      await scene.churn.put(spec);
      const [second] = await scene.churn.revisions();
      expect(first.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(second.digest).toBe(first.digest);
      expect(second.spec).toEqual(first.spec);
    },
  );
});

describe("another spec", () => {
  it("makes the next revision and keeps the earlier ones, the newest first", async () => {
    await scene.churn.put();
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    const listed = await scene.churn.revisions();
    expect(listed.map((revision: { number: number }) => revision.number)).toEqual([3, 2, 1]);
    expect(listed.map((revision: Document) => revision.spec.budget.monthlyUsd)).toEqual([75, 50, 25]);
    expect(new Set(listed.map((revision: Document) => revision.digest)).size).toBe(3);
    expect(await scene.churn.read()).toMatchObject({
      desiredRevision: 3,
      spec: { budget: { monthlyUsd: 75 } },
    });
  });

  it("that goes back to an earlier one is a new revision with that one's digest", async () => {
    await scene.churn.put();
    await scene.churn.put(withBudget(50));
    await scene.churn.put();
    const [third, , first] = await scene.churn.revisions();
    expect(third).toMatchObject({ number: 3, digest: first.digest });
  });

  it("differs also when only the order of its columns does", async () => {
    await scene.churn.put();
    await scene.churn.put(
      validSpec((spec) => {
        spec.dataset.schema.reverse();
      }),
    );
    expect(await scene.churn.revisions()).toHaveLength(2);
  });

  it("takes the place of updates that are still queued, which say so", async () => {
    const { body: first } = await scene.churn.put();
    const { body: second } = await scene.churn.put(withBudget(50));
    const { body: third } = await scene.churn.patch({ budget: { monthlyUsd: 75 } });
    expect(await operation(first.id)).toMatchObject({ state: "superseded", finishedAt: expect.any(String) });
    expect(await operation(second.id)).toMatchObject({ state: "superseded" });
    expect(await operation(third.id)).toMatchObject({ state: "queued", revision: 3 });
    expect((await scene.churn.read()).lastChange.id).toBe(third.id);
  });

  it("takes no place of an update that runs", async () => {
    const { body: first } = await scene.churn.put();
    await sql("update operations set state = 'running' where id = $1", [first.id]);
    await scene.churn.put(withBudget(50));
    expect((await operation(first.id)).state).toBe("running");
  });

  it("can't move the pipeline to another account", async () => {
    await scene.churn.put();
    await scene.api.send("PUT", `/v1/teams/${scene.team}/accounts/third`, {
      body: { accountId: "123123123123", region: "eu-west-1" },
    });
    await scene.api.provision(scene.team, "third");
    const moved = await scene.churn.patch({ account: "third" });
    expect(moved).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict", errors: [{ path: "/account" }] },
    });
    expect(await scene.churn.revisions()).toHaveLength(1);
  });
});

describe("revisions", () => {
  it("can be neither changed nor deleted, not even by hand", async () => {
    await scene.churn.put();
    const id = (await scene.churn.read()).id;
    for (const statement of [
      "update revisions set spec = '{}' where pipeline_id = $1",
      "update revisions set digest = 'x' where pipeline_id = $1",
      "delete from revisions where pipeline_id = $1",
    ]) {
      await expect(sql(statement, [id])).rejects.toMatchObject({
        code: "23001",
        message: /revisions rows are immutable/,
      });
    }
    expect(await scene.churn.revisions()).toHaveLength(1);
  });

  it("are numbered without a gap when many change the pipeline at once", async () => {
    await scene.churn.put();
    await Promise.all(Array.from({ length: 6 }, (_, index) => scene.churn.put(withBudget(100 + index))));
    const listed = await scene.churn.revisions();
    expect(listed.map((revision: { number: number }) => revision.number)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it("are listed in pages", async () => {
    await scene.churn.put();
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    const first = await scene.api.send("GET", `${scene.churn.url}/revisions?limit=2`);
    const second = await scene.api.send(
      "GET",
      `${scene.churn.url}/revisions?limit=2&cursor=${first.body.nextCursor}`,
    );
    const numbers = [...first.body.items, ...second.body.items].map((revision) => revision.number);
    expect(numbers).toEqual([3, 2, 1]);
    expect(second.body).not.toHaveProperty("nextCursor");
  });
});

describe("If-Match", () => {
  it("lets a change pass at the revision it names, or at any", async () => {
    await scene.churn.put();
    expect((await scene.churn.put(withBudget(50), { "if-match": '"1"' })).status).toBe(202);
    expect((await scene.churn.patch({ budget: { monthlyUsd: 60 } }, { "if-match": "*" })).status).toBe(202);
    expect((await scene.churn.read()).desiredRevision).toBe(3);
  });

  it("stops every kind of change at another revision, and nothing is changed", async () => {
    await scene.churn.put();
    await scene.churn.put(withBudget(50));
    const headers = { "if-match": '"1"' };
    const answers = [
      await scene.churn.put(withBudget(75), headers),
      await scene.churn.patch({ budget: { monthlyUsd: 75 } }, headers),
      await scene.api.send("DELETE", scene.churn.url, { headers }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 412, body: { code: "revision_mismatch" } });
    expect(await scene.churn.read()).toMatchObject({ desiredRevision: 2, state: "provisioning" });
  });

  it("lets one of two who saw the same revision win", async () => {
    await scene.churn.put();
    const headers = { "if-match": '"1"' };
    const answers = await Promise.all([
      scene.churn.put(withBudget(50), headers),
      scene.churn.put(withBudget(75), headers),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 412]);
    expect(await scene.churn.revisions()).toHaveLength(2);
  });
});

describe("a merge patch", () => {
  it("changes what it names, removes what it nulls, and leaves the rest", async () => {
    await scene.churn.put(
      validSpec((spec) => {
        spec.tags = { cost: "a", stage: "b" };
        spec.training.schedule = "rate(1 day)";
      }),
    );
    await scene.churn.patch({
      tags: { stage: null, owner: "c" },
      training: { schedule: null, instanceCount: 2 },
    });
    const { spec } = await scene.churn.read();
    expect(spec.tags).toEqual({ cost: "a", owner: "c" });
    expect(spec.training).toMatchObject({ instanceCount: 2, qualityGate: { metric: "auc" } });
    expect(spec.training).not.toHaveProperty("schedule");
  });

  it("that nulls a field with a default brings the default back", async () => {
    await scene.churn.put(withBudget(50));
    await scene.churn.patch({ budget: null });
    expect((await scene.churn.read()).spec.budget).toEqual({ monthlyUsd: 25 });
  });

  it("replaces lists whole", async () => {
    await scene.churn.put();
    await scene.churn.patch({ dataset: { schema: [{ name: "only", type: "string" }] } });
    expect((await scene.churn.read()).spec.dataset.schema).toEqual([
      { name: "only", type: "string", nullable: false },
    ]);
  });

  it("may say its own content type, or be YAML", async () => {
    await scene.churn.put();
    const merge = { "content-type": "application/merge-patch+json" };
    expect((await scene.churn.patch('{"budget":{"monthlyUsd":30}}', merge)).status).toBe(202);
    expect(
      (await scene.churn.patch("budget: { monthlyUsd: 31 }", { "content-type": "application/yaml" })).status,
    ).toBe(202);
    expect((await scene.churn.read()).spec.budget.monthlyUsd).toBe(31);
  });

  it("of nothing makes no revision", async () => {
    await scene.churn.put();
    expect((await scene.churn.patch({})).status).toBe(202);
    expect(await scene.churn.revisions()).toHaveLength(1);
  });

  it("of two at the same moment loses neither", async () => {
    await scene.churn.put();
    await Promise.all([
      scene.churn.patch({ budget: { monthlyUsd: 99 } }),
      scene.churn.patch({ training: { instanceCount: 3 } }),
    ]);
    expect((await scene.churn.read()).spec).toMatchObject({
      budget: { monthlyUsd: 99 },
      training: { instanceCount: 3 },
    });
  });
});
