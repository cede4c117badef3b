import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { preferredWait } from "../../../src/operations/waiting.ts";
import { type Document, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { PipelineRequests } from "../pipelines/pipeline-requests.ts";

let api: Api;
let team: string;
let churn: PipelineRequests;

beforeAll(async () => {
  api = await startApi({ limits: { streams: 2 } });
  team = await api.teamWithAccount();
});

beforeEach(() => {
  churn = new PipelineRequests(api, team);
});

afterAll(() => api.close());

const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);
const operationOf = async (name: string) =>
  (await sql("select id from operations where pipeline = $1", [name])).rows[0]?.id;

/** Ends the operation of a pipeline as soon as it is there, as a worker does. */
async function end(name: string): Promise<void> {
  const id = await vi.waitFor(async () => {
    const found = await operationOf(name);
    expect(found).toBeDefined();
    return found as string;
  });
  await sql(
    "update operations set state = 'succeeded', started_at = now(), finished_at = now() where id = $1",
    [id],
  );
  await sql("select pg_notify('operation_changed', $1)", [id]);
}

describe("a change that is to be waited for", () => {
  it("answers 200 with the ended operation, and says that it waited", async () => {
    const answer = churn.put(validSpec(), { prefer: "respond-async, wait=30" });
    await end(churn.name);
    const { status, headers, body } = await answer;
    expect([status, body.state, headers["preference-applied"]]).toEqual([200, "succeeded", "wait=30"]);
    expect(headers.location).toBe(`/v1/operations/${body.id}`);
  });

  it("answers 202 with how far it is when the time is over", async () => {
    const { status, headers, body } = await churn.put(validSpec(), { prefer: "wait=1" });
    expect([status, body.state, headers["preference-applied"]]).toEqual([202, "queued", "wait=1"]);
  });

  it("is made and not waited for by whoever waits for too much already", async () => {
    const { body } = await churn.put();
    const read = () => api.send("GET", `/v1/operations/${body.id}`, { headers: { prefer: "wait=30" } });
    const waiting = [read(), read()];
    await vi.waitFor(async () => expect((await read()).status).toBe(429));
    const preview = await api.send("POST", `${churn.url}/previews`, { headers: { prefer: "wait=30" } });
    expect(preview).toMatchObject({ status: 202, body: { kind: "preview" } });
    expect(preview.headers).not.toHaveProperty("preference-applied");
    await sql("update operations set state = 'cancelled', finished_at = now() where id = $1", [body.id]);
    await sql("select pg_notify('operation_changed', $1)", [body.id]);
    for (const { status, body: ended } of await Promise.all(waiting))
      expect([status, ended.state]).toEqual([200, "cancelled"]);
  });

  it("repeats the answer it came to for its Idempotency-Key, and meanwhile tells the operation", async () => {
    const headers = { "idempotency-key": randomUUID(), prefer: "wait=30" };
    const first = churn.put(validSpec(), headers);
    await vi.waitFor(async () => expect(await operationOf(churn.name)).toBeDefined());
    const { prefer: _, ...withoutWaiting } = headers;
    const meanwhile = await churn.put(validSpec(), withoutWaiting);
    expect(meanwhile).toMatchObject({
      status: 202,
      body: { id: await operationOf(churn.name), state: "queued" },
    });
    await end(churn.name);
    const answered = await first;
    const again = await churn.put(validSpec(), withoutWaiting);
    expect([again.status, again.body]).toEqual([200, answered.body]);
    expect(again.headers["preference-applied"]).toBe("wait=30");
  });
});

describe("every route that starts an operation", () => {
  it("says that it can be waited for", async () => {
    const { paths } = (await api.send("GET", "/openapi.json")).body;
    const starting = Object.values<Document>(paths)
      .flatMap((methods) => Object.values<Document>(methods))
      .filter(({ responses }) =>
        JSON.stringify(responses[202]?.content ?? "").includes("#/components/schemas/Operation"),
      );
    expect(starting.length).toBeGreaterThan(8);
    for (const { operationId, parameters, responses } of starting) {
      expect(
        parameters.map(({ name }: Document) => name),
        operationId,
      ).toContain("prefer");
      expect(responses, operationId).toHaveProperty("200");
    }
  });
});

describe("the preference", () => {
  it("is taken from whatever else is preferred, for a minute at most", () => {
    expect(preferredWait(undefined)).toBe(0);
    expect(preferredWait("respond-async")).toBe(0);
    expect(preferredWait("wait=10")).toBe(10);
    expect(preferredWait('respond-async, Wait = "7"')).toBe(7);
    expect(preferredWait("handling=lenient; wait=9999")).toBe(60);
    expect(preferredWait("await=5")).toBe(0);
    expect(preferredWait("wait=-5")).toBe(0);
  });
});
