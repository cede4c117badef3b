import { describe, expect, it } from "vitest";
import { type Document, validSpec } from "../../support/builders.ts";
import { withBudget } from "./pipeline-requests.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);
const rollBack = (body: Document, headers = {}) =>
  scene.api.send("POST", `${scene.churn.url}/rollbacks`, { body, headers });

describe("a rollback", () => {
  it("makes a new revision with the old one's spec, and applies it", async () => {
    await scene.churn.applied((await scene.churn.put(withBudget(50))).body.id);
    await scene.churn.applied((await scene.churn.put(withBudget(75))).body.id);
    const { status, headers, body } = await rollBack({ revision: 1, reason: "75 was a mistake" });
    expect(status).toBe(202);
    expect(headers.location).toBe(`/v1/operations/${body.id}`);
    expect(body).toMatchObject({
      kind: "rollback",
      state: "queued",
      revision: 3,
      reason: "75 was a mistake",
    });
    const pipeline = await scene.churn.read();
    expect(pipeline).toMatchObject({ desiredRevision: 3, state: "updating" });
    expect(pipeline.spec.budget.monthlyUsd).toBe(50);
    const [third, second, first] = await scene.churn.revisions();
    expect(third).toMatchObject({ number: 3, restores: 1, reason: "75 was a mistake", digest: first.digest });
    expect(second.restores).toBeUndefined();
  });

  it("takes the place of an update that is still queued, as an update takes its place", async () => {
    await scene.churn.applied((await scene.churn.put(withBudget(50))).body.id);
    const { body: update } = await scene.churn.put(withBudget(75));
    const { body: rollback } = await rollBack({ revision: 1 });
    const { body: next } = await scene.churn.put(withBudget(80));
    const states = await sql("select state from operations where id = any ($1) order by created_at", [
      [update.id, rollback.id, next.id],
    ]);
    expect(states.rows.map((row) => row.state)).toEqual(["superseded", "superseded", "queued"]);
  });

  it("to what is desired already is refused", async () => {
    await scene.churn.put();
    expect(await rollBack({ revision: 1 })).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict" },
    });
    expect(await scene.churn.revisions()).toHaveLength(1);
  });

  it("to a revision that there isn't is refused", async () => {
    await scene.churn.put();
    expect(await rollBack({ revision: 2 })).toMatchObject({
      status: 404,
      body: { code: "revision_not_found" },
    });
  });

  it("is checked as any change is: replicas are not taken away by it", async () => {
    await scene.churn.put();
    await scene.churn.put(
      validSpec((spec) => {
        spec.dataset.replicaRegion = "eu-west-1";
      }),
    );
    const { status, body } = await rollBack({ revision: 1 });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "pipeline_conflict",
      errors: [{ path: "/dataset/replicaRegion" }],
    });
  });

  it("completes a spec that an older version recorded by today's defaults", async () => {
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    const { id } = await scene.churn.read();
    await sql(
      `insert into revisions (pipeline_id, number, spec, digest)
       select pipeline_id, 3, spec - 'monitoring', 'old' from revisions where pipeline_id = $1 and number = 1`,
      [id],
    );
    await sql("update pipelines set desired_revision = 4 where id = $1", [id]);
    await sql(
      `insert into revisions (pipeline_id, number, spec, digest)
       select pipeline_id, 4, spec, digest from revisions where pipeline_id = $1 and number = 2`,
      [id],
    );
    expect((await rollBack({ revision: 3 })).status).toBe(202);
    expect((await scene.churn.read()).spec.monitoring.logRetentionDays).toBe(30);
  });

  it("to a spec that today's rules refuse names every place of it", async () => {
    await scene.churn.put();
    const { id } = await scene.churn.read();
    await sql(
      `insert into revisions (pipeline_id, number, spec, digest)
       select pipeline_id, 2, jsonb_set(spec, '{budget,monthlyUsd}', '-1'), 'bad' from revisions where pipeline_id = $1`,
      [id],
    );
    await sql("update pipelines set desired_revision = 3 where id = $1", [id]);
    await sql(
      `insert into revisions (pipeline_id, number, spec, digest)
       select pipeline_id, 3, spec, digest from revisions where pipeline_id = $1 and number = 1`,
      [id],
    );
    expect(await rollBack({ revision: 2 })).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict", errors: [{ path: "/budget/monthlyUsd" }] },
    });
  });

  it("keeps to If-Match", async () => {
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    expect((await rollBack({ revision: 1 }, { "if-match": '"1"' })).status).toBe(412);
    expect((await rollBack({ revision: 1 }, { "if-match": '"2"' })).status).toBe(202);
  });

  it("is in the audit trail with its reason and both specs", async () => {
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    await rollBack({ revision: 1, reason: "too dear" });
    const { rows } = await sql("select before, after from audit_entries order by sequence desc limit 1");
    expect(rows[0].before.spec.budget.monthlyUsd).toBe(75);
    expect(rows[0].after).toMatchObject({
      reason: "too dear",
      restores: 1,
      spec: { budget: { monthlyUsd: 50 } },
    });
  });
});

describe("a preview of a revision", () => {
  const preview = (query: string, body?: Document) =>
    scene.api.send("POST", `${scene.churn.url}/previews${query}`, body === undefined ? {} : { body });

  it("works with that revision's spec and its number", async () => {
    await scene.churn.put(withBudget(50));
    await scene.churn.put(withBudget(75));
    const { status, body } = await preview("?revision=1");
    expect(status).toBe(202);
    expect(body.revision).toBe(1);
    const { rows } = await sql("select options from operations where id = $1", [body.id]);
    expect(rows[0].options.spec.budget.monthlyUsd).toBe(50);
  });

  it("is refused beside a spec, and for a revision that there isn't", async () => {
    await scene.churn.put();
    expect(await preview("?revision=1", validSpec())).toMatchObject({
      status: 400,
      body: { errors: [{ path: "query:/revision" }] },
    });
    expect((await preview("?revision=7")).body.code).toBe("revision_not_found");
  });
});

describe("a revision", () => {
  const revision = async (number: number) =>
    (await scene.api.send("GET", `${scene.churn.url}/revisions/${number}`)).body;

  it("tells who asked for it, why, and what it changed in the one before", async () => {
    await scene.churn.put(withBudget(50));
    await scene.api.send("PUT", `${scene.churn.url}?reason=${encodeURIComponent("größeres Budget")}`, {
      body: validSpec((spec) => {
        spec.budget = { monthlyUsd: 75 };
        spec.tags = { "cost/center": "7" };
      }),
    });
    expect(await revision(2)).toMatchObject({
      number: 2,
      reason: "größeres Budget",
      requestedBy: expect.stringMatching(/^key:/),
      changes: [
        { path: "/budget/monthlyUsd", before: 50, after: 75 },
        { path: "/tags/cost~1center", after: "7" },
      ],
      spec: { budget: { monthlyUsd: 75 } },
    });
    expect((await revision(1)).changes).toEqual([]);
    expect((await revision(3)).code).toBe("revision_not_found");
    expect((await revision(2_147_483_647)).code).toBe("revision_not_found");
  });
});

describe("a reason", () => {
  it("goes with every change of a pipeline to its operation", async () => {
    const reasoned = async (method: string, path: string, body?: Document) =>
      (await scene.api.send(method, `${path}?reason=because`, body === undefined ? {} : { body })).body;
    const update = await reasoned("PUT", scene.churn.url, validSpec());
    expect(update.reason).toBe("because");
    expect((await reasoned("PATCH", scene.churn.url, { budget: { monthlyUsd: 50 } })).reason).toBe("because");
    await scene.churn.applied((await scene.churn.put()).body.id);
    expect((await reasoned("POST", `${scene.churn.url}/reconciliations`)).reason).toBe("because");
    expect((await reasoned("DELETE", scene.churn.url)).reason).toBe("because");
    const created = await reasoned("POST", `/v1/teams/${scene.team}/pipelines`, {
      name: `${scene.churn.name}-b`,
      spec: validSpec(),
    });
    expect(created.reason).toBe("because");
    expect((await scene.churn.put(validSpec())).body.reason).toBeUndefined();
  });

  it("that looks like a credential is refused and not repeated", async () => {
    const key = ["AKIA", "IOSFODNN7EXAMPLE"].join("");
    const { status, body } = await scene.api.send("PUT", `${scene.churn.url}?reason=${key}`, {
      body: validSpec(),
    });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ path: "query:/reason" }]);
    expect(JSON.stringify(body)).not.toContain(key);
  });
});
