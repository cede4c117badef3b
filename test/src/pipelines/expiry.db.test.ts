import pino from "pino";
import { describe, expect, it } from "vitest";
import { expirePipelines } from "../../../src/pipelines/expiry-task.ts";
import { type Document, validSpec } from "../../support/builders.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const hourMs = 3_600_000;
const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);
const withTtl = (hours = 8) =>
  validSpec((spec) => {
    spec.ttl = { hours };
  });
const expiresAt = async () => {
  const { expiresAt: text } = await scene.churn.read();
  return text === undefined ? undefined : new Date(text);
};
/** Hours from now to the pipeline's end. */
const left = async () => ((await expiresAt())?.getTime() ?? Number.NaN) / hourMs - Date.now() / hourMs;
const pass = (now: Date) =>
  expirePipelines(
    { pool: scene.api.database.pool, audit: scene.api.audit, log: pino({ level: "silent" }) },
    now,
  );
/** So long before the pipeline's end, or after it. */
const atEnd = async (hours: number) => new Date(((await expiresAt())?.getTime() ?? 0) + hours * hourMs);
const status = async () => (await scene.api.send("GET", `${scene.churn.url}/status`)).body;
const operations = async (): Promise<Document[]> =>
  (await scene.api.send("GET", `/v1/operations?team=${scene.team}&pipeline=${scene.churn.name}`)).body.items;
const applied = async (spec: Document) => scene.churn.applied((await scene.churn.put(spec)).body.id);

describe("a pipeline's lifetime", () => {
  it("begins with each apply, and there is none without a ttl", async () => {
    await applied(validSpec());
    expect(await expiresAt()).toBeUndefined();
    await applied(withTtl(8));
    expect(await left()).toBeCloseTo(8, 1);
    await sql("update pipelines set expires_at = now() where name = $1", [scene.churn.name]);
    await applied(withTtl(8));
    expect(await left()).toBeCloseTo(8, 1);
    await applied(validSpec());
    expect(await expiresAt()).toBeUndefined();
  });

  it("can be extended: from its end, or from now where that has passed", async () => {
    await applied(withTtl(8));
    const extend = (hours: number) =>
      scene.api.send("POST", `${scene.churn.url}/extensions`, {
        body: { hours, reason: "the demo is on Friday" },
      });
    const { status: code, body } = await extend(48);
    expect(code).toBe(200);
    expect(body).toMatchObject({ name: scene.churn.name });
    expect(await left()).toBeCloseTo(56, 1);
    await sql("update pipelines set expires_at = now() - interval '1 day' where name = $1", [
      scene.churn.name,
    ]);
    await extend(48);
    expect(await left()).toBeCloseTo(48, 1);
    const { rows } = await sql("select action, after from audit_entries order by sequence desc limit 1");
    expect(rows[0]).toMatchObject({
      action: "pipeline.extend",
      after: { hours: 48, reason: "the demo is on Friday" },
    });
  });

  it("that was extended isn't made shorter by an apply, and ends with the ttl", async () => {
    await applied(withTtl(8));
    await scene.api.send("POST", `${scene.churn.url}/extensions`, { body: { hours: 48 } });
    await applied(withTtl(2));
    expect(await left()).toBeCloseTo(56, 1);
    await applied(validSpec());
    await applied(withTtl(2));
    expect(await left()).toBeCloseTo(2, 1);
  });

  it("can't be extended where there is none, nor once the pipeline is being destroyed", async () => {
    await applied(validSpec());
    const extend = () => scene.api.send("POST", `${scene.churn.url}/extensions`, { body: { hours: 1 } });
    expect(await extend()).toMatchObject({ status: 409, body: { code: "pipeline_conflict" } });
    await applied(withTtl());
    const { body: destroy } = await scene.churn.delete();
    expect(await extend()).toMatchObject({
      status: 409,
      body: { code: "stack_busy", operation: destroy.id },
    });
  });

  it("of a production pipeline needs a word of its own", async () => {
    const { status: code, body } = await scene.churn.put(
      validSpec((spec) => {
        spec.ttl = { hours: 8 };
        spec.profile = "production";
      }),
    );
    expect(code).toBe(400);
    expect(body.errors).toContainEqual(expect.objectContaining({ path: "/ttl" }));
  });
});

describe("the end of a lifetime", () => {
  it("is warned of once, by the status and the team's webhooks", async () => {
    await applied(withTtl(8));
    await pass(await atEnd(-2.1));
    expect((await status()).expiryWarnedAt).toBeUndefined();
    await pass(await atEnd(-2));
    await pass(await atEnd(-1));
    expect(await status()).toMatchObject({
      state: "ready",
      expiresAt: (await scene.churn.read()).expiresAt,
      expiryWarnedAt: (await atEnd(-2)).toISOString(),
    });
    const told = await sql(
      "select team, type, data from webhook_outbox where about = $1 and type like 'pipeline.%'",
      [`pipelines/${scene.churn.name}`],
    );
    expect(told.rows).toMatchObject([
      { team: scene.team, type: "pipeline.expiring", data: { pipeline: scene.churn.name, data: "retain" } },
    ]);
    expect(await operations()).toHaveLength(1);
  });

  it("destroys the pipeline as the service, keeps its data, and is asked for once", async () => {
    await applied(withTtl(8));
    await pass(await atEnd(-1));
    await pass(await atEnd(0));
    await pass(await atEnd(0.1));
    const [destroy, ...others] = await operations();
    expect(others).toHaveLength(1);
    expect(destroy).toMatchObject({ kind: "destroy", state: "queued", requestedBy: "service" });
    expect(destroy.reason).toContain("lifetime ended");
    const { rows } = await sql("select options from operations where id = $1", [destroy.id]);
    expect(rows[0].options).toEqual({ data: "retain" });
    const audit = await sql("select action, subject from audit_entries where target = $1 order by sequence", [
      `/teams/${scene.team}/pipelines/${scene.churn.name}`,
    ]);
    expect(audit.rows.slice(-2)).toEqual([
      { action: "pipeline.expiry_warning", subject: "service" },
      { action: "pipeline.expire", subject: "service" },
    ]);
  });

  it("that nobody looked at in time is put off until after a warning", async () => {
    await applied(withTtl(8));
    const late = await atEnd(100);
    await pass(late);
    expect(await expiresAt()).toEqual(new Date(late.getTime() + 2 * hourMs));
    expect(await operations()).toHaveLength(1);
  });

  it("waits for whoever works on the pipeline", async () => {
    await applied(withTtl(8));
    await pass(await atEnd(-1));
    const end = await atEnd(0);
    await scene.api.send("POST", `${scene.churn.url}/reconciliations`);
    await pass(end);
    expect((await operations()).map(({ kind }) => kind)).toEqual(["reconcile", "update"]);
  });

  it("that was called off is asked for again a day later, and no sooner", async () => {
    await applied(withTtl(8));
    await pass(await atEnd(-1));
    await pass(await atEnd(0));
    const [destroy] = await operations();
    await scene.api.send("POST", `/v1/operations/${destroy.id}/cancel`);
    await pass(await atEnd(23));
    expect(await operations()).toHaveLength(2);
    await pass(await atEnd(25));
    expect(await operations()).toHaveLength(3);
  });

  it("comes whatever quota the team has used up", async () => {
    await applied(withTtl(8));
    await pass(await atEnd(-1));
    await sql(
      `insert into team_quotas (team, operations_per_day) values ($1, 0)
       on conflict (team) do update set operations_per_day = 0`,
      [scene.team],
    );
    await pass(await atEnd(0));
    expect((await scene.churn.read()).state).toBe("destroying");
  });
});
