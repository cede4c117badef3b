import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { unorderedReferences } from "../support/references.ts";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const team = "/v1/teams/research";
const account = `${team}/accounts/${parse(spec).account}`;
const pipeline = `${team}/pipelines/penguins`;

describe.each(["file", "postgres"])("a pipeline's life on the real engine with a %s backend", (backend) => {
  let service: TestService;
  let stopBackend = async () => {};

  beforeAll(async () => {
    const environment: Record<string, string> = {};
    if (backend === "postgres") {
      const { mkdtemp, rm } = await import("node:fs/promises");
      const folder = await mkdtemp("/tmp/aidlc-state-");
      const server = await startEmbeddedPostgres(folder);
      environment.PULUMI_BACKEND_URL = `${server.url}?sslmode=disable`;
      stopBackend = async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      };
    }
    service = await startTestService(environment);
  });
  afterAll(async () => {
    await service?.remove();
    await stopBackend();
  });

  const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
  const inventory = async (): Promise<TestResponse["body"][]> => {
    const { body } = await send("GET", "/sandbox/v1/resources?limit=200");
    return body.items;
  };

  it("refuses a pipeline until the account's foundation is provisioned", async () => {
    expect((await send("POST", "/v1/teams", { name: "research" })).status).toBe(201);
    const tooEarly = await send("PUT", pipeline, spec);
    expect(tooEarly.status).toBe(400);
    expect(tooEarly.body.errors).toEqual([expect.objectContaining({ path: "/account" })]);

    const registered = await send("PUT", account, { accountId: "123456789012", region: "eu-central-1" });
    const whileProvisioning = await send("PUT", pipeline, spec);
    expect(whileProvisioning.status).toBe(409);
    expect(whileProvisioning.body).toMatchObject({
      code: "foundation_not_ready",
      operation: registered.body.id,
    });
    expect(await ended(service, registered)).toMatchObject({ state: "succeeded" });
    const foundation = await send("GET", `${account}/foundation`);
    expect(foundation.body).toMatchObject({ state: "provisioned", sharedBy: 1 });
  });

  it("previews a pipeline that doesn't exist yet and leaves nothing behind", async () => {
    const before = await inventory();
    const preview = await ended(service, await send("POST", `${pipeline}/previews`, spec));
    expect(preview).toMatchObject({ state: "succeeded", kind: "preview" });
    expect(preview.result.changes.create).toBeGreaterThanOrEqual(60);
    expect(preview.result.steps).toHaveLength(preview.result.changes.create);
    expect(preview.result.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await inventory()).toEqual(before);
    expect((await send("GET", pipeline)).status).toBe(404);
  });

  it("provisions it, with an event per resource, stored outputs and every phase ready", async () => {
    const update = await ended(service, await send("PUT", pipeline, spec));
    expect(update).toMatchObject({ state: "succeeded", revision: 1 });
    expect(update.result.changes.create).toBeGreaterThanOrEqual(60);

    const { body: events } = await send("GET", `/v1/operations/${update.id}/events?limit=1000`);
    const sequences = events.items.map((event: { sequence: number }) => event.sequence);
    expect(sequences).toEqual(sequences.map((_: number, index: number) => index + 1));
    const done = events.items.filter(
      (event: TestResponse["body"]) =>
        event.body.status === "done" && event.body.resourceType.startsWith("aws:"),
    );
    expect(done).toHaveLength(update.result.changes.create);
    for (const event of done) expect(event.body.durationMs).toBeGreaterThanOrEqual(0);

    const { body: outputs } = await send("GET", `${pipeline}/outputs`);
    expect(Object.keys(outputs.outputs).length).toBeGreaterThan(5);
    const { body: status } = await send("GET", `${pipeline}/status`);
    expect(status).toMatchObject({ state: "ready", desiredRevision: 1, appliedRevision: 1 });
    expect(status.phases.map(({ phase, state }: TestResponse["body"]) => [phase, state])).toEqual([
      ["architecture", "ready"],
      ["infrastructure", "ready"],
      ["deployment", "ready"],
      ["learning", "ready"],
      ["compliance", "ready"],
    ]);
    expect(status.sageMaker.pipeline).toMatchObject({ status: "Active" });
    expect(status.sageMaker.unavailable).toBeUndefined();
  });

  it("lists every resource with its phase, parent and dependencies", async () => {
    const { body } = await send("GET", `${pipeline}/resources?limit=200`);
    const urns = new Set(body.items.map((item: TestResponse["body"]) => item.urn));
    const real = body.items.filter((item: TestResponse["body"]) => item.type.startsWith("aws:"));
    expect(real.length).toBeGreaterThanOrEqual(60);
    for (const item of real) {
      expect(item.phase, item.urn).toBeDefined();
      expect(urns.has(item.parent), item.urn).toBe(true);
      for (const dependency of item.dependencies) expect(urns.has(dependency), dependency).toBe(true);
    }
  });

  it("waits in both stacks for everything that AWS wants to exist first", async () => {
    const pool = openPool(service.databaseUrl, 1);
    const stacks = await pool.query<{ id: string }>("select id from stacks where initialized");
    expect(stacks.rows).toHaveLength(2);
    for (const { id } of stacks.rows) {
      const { rows } = await pool.query(
        "select urn, type, aws_id as id, dependencies, inputs, outputs from resources where stack_id = $1",
        [id],
      );
      expect(rows.length).toBeGreaterThan(30);
      expect(unorderedReferences(rows)).toEqual([]);
    }
    await pool.end();
  });

  it("changes nothing when the same spec is applied again", async () => {
    const update = await ended(service, await send("PUT", pipeline, spec));
    expect(update).toMatchObject({ state: "succeeded", revision: 1 });
    expect(Object.keys(update.result.changes)).toEqual(["same"]);
  });

  it("finds what somebody changed and deleted by hand, property by property, and reconciles it", async () => {
    const none = await ended(service, await send("POST", `${pipeline}/drift-checks`));
    expect(none.result.steps).toEqual([]);

    const first = async (type: string) => {
      const { body } = await send("GET", `/sandbox/v1/resources?pipeline=penguins&type=${type}`);
      return body.items[0];
    };
    const topic = await first("aws:sns/topic:Topic");
    const alarm = await first("aws:cloudwatch/metricAlarm:MetricAlarm");
    expect(
      (await send("PATCH", `/sandbox/v1/resources/${topic.id}`, { displayName: "changed by hand" })).status,
    ).toBe(200);
    expect((await send("DELETE", `/sandbox/v1/resources/${alarm.id}`)).status).toBe(204);

    const found = await ended(service, await send("POST", `${pipeline}/drift-checks`));
    expect(found.result.steps).toHaveLength(2);
    const changed = found.result.steps.find((step: TestResponse["body"]) => step.type === topic.type);
    expect(changed.changes).toEqual([
      expect.objectContaining({ path: "displayName", after: "changed by hand" }),
    ]);
    const deleted = found.result.steps.find((step: TestResponse["body"]) => step.type === alarm.type);
    expect(deleted.action).toBe("delete");
    const { body: status } = await send("GET", `${pipeline}/status`);
    // What a topic is called does no harm, and is told all the same.
    expect(status.drift.drifted).toBe(1);
    expect((await send("GET", `${pipeline}/drift`)).body).toMatchObject({ drifted: 2, operation: found.id });

    expect(await ended(service, await send("POST", `${pipeline}/reconciliations`))).toMatchObject({
      state: "succeeded",
    });
    const after = await ended(service, await send("POST", `${pipeline}/drift-checks`));
    expect(after.result.steps).toEqual([]);
  });

  it("applies a merge patch as a new revision and shows what it changes first", async () => {
    const patch = { budget: { monthlyUsd: 77 } };
    const changed = { ...parse(spec), ...patch };
    const preview = await ended(service, await send("POST", `${pipeline}/previews`, changed));
    expect(preview.result.steps.map((step: TestResponse["body"]) => step.type)).toContain(
      "aws:budgets/budget:Budget",
    );
    const update = await ended(service, await send("PATCH", pipeline, patch));
    expect(update).toMatchObject({ state: "succeeded", revision: 2 });
    const { same: _, ...applied } = update.result.changes;
    const { same: __, ...planned } = preview.result.changes;
    expect(applied).toEqual(planned);
    const { body: revisions } = await send("GET", `${pipeline}/revisions`);
    expect(revisions.items.map((revision: TestResponse["body"]) => revision.number)).toEqual([2, 1]);
  });

  it("leaves buckets, keys and models of a pipeline that is destroyed as asked by default, and a new one of its name takes them over", async () => {
    const destroyed = await ended(service, await send("DELETE", pipeline));
    expect(destroyed).toMatchObject({ state: "succeeded", kind: "destroy" });
    expect((await send("GET", pipeline)).status).toBe(404);
    const left = (await inventory()).filter((item) => JSON.stringify(item).includes("penguins"));
    const types = new Set(left.map((item) => item.type));
    expect([...types]).toEqual(
      expect.arrayContaining(["aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy", "aws:kms/key:Key"]),
    );
    expect(types.has("aws:sagemaker/pipeline:Pipeline")).toBe(false);

    const again = await ended(service, await send("PUT", pipeline, spec));
    expect(again).toMatchObject({ state: "succeeded", revision: 1 });
    expect(again.result.changes.create).toBe(destroyed.result.changes.delete);
    expect(again.result.changes.same).toBeGreaterThan(0);
  });

  it("destroys the pipeline and the foundation with all their data, and nothing is left", async () => {
    expect((await send("DELETE", account)).body).toMatchObject({ status: 409, code: "account_in_use" });
    expect(
      await ended(service, await send("DELETE", `${pipeline}?data=delete&confirm=research/penguins`)),
    ).toMatchObject({
      state: "succeeded",
    });
    expect((await send("GET", pipeline)).status).toBe(404);
    expect(await ended(service, await send("DELETE", `${account}?data=delete`))).toMatchObject({
      state: "succeeded",
    });
    expect((await send("GET", account)).status).toBe(404);
    const left = (await inventory()).filter((item) => item.deletionDueAt === undefined);
    // AWS's own role for AWS Config, which all regions of an account share.
    expect(left.map(({ type }) => type)).toEqual(["aws:iam/serviceLinkedRole:ServiceLinkedRole"]);
    expect((await send("DELETE", team)).status).toBe(204);
  });
});
