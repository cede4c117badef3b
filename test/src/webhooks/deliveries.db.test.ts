import { randomUUID } from "node:crypto";
import pino from "pino";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { forgetOldDeliveries, takeAttempt } from "../../../src/webhooks/attempts.ts";
import { WebhookDeliverer } from "../../../src/webhooks/deliverer.ts";
import { tellWebhooks } from "../../../src/webhooks/outbox.ts";
import { type Document, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { PipelineRequests } from "../pipelines/pipeline-requests.ts";
import { Receiver } from "./receiver.ts";

let api: Api;
let team: string;
let receiver: Receiver;
let deliverer: WebhookDeliverer;

beforeAll(async () => {
  api = await startApi({ localWebhooks: true });
});

afterAll(() => api.close());

beforeEach(async () => {
  team = await api.teamWithAccount();
  receiver = await Receiver.start();
  deliverer = newDeliverer();
});

afterEach(async () => {
  await deliverer.close();
  await sql("delete from webhooks");
  await receiver.close();
});

const newDeliverer = () =>
  new WebhookDeliverer({
    pool: api.database.pool,
    audit: api.audit,
    ...api.webhooks,
    log: pino({ level: "silent" }),
  });
const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

/** A webhook of the team at a path of the receiver. */
async function webhook(path = "/", events: readonly string[] = ["*"], of = team): Promise<Document> {
  const body = { url: `${receiver.url}${path}`, events };
  const made = await api.send("POST", `/v1/teams/${of}/webhooks`, { body });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}

const deliveries = async ({ id }: Document, query = ""): Promise<Document[]> =>
  (await api.send("GET", `/v1/teams/${team}/webhooks/${id}/deliveries${query}`)).body.items;
const tell = (about: string, number: number, of = team) =>
  tellWebhooks(api.database.pool, { team: of, about, type: "drift.found", data: { number } });
/** Makes everything due that waits for a later attempt. */
const later = () => sql("update webhook_deliveries set next_attempt_at = now() where state = 'pending'");
const numbers = (path = "/") =>
  receiver.received.filter((one) => one.path === path).map(({ body }) => body.data.number);

describe("an operation's way", () => {
  it("is told state by state, signed, in the view that the team may read", async () => {
    const { secret } = await webhook();
    const churn = new PipelineRequests(api, team);
    const { body } = await churn.put();
    const running = "update operations set state = 'running', started_at = clock_timestamp() where id = $1";
    await sql(running, [body.id]);
    await sql(
      `update operations set state = 'succeeded', finished_at = clock_timestamp(),
         result = '{"changes": {"create": 3}, "steps": [], "findings": []}' where id = $1`,
      [body.id],
    );
    await deliverer.settle();
    expect(receiver.types()).toEqual(["operation.queued", "operation.running", "operation.succeeded"]);
    for (const { text, headers } of receiver.received) {
      expect(new Webhook(secret).verify(text, headers as Record<string, string>)).toBeTruthy();
      expect(headers["content-type"]).toBe("application/json");
    }
    const last = receiver.received.at(-1)?.body;
    const read = (await api.send("GET", `/v1/operations/${body.id}`)).body;
    expect(last.data.result).toEqual({ changes: { create: 3 } });
    expect(read).toMatchObject(last.data);
    expect(last.data).toMatchObject({
      id: body.id,
      kind: "update",
      state: "succeeded",
      pipeline: churn.name,
    });
    expect(Math.abs(Date.parse(last.timestamp) - Date.parse(read.finishedAt))).toBeLessThan(1_000);
  });

  it("to a person's approval asks for that, too", async () => {
    await webhook("/", ["approval.requested", "operation.awaiting_approval"]);
    const { body } = await new PipelineRequests(api, team).put();
    await sql("update operations set state = 'awaiting_approval' where id = $1", [body.id]);
    await deliverer.settle();
    expect(receiver.types()).toEqual(["operation.awaiting_approval", "approval.requested"]);
    expect(receiver.received[1]?.body.data).toMatchObject({ id: body.id, state: "awaiting_approval" });
  });

  it("isn't told when the transaction that changes it comes to nothing", async () => {
    await webhook();
    const { body } = await new PipelineRequests(api, team).put();
    await deliverer.settle();
    const undone = inTransaction(api.database.pool, async (client) => {
      await client.query("update operations set state = 'running' where id = $1", [body.id]);
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await deliverer.settle();
    expect(receiver.types()).toEqual(["operation.queued"]);
  });

  it("is told to those who asked for it, and to nobody else's team", async () => {
    const other = await api.teamWithAccount();
    await webhook("/all-of-them", ["*"]);
    await webhook("/operations", ["operation.*"]);
    await webhook("/failures", ["operation.failed", "operation.needs_repair"]);
    await webhook("/drift", ["drift.found"]);
    await webhook("/others", ["*"], other);
    const { body } = await new PipelineRequests(api, team).put();
    await sql("update operations set state = 'failed' where id = $1", [body.id]);
    await deliverer.settle();
    expect(receiver.types("/all-of-them")).toEqual(["operation.queued", "operation.failed"]);
    expect(receiver.types("/operations")).toEqual(["operation.queued", "operation.failed"]);
    expect(receiver.types("/failures")).toEqual(["operation.failed"]);
    expect(receiver.types("/drift")).toEqual([]);
    expect(receiver.types("/others")).toEqual([]);
  });

  it("leads on while its team's webhook is being deleted", async () => {
    const { id } = await webhook();
    const churn = new PipelineRequests(api, team);
    const { body } = await churn.put();
    const client = await api.database.pool.connect();
    try {
      await client.query("begin");
      await client.query("delete from webhooks where id = $1", [id]);
      const changed = sql("update operations set state = 'running' where id = $1", [body.id]);
      await api.waitForLocks(1);
      await client.query("commit");
      await changed;
    } finally {
      client.release();
    }
    expect((await api.send("GET", `/v1/operations/${body.id}`)).body.state).toBe("running");
  });
});

describe("what is sent", () => {
  it("holds no credential", async () => {
    await webhook();
    const key = `AKIA${"A".repeat(16)}`;
    await tellWebhooks(api.database.pool, {
      team,
      about: "pipelines/churn",
      type: "drift.found",
      data: { message: `found ${key}`, password: "x7Gq9vLp2RtZ4mKs8Wd1" },
    });
    await deliverer.settle();
    expect(receiver.received[0]?.text).toContain("[secret]");
    expect(receiver.received[0]?.text).not.toMatch(/AKIA|x7Gq/);
  });

  it("has the same id and body at every attempt, and a signature of its own time", async () => {
    const { secret } = await webhook();
    receiver.answer = () => (receiver.received.length < 3 ? 500 : 200);
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    await later();
    await deliverer.settle();
    await later();
    await deliverer.settle();
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
    for (const { text, headers } of receiver.received)
      new Webhook(secret).verify(text, headers as Record<string, string>);
  });

  it("is signed with the old secret, too, for a day after the new one was made", async () => {
    const { id, secret } = await webhook();
    const next = await api.send("POST", `/v1/teams/${team}/webhooks/${id}/secrets`);
    expect(next.status).toBe(201);
    expect(next.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(next.body.secret).not.toBe(secret);
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    await sql("update webhooks set previous_secret_until = now() where id = $1", [id]);
    await tell("pipelines/churn", 2);
    await deliverer.settle();
    const [overlap, thereafter] = receiver.received.map(
      ({ text, headers }) =>
        (of: string) =>
          new Webhook(of).verify(text, headers as Record<string, string>),
    );
    expect(overlap?.(secret)).toBeTruthy();
    expect(overlap?.(next.body.secret)).toBeTruthy();
    expect(thereafter?.(next.body.secret)).toBeTruthy();
    expect(() => thereafter?.(secret)).toThrow();
  });

  it("goes to the receiver and nowhere that it points to", async () => {
    const hook = await webhook("/first");
    receiver.answer = ({ path }) => (path === "/first" ? 307 : 200);
    receiver.location = `${receiver.url}/second`;
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    expect(receiver.received.map(({ path }) => path)).toEqual(["/first"]);
    expect((await deliveries(hook))[0]).toMatchObject({ state: "pending", lastStatus: 307 });
  });
});

describe("the order", () => {
  it("of events about one pipeline is kept while the receiver fails, and others pass by", async () => {
    await webhook();
    let up = false;
    receiver.answer = ({ body }) => (up || body.data.number > 10 ? 200 : 503);
    for (const number of [1, 2, 3]) await tell("pipelines/churn", number);
    for (const number of [11, 12]) await tell("pipelines/fraud", number);
    await deliverer.settle();
    await later();
    await deliverer.settle();
    up = true;
    await later();
    await deliverer.settle();
    const sent = numbers();
    expect(sent.filter((number) => number > 10)).toEqual([11, 12]);
    expect(sent.filter((number) => number < 10)).toEqual([1, 1, 1, 2, 3]);
  });

  it("is kept with two nodes that send at the same time", async () => {
    await webhook();
    const another = newDeliverer();
    for (let number = 1; number <= 20; number++) {
      await tell("pipelines/churn", number);
      await tell("pipelines/fraud", 100 + number);
    }
    await Promise.all([deliverer.settle(), another.settle()]);
    await Promise.all([deliverer.settle(), another.settle()]);
    await another.close();
    const sent = numbers();
    expect(sent.filter((number) => number <= 100)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(sent.filter((number) => number > 100)).toEqual(Array.from({ length: 20 }, (_, at) => at + 101));
  });

  it("lets each webhook of a team have its own pace", async () => {
    await webhook("/down");
    await webhook("/up");
    receiver.answer = ({ path }) => (path === "/up" ? 200 : 500);
    for (const number of [1, 2]) await tell("pipelines/churn", number);
    await deliverer.settle();
    expect(numbers("/up")).toEqual([1, 2]);
    expect(numbers("/down")).toEqual([1]);
  });
});

describe("a delivery", () => {
  it("that a node was sending when it died is sent again by another, under the same id", async () => {
    const hook = await webhook();
    await tell("pipelines/churn", 1);
    const lost = await takeAttempt(api.database.pool, 60_000);
    await deliverer.settle();
    expect(receiver.received).toEqual([]);
    await sql("update webhook_deliveries set leased_until = now() where id = $1", [lost?.deliveryId]);
    await deliverer.settle();
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([lost?.eventId]);
    expect((await deliveries(hook))[0]).toMatchObject({ state: "delivered", attempts: 2, lastStatus: 204 });
  });

  it("is given up after three days, and the webhook disabled when it took nothing in that time", async () => {
    const hook = await webhook();
    receiver.answer = () => 500;
    await tell("pipelines/churn", 1);
    await tell("pipelines/churn", 2);
    await deliverer.settle();
    const [second, first] = await deliveries(hook);
    expect([first?.state, second?.state]).toEqual(["pending", "pending"]);
    await sql("update webhook_deliveries set give_up_at = now(), next_attempt_at = now() where id = $1", [
      first?.id,
    ]);
    await deliverer.settle();
    expect((await deliveries(hook)).map(({ state }) => state)).toEqual(["pending", "dead"]);
    expect((await deliveries(hook, "?state=dead"))[0]).toMatchObject({
      id: first?.id,
      attempts: 2,
      lastError: "The receiver answered 500",
    });
    const { body } = await api.send("GET", `/v1/teams/${team}/webhooks/${hook.id}`);
    expect(body).toMatchObject({ enabled: false, disabledReason: "It took nothing for three days" });
    const [entry] = (await api.send("GET", `/v1/audit?team=${team}`)).body.items;
    expect(entry).toMatchObject({ action: "webhook.disable", subject: "service" });
    await later();
    await tell("pipelines/churn", 3);
    receiver.received.length = 0;
    await deliverer.settle();
    expect(receiver.received).toEqual([]);
  });

  it("that is given up after others were taken disables nothing", async () => {
    const hook = await webhook();
    receiver.answer = ({ body }) => (body.data.number === 1 ? 500 : 200);
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    await tell("pipelines/fraud", 2);
    await deliverer.settle();
    const created = "created_at = now() - interval '3 days'";
    await sql(
      `update webhook_deliveries set give_up_at = now(), next_attempt_at = now(), ${created} where state = 'pending'`,
    );
    await deliverer.settle();
    expect((await deliveries(hook)).map(({ state }) => state)).toEqual(["delivered", "dead"]);
    const { body } = await api.send("GET", `/v1/teams/${team}/webhooks/${hook.id}`);
    expect(body.enabled).toBe(true);
  });

  it("whose receiver answers 410 is the last", async () => {
    const hook = await webhook();
    receiver.answer = () => 410;
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    expect((await deliveries(hook))[0]).toMatchObject({ state: "dead", attempts: 1 });
    const { body } = await api.send("GET", `/v1/teams/${team}/webhooks/${hook.id}`);
    expect(body.enabled).toBe(false);
  });

  it("is sent again on request, under its old id, after what waits", async () => {
    const hook = await webhook();
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    const [delivered] = await deliveries(hook);
    await tell("pipelines/churn", 2);
    const url = `/v1/teams/${team}/webhooks/${hook.id}/deliveries/${delivered?.id}/replay`;
    const replayed = await api.send("POST", url);
    expect(replayed).toMatchObject({ status: 201, body: { state: "pending", event: delivered?.event } });
    const read = await api.send("GET", String(replayed.headers.location));
    expect(read.body).toMatchObject({ id: replayed.body.id, data: { number: 1 } });
    await deliverer.settle();
    expect(numbers()).toEqual([1, 2, 1]);
    expect(receiver.received[2]?.headers["webhook-id"]).toBe(receiver.received[0]?.headers["webhook-id"]);
  });

  it("for a trial goes to the one webhook that is tried", async () => {
    const hook = await webhook("/tried", ["operation.failed"]);
    await webhook("/other");
    const tried = await api.send("POST", `/v1/teams/${team}/webhooks/${hook.id}/test`);
    expect(tried).toMatchObject({ status: 201, body: { type: "webhook.test", state: "pending" } });
    await deliverer.settle();
    expect(receiver.received.map(({ path, body }) => [path, body.type])).toEqual([
      ["/tried", "webhook.test"],
    ]);
    expect((await api.send("GET", String(tried.headers.location))).body.state).toBe("delivered");
  });

  it("is forgotten a month after its event, unless it still waits", async () => {
    const hook = await webhook();
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    receiver.answer = () => 500;
    await tell("pipelines/churn", 2);
    await deliverer.settle();
    await sql("update webhook_outbox set at = now() - interval '31 days' where team = $1", [team]);
    await forgetOldDeliveries(api.database.pool);
    expect((await deliveries(hook)).map(({ state }) => state)).toEqual(["pending"]);
  });
});

describe("a webhook", () => {
  const at = (id: string) => `/v1/teams/${team}/webhooks/${id}`;

  it("that was enabled again goes on with what waits, and is not told what happened meanwhile", async () => {
    const { id } = await webhook();
    receiver.answer = () => 500;
    await tell("pipelines/churn", 1);
    await deliverer.settle();
    receiver.answer = () => 200;
    expect((await api.send("PATCH", at(id), { body: { enabled: false } })).body.enabled).toBe(false);
    await later();
    await tell("pipelines/churn", 2);
    await deliverer.settle();
    expect(numbers()).toEqual([1]);
    expect(await api.send("POST", `${at(id)}/test`)).toMatchObject({
      status: 409,
      body: { code: "webhook_disabled" },
    });
    await api.send("PATCH", at(id), { body: { enabled: true } });
    await tell("pipelines/churn", 3);
    await deliverer.settle();
    expect(numbers()).toEqual([1, 1, 3]);
  });

  it("is changed only by those who know how it is now", async () => {
    const { id } = await webhook();
    const { headers } = await api.send("GET", at(id));
    const changed = await api.send("PATCH", at(id), {
      body: { description: "Ops" },
      headers: { "if-match": String(headers.etag) },
    });
    expect(changed).toMatchObject({ status: 200, body: { description: "Ops" } });
    for (const [method, body] of [
      ["PATCH", { description: "Mine" }],
      ["DELETE", undefined],
    ] as const) {
      const late = await api.send(method, at(id), { body, headers: { "if-match": String(headers.etag) } });
      expect(late).toMatchObject({ status: 412, body: { code: "etag_mismatch" } });
      expect(late.headers.etag).toBe(changed.headers.etag);
    }
    expect((await api.send("DELETE", at(id), { headers: { "if-match": "*" } })).status).toBe(204);
    expect(await api.send("GET", at(id))).toMatchObject({ status: 404, body: { code: "webhook_not_found" } });
  });

  it("shows its secret once, and leaves neither that nor its whole address in the trail or the database", async () => {
    const { id, secret } = await webhook("/services/T000/very-private");
    for (const url of [at(id), `/v1/teams/${team}/webhooks`])
      expect(JSON.stringify((await api.send("GET", url)).body)).not.toContain(secret);
    await api.send("PATCH", at(id), { body: { events: ["drift.*"] } });
    const trail = JSON.stringify((await api.send("GET", `/v1/audit?team=${team}`)).body);
    expect(trail).toContain(receiver.url);
    expect(trail).not.toMatch(/very-private|whsec_/);
    const { rows } = await sql("select * from webhooks where id = $1", [id]);
    expect(JSON.stringify(rows)).not.toContain(secret.slice(6));
  });

  it("is one of twenty at most, and goes with its team", async () => {
    const own = (await api.send("POST", "/v1/teams", { body: { name: `t-${randomUUID().slice(0, 8)}` } }))
      .body.name;
    for (let count = 0; count < 20; count++) await webhook(`/${count}`, ["*"], own);
    const body = { url: receiver.url, events: ["*"] };
    expect(await api.send("POST", `/v1/teams/${own}/webhooks`, { body })).toMatchObject({
      status: 409,
      body: { code: "quota_exceeded" },
    });
    const seen = new Set<string>();
    let cursor = "";
    do {
      const page = (await api.send("GET", `/v1/teams/${own}/webhooks?limit=7${cursor}`)).body;
      for (const { id } of page.items) seen.add(id);
      cursor = page.nextCursor === undefined ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    expect(seen.size).toBe(20);
    await api.send("DELETE", `/v1/teams/${own}`);
    expect((await sql("select from webhooks where team = $1", [own])).rowCount).toBe(0);
  });

  it("of another team is none", async () => {
    const { id } = await webhook();
    const other = await api.teamWithAccount();
    for (const path of ["", "/deliveries"]) {
      expect(await api.send("GET", `/v1/teams/${other}/webhooks/${id}${path}`)).toMatchObject({
        status: 404,
      });
    }
    const [delivery] = [await api.send("POST", `/v1/teams/${team}/webhooks/${id}/test`)];
    const mine = (
      await api.send("POST", `/v1/teams/${other}/webhooks`, { body: { url: receiver.url, events: ["*"] } })
    ).body;
    const url = `/v1/teams/${other}/webhooks/${mine.id}/deliveries/${delivery?.body.id}/replay`;
    expect(await api.send("POST", url)).toMatchObject({ status: 404, body: { code: "delivery_not_found" } });
  });
});

describe("a team without webhooks", () => {
  it("costs no row per operation", async () => {
    await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
    expect((await sql("select from webhook_outbox where team = $1", [team])).rowCount).toBe(0);
  });
});
