import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { permissions } from "../../../src/access/permissions.ts";
import { forgetOldRequests } from "../../../src/idempotency/store.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import type { Caller, RequestOptions } from "../api.ts";
import { withBudget } from "../pipelines/pipeline-requests.ts";
import { pipelineScene } from "../pipelines/pipeline-scene.ts";

const scene = pipelineScene();

const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);
const under = (key: string, options: RequestOptions = {}) => ({
  ...options,
  headers: { ...options.headers, "idempotency-key": key },
});
const post = (body: Document, key: string) =>
  scene.api.send("POST", `/v1/teams/${scene.team}/pipelines`, under(key, { body }));
const sent = async (requestId: unknown) =>
  (await sql("select * from idempotent_requests where request_id = $1", [requestId])).rows[0];

/** Makes of an answered request one whose node died before it had answered. */
async function unanswered(requestId: unknown, age: string, changed: boolean): Promise<void> {
  await sql(
    `update idempotent_requests set status = null, headers = null, body = null, claimed_at = now() - $2::interval,
       changed_at = case when $3 then changed_at end where request_id = $1`,
    [requestId, age, changed],
  );
}

describe("a request that is sent again with its Idempotency-Key", () => {
  it("gets the first answer again, to the letter, whatever became of it since", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const first = await post(body, key);
    expect(first.status).toBe(202);
    await scene.churn.applied(first.body.id);
    const again = await post(body, key);
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(again.headers.location).toBe(`/v1/operations/${first.body.id}`);
    expect(again.headers["x-request-id"]).not.toBe(first.headers["x-request-id"]);
  });

  it("is the same whichever way the body's fields are ordered", async () => {
    const key = randomUUID();
    const first = await post({ name: scene.churn.name, spec: validSpec() }, key);
    expect((await post({ spec: validSpec(), name: scene.churn.name }, key)).body.id).toBe(first.body.id);
  });

  it("does nothing twice and gets its answer, whatever it makes", async () => {
    await scene.churn.put();
    const name = uniqueName("team");
    const requests: [string, string, RequestOptions, string][] = [
      ["POST", "/v1/teams", { body: { name } }, "select count(*) from teams"],
      ["PUT", scene.churn.url, { body: withBudget(9) }, "select count(*) from operations"],
      ["PATCH", scene.churn.url, { body: { budget: { monthlyUsd: 10 } } }, "select count(*) from operations"],
      ["POST", `${scene.churn.url}/previews`, {}, "select count(*) from operations"],
      ["PATCH", `/v1/teams/${name}`, { body: { displayName: "Nine" } }, "select count(*) from audit_entries"],
      ["DELETE", `/v1/teams/${name}`, {}, "select count(*) from audit_entries"],
    ];
    for (const [method, url, options, count] of requests) {
      const key = randomUUID();
      const first = await scene.api.send(method, url, under(key, options));
      expect(first.status, `${method} ${url}`).toBeLessThan(300);
      const counted = (await sql(count)).rows;
      const again = await scene.api.send(method, url, under(key, options));
      expect([again.status, again.body], `${method} ${url}`).toEqual([first.status, first.body]);
      expect([again.headers.location, again.headers["content-type"]]).toEqual([
        first.headers.location,
        first.headers["content-type"],
      ]);
      expect((await sql(count)).rows, `${method} ${url}`).toEqual(counted);
    }
  });

  it("is refused with 422 and the first one's operation when it asks for something else", async () => {
    const key = randomUUID();
    const first = await post({ name: scene.churn.name, spec: validSpec() }, key);
    for (const body of [
      { name: uniqueName("fraud"), spec: validSpec() },
      { name: scene.churn.name, spec: withBudget(50) },
    ]) {
      expect(await post(body, key)).toMatchObject({
        status: 422,
        body: { code: "idempotency_key_reused", operation: first.body.id },
      });
    }
    const put = (headers: Record<string, string>) =>
      scene.api.send("PUT", scene.churn.url, { body: validSpec(), headers });
    const guarded = { "idempotency-key": randomUUID(), "if-none-match": '"7"' };
    expect((await put(guarded)).status).toBe(202);
    expect((await put(guarded)).status).toBe(202);
    for (const tag of ["*", '"8"'])
      expect((await put({ ...guarded, "if-none-match": tag })).status).toBe(422);
    const elsewhere = await scene.api.send("POST", `${scene.churn.url}/previews`, under(key));
    expect(elsewhere).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
  });

  it("makes one pipeline of many at the same moment; those that come too early are told to ask again", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, key)));
    const made = answers.filter(({ status }) => status === 202);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
    for (const { status, headers, body: problem } of answers.filter((answer) => !made.includes(answer))) {
      expect([status, problem.code, headers["retry-after"]]).toEqual([409, "request_in_progress", "1"]);
    }
    expect((await sql("select from operations where pipeline = $1", [scene.churn.name])).rowCount).toBe(1);
  });

  it("is somebody else's own: keys are of one caller, in one team", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const first = await post(body, key);
    const developer = await scene.api.as({ teams: { [scene.team]: ["developer"] } });
    const second = await developer.send("POST", `/v1/teams/${scene.team}/pipelines`, under(key, { body }));
    expect(second).toMatchObject({ status: 409, body: { code: "pipeline_exists" } });
    const other = await scene.api.teamWithAccount();
    const third = await scene.api.send("POST", `/v1/teams/${other}/pipelines`, under(key, { body }));
    expect(third.status).toBe(202);
    expect(third.body.id).not.toBe(first.body.id);
  });

  it("may still do what it does: a role that was taken away opens no old answer", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const developer: Caller = await scene.api.as({ teams: { [scene.team]: ["developer"] } });
    const send = () => developer.send("POST", `/v1/teams/${scene.team}/pipelines`, under(key, { body }));
    expect((await send()).status).toBe(202);
    await sql("delete from grants where subject = $1", [developer.subject]);
    expect((await send()).status).toBe(404);
  });

  it("is carried out when the first one failed", async () => {
    const key = randomUUID();
    const bad = validSpec((spec) => {
      spec.account = "nowhere";
    });
    expect((await post({ name: scene.churn.name, spec: bad }, key)).status).toBe(400);
    expect((await post({ name: scene.churn.name, spec: validSpec() }, key)).status).toBe(202);
  });

  it("is a new one after a day, when the old one is forgotten", async () => {
    const key = randomUUID();
    const first = await scene.api.send(
      "PATCH",
      `/v1/teams/${scene.team}`,
      under(key, { body: { displayName: "One" } }),
    );
    await unanswered(first.headers["x-request-id"], "25 hours", true);
    const second = await scene.api.send(
      "PATCH",
      `/v1/teams/${scene.team}`,
      under(key, { body: { displayName: "Two" } }),
    );
    expect(second).toMatchObject({ status: 200, body: { displayName: "Two" } });
    await unanswered(second.headers["x-request-id"], "25 hours", true);
    await forgetOldRequests(scene.api.database.pool);
    expect(await sent(second.headers["x-request-id"])).toBeUndefined();
  });
});

describe("a request whose node died", () => {
  const rename = (key: string) =>
    scene.api.send(
      "PATCH",
      `/v1/teams/${scene.team}`,
      under(key, { body: { displayName: uniqueName("name") } }),
    );

  it("after its change is not done again: its operation is told", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const first = await post(body, key);
    await unanswered(first.headers["x-request-id"], "1 second", true);
    const again = await post(body, key);
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(again.headers.location).toBe(`/v1/operations/${first.body.id}`);
  });

  it("after its change is not done again: where no operation tells, the place is named", async () => {
    const key = randomUUID();
    const options = under(key, { body: { displayName: "Ten" } });
    const first = await scene.api.send("PATCH", `/v1/teams/${scene.team}`, options);
    await unanswered(first.headers["x-request-id"], "10 seconds", true);
    expect(await scene.api.send("PATCH", `/v1/teams/${scene.team}`, options)).toMatchObject({
      status: 409,
      body: { code: "request_in_progress" },
    });
    await unanswered(first.headers["x-request-id"], "2 minutes", true);
    const again = await scene.api.send("PATCH", `/v1/teams/${scene.team}`, options);
    expect(again).toMatchObject({ status: 409, body: { code: "answer_not_kept" } });
    expect(again.body.detail).toContain(`/v1/teams/${scene.team}`);
  });

  it("before its change is done by whoever asks again, once the node can't be at it any more", async () => {
    const key = randomUUID();
    const body = { name: scene.churn.name, spec: validSpec() };
    const first = await scene.api.send("POST", `/v1/teams/${scene.team}/pipelines`, under(key, { body }));
    await sql("delete from operations where id = $1", [first.body.id]);
    await sql("alter table revisions disable trigger user");
    await sql("delete from revisions where pipeline_id in (select id from pipelines where name = $1)", [
      scene.churn.name,
    ]);
    await sql("alter table revisions enable trigger user");
    await sql("delete from pipelines where name = $1", [scene.churn.name]);
    await unanswered(first.headers["x-request-id"], "10 seconds", false);
    expect(await post(body, key)).toMatchObject({ status: 409, body: { code: "request_in_progress" } });
    await unanswered(first.headers["x-request-id"], "2 minutes", false);
    const again = await post(body, key);
    expect(again.status).toBe(202);
    expect(again.body.id).not.toBe(first.body.id);
  });

  it("and only seemed dead can't change anything any more once another has its key", async () => {
    const key = randomUUID();
    const client = await scene.api.database.pool.connect();
    try {
      await client.query("begin");
      await client.query("select from teams where name = $1 for update", [scene.team]);
      const slow = rename(key);
      await scene.api.waitForLocks(1);
      await sql(
        "update idempotent_requests set request_id = 'another' where changed_at is null and team = $1",
        [scene.team],
      );
      await client.query("commit");
      const { rows } = await sql("select display_name from teams where name = $1", [scene.team]);
      expect(await slow).toMatchObject({ status: 409, body: { code: "request_in_progress" } });
      expect((await sql("select display_name from teams where name = $1", [scene.team])).rows).toEqual(rows);
    } finally {
      client.release();
    }
  });
});

describe("what is kept of requests", () => {
  it("are digests of keys and bodies", async () => {
    const key = `mine-${randomUUID()}`;
    const first = await post({ name: scene.churn.name, spec: validSpec() }, key);
    const conflict = await post({ name: uniqueName("other"), spec: validSpec() }, key);
    const row = await sent(first.headers["x-request-id"]);
    expect(row).toMatchObject({ team: scene.team, operation_id: first.body.id });
    expect(JSON.stringify([row, conflict.body])).not.toContain(key);
  });

  it("never is a secret: asking again for a key tells which one was made, and makes none", async () => {
    const key = randomUUID();
    const options = under(key, { body: { name: "robot", roles: ["viewer"] } });
    const first = await scene.api.send("POST", `/v1/teams/${scene.team}/keys`, options);
    expect(first.status).toBe(201);
    const row = await sent(first.headers["x-request-id"]);
    expect(row).toMatchObject({ status: 201, body: null, holds_secret: true });
    // Random characters hold underscores too.
    const secret = first.body.key.split("_").slice(2).join("_");
    expect(JSON.stringify(row)).not.toContain(secret);
    const again = await scene.api.send("POST", `/v1/teams/${scene.team}/keys`, options);
    expect(again).toMatchObject({ status: 409, body: { code: "answer_not_kept" } });
    expect(again.body.detail).toContain(`/v1/teams/${scene.team}/keys/${first.body.id}`);
    expect((await scene.api.send("GET", `/v1/teams/${scene.team}/keys`)).body.items).toHaveLength(1);
  });

  it("goes with the team", async () => {
    const name = uniqueName("team");
    await scene.api.send("POST", "/v1/teams", { body: { name } });
    await scene.api.send("PATCH", `/v1/teams/${name}`, under("one", { body: { displayName: "Once" } }));
    await scene.api.send("DELETE", `/v1/teams/${name}`);
    expect((await sql("select from idempotent_requests where team = $1", [name])).rowCount).toBe(0);
  });
});

describe("the OpenAPI document", () => {
  it("says of every route that changes something that it takes a key, and of no other", async () => {
    const { paths } = (await scene.api.send("GET", "/openapi.json")).body;
    const taking = Object.entries<Document>(paths).flatMap(([path, methods]) =>
      Object.entries<Document>(methods)
        .filter(([, { parameters = [] }]) =>
          parameters.some(({ name }: Document) => name === "idempotency-key"),
        )
        .map(([method]) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    const changing = Object.keys(permissions).filter(
      (route) => !route.startsWith("GET ") && !route.includes("/sandbox/aws/"),
    );
    expect(taking.sort()).toEqual(changing.sort());
  });

  it("refuses keys without a character, or too long", async () => {
    for (const key of ["", "k".repeat(256)]) {
      const { status, body } = await post({ name: scene.churn.name, spec: validSpec() }, key);
      expect([status, body.errors?.[0].path]).toEqual([400, "headers:/idempotency-key"]);
    }
  });
});
