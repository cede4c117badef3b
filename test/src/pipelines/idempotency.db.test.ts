import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { PipelineRequests, withBudget } from "./pipeline-requests.ts";

let api: Api;
let team: string;
let churn: PipelineRequests;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

beforeEach(() => {
  churn = new PipelineRequests(api, team);
});

afterAll(() => api.close());

const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

describe("Idempotency-Key", () => {
  const post = (body: Document, key: string) =>
    api.send("POST", `/v1/teams/${team}/pipelines`, { body, headers: { "idempotency-key": key } });

  it("gives the operation of the first request to every repetition", async () => {
    const key = randomUUID();
    const body = { name: churn.name, spec: validSpec() };
    const first = await post(body, key);
    const second = await post(body, key);
    expect(second).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(second.headers.location).toBe(first.headers.location);
  });

  it("is stored only as a digest, and not repeated", async () => {
    const key = `mine-${randomUUID()}`;
    await post({ name: churn.name, spec: validSpec() }, key);
    const conflict = await post({ name: uniqueName("other"), spec: validSpec() }, key);
    expect(conflict).toMatchObject({ status: 409, body: { code: "idempotency_conflict" } });
    const { rows } = await sql("select key from idempotency_keys");
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify([rows, conflict.body])).not.toContain(key);
  });

  it("is a conflict when it comes with another request, which names the operation of the first", async () => {
    const key = randomUUID();
    const first = await post({ name: churn.name, spec: validSpec() }, key);
    for (const body of [
      { name: uniqueName("fraud"), spec: validSpec() },
      { name: churn.name, spec: withBudget(50) },
    ]) {
      expect(await post(body, key)).toMatchObject({
        status: 409,
        body: { code: "idempotency_conflict", operation: first.body.id },
      });
    }
  });

  it("makes one pipeline of many requests at the same moment", async () => {
    const key = randomUUID();
    const body = { name: churn.name, spec: validSpec() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, key)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await sql("select count(*) from pipelines where name = $1", [churn.name])).rows[0].count).toBe(1);
    expect(
      (await sql("select count(*) from operations where pipeline = $1", [churn.name])).rows[0].count,
    ).toBe(1);
  });

  it("of one team is nothing to another", async () => {
    const key = randomUUID();
    const first = await post({ name: churn.name, spec: validSpec() }, key);
    const other = await api.teamWithAccount();
    const second = await api.send("POST", `/v1/teams/${other}/pipelines`, {
      body: { name: churn.name, spec: validSpec() },
      headers: { "idempotency-key": key },
    });
    expect(second.status).toBe(202);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it("is not used up by a request that failed", async () => {
    const key = randomUUID();
    const bad = validSpec((spec) => {
      spec.account = "nowhere";
    });
    expect((await post({ name: churn.name, spec: bad }, key)).status).toBe(400);
    expect((await post({ name: churn.name, spec: validSpec() }, key)).status).toBe(202);
  });

  it("repeats its answer even when the account is busy or the pipeline gone by then", async () => {
    const key = randomUUID();
    const own = await api.teamWithAccount();
    const request = { body: { name: churn.name, spec: validSpec() }, headers: { "idempotency-key": key } };
    const first = await api.send("POST", `/v1/teams/${own}/pipelines`, request);
    const { body: destroy } = await api.send("DELETE", `/v1/teams/${own}/pipelines/${churn.name}`);
    await churn.destroyed(destroy.id);
    await sql(
      "update foundations set ready = false where (aws_account_id, region) in (select aws_account_id, region from accounts where team = $1)",
      [own],
    );
    try {
      const repeated = await api.send("POST", `/v1/teams/${own}/pipelines`, request);
      expect(repeated).toMatchObject({ status: 202, body: { id: first.body.id } });
    } finally {
      await sql("update foundations set ready = true");
    }
  });

  it("is the same request whichever way the body's fields are ordered", async () => {
    const key = randomUUID();
    const first = await post({ name: churn.name, spec: validSpec() }, key);
    expect(await post({ spec: validSpec(), name: churn.name }, key)).toMatchObject({
      status: 202,
      body: { id: first.body.id },
    });
  });
});
