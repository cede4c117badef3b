import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordOutcome } from "../../../src/drift/outcome.ts";
import type { Step } from "../../../src/engine/protocol.ts";
import { claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { appendEvents } from "../../../src/operations/events.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { recordSnapshot } from "../../../src/stacks/store.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let team: string;
let url: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

beforeEach(async () => {
  url = `/v1/teams/${team}/pipelines/${uniqueName("churn")}`;
  await api.send("PUT", url, { body: validSpec() });
});

afterAll(() => api.close());

const get = async (path: string) => (await api.send("GET", `${url}${path}`)).body;
const phase = async (name: string) =>
  (await get("/status")).phases.find((each: Document) => each.phase === name);
const urn = (phaseName: string, type: string, name: string) =>
  `urn:pulumi:s::p::aidlc:phase:${phaseName}$${type}::${name}`;

const resources = [
  { type: "aidlc:phase:Infrastructure", name: "infrastructure", awsId: null, phase: "infrastructure" },
  { type: "aws:s3/bucket:Bucket", name: "raw", awsId: "raw-1", phase: "infrastructure" },
  { type: "aws:s3/bucket:Bucket", name: "models", awsId: "models-1", phase: "infrastructure" },
  { type: "aws:sns/topic:Topic", name: "alerts", awsId: "arn:aws:sns:x", phase: "learning" },
] as const;

const snapshot = {
  outputs: { bucket: "raw-1", nested: { list: [1, null] } },
  resources: resources.map((resource) => ({
    ...resource,
    urn: urn("Infrastructure", resource.type, resource.name),
    parent: null,
    dependencies: [],
    inputs: { name: resource.name },
    outputs: {},
  })),
};

/** Plays the worker's part for the operation of this pipeline that is queued, or for a new one of the given kind. */
async function ran(
  kind: OperationKind,
  state: "succeeded" | "failed",
  { steps, failedPhase }: { steps?: object[]; failedPhase?: "learning" } = {},
): Promise<string> {
  const pool = api.database.pool;
  const { id: pipelineId, name } = await get("");
  const stack = (await pool.query("select stack_id from pipelines where id = $1", [pipelineId])).rows[0]
    .stack_id;
  const queued = await pool.query<{ id: string }>(
    "select id from operations where pipeline_id = $1 and kind = $2 and state = 'queued'",
    [pipelineId, kind],
  );
  const id = queued.rows[0]?.id ?? randomUUID();
  if (!queued.rows[0]) {
    await pool.query(
      `insert into operations (id, kind, stack_id, team, pipeline, pipeline_id, revision, request_id)
       values ($1, $2, $3, $4, $5, $6, 1, 'r')`,
      [id, kind, stack, team, name, pipelineId],
    );
  }
  const claim = await claimOperation(pool, id, { node: "n", leaseMs: 60_000 });
  const token = claim?.fencingToken ?? 0;
  if (failedPhase) {
    const body = { status: "failed" };
    await appendEvents(pool, id, token, [
      { sequence: 1, at: new Date(), type: "resource", phase: failedPhase, body },
    ]);
  }
  const result = { changes: {}, ...(steps === undefined ? {} : { steps: steps as never }) };
  await finishOperation(pool, id, token, { state, result, error: null });
  const outcome = { state, changes: {}, steps: (steps ?? []) as Step[], stackExists: true };
  const operation = (await findOperation(pool, id)) as Operation;
  await inTransaction(pool, (client) => recordOutcome(client, pipelineId, operation, outcome, new Date()));
  if (kind === "update") await recordSnapshot(pool, stack, token, { exists: true, snapshot });
  if (kind === "update" && state === "succeeded") {
    await pool.query("update pipelines set applied_revision = desired_revision where id = $1", [pipelineId]);
  }
  return id;
}

const drifted = {
  action: "update",
  urn: urn("Infrastructure", "aws:s3/bucket:Bucket", "raw"),
  type: "aws:s3/bucket:Bucket",
  name: "raw",
  phase: "infrastructure",
  awsId: "raw-1",
  changes: [
    { path: "versioning.enabled", kind: "update", before: true, after: false },
    { path: "tags.count", kind: "add", after: 5 },
    { path: "tags.list", kind: "delete", before: [1, "a", null, { b: false }] },
  ],
};

describe("the status of a pipeline", () => {
  it("says provisioning, with every phase changing and nothing there, while the first update waits", async () => {
    const status = await get("/status");
    expect(status).toMatchObject({
      state: "provisioning",
      desiredRevision: 1,
      lastChange: { kind: "update", state: "queued" },
    });
    expect(status).not.toHaveProperty("appliedRevision");
    expect(status.phases).toHaveLength(5);
    for (const each of status.phases)
      expect(each).toMatchObject({ state: "changing", resources: 0, drifted: 0 });
  });

  it("says ready and counts what is on AWS by phase, not components, once an update has succeeded", async () => {
    await ran("update", "succeeded");
    expect(await get("/status")).toMatchObject({ state: "ready", desiredRevision: 1, appliedRevision: 1 });
    expect(await phase("infrastructure")).toEqual({
      phase: "infrastructure",
      state: "ready",
      resources: 2,
      drifted: 0,
    });
    expect(await phase("learning")).toMatchObject({ state: "ready", resources: 1 });
    expect(await phase("compliance")).toMatchObject({ state: "absent", resources: 0 });
  });

  it("says failed in the phase where something failed", async () => {
    await ran("update", "failed", { failedPhase: "learning" });
    expect(await get("/status")).toMatchObject({ state: "failed", lastChange: { state: "failed" } });
    expect(await phase("learning")).toMatchObject({ state: "failed" });
    expect(await phase("infrastructure")).toMatchObject({ state: "incomplete" });
  });

  it("says what drifted until the next change", async () => {
    await ran("update", "succeeded");
    expect(await get("/status")).not.toHaveProperty("drift");
    await ran("drift", "succeeded", { steps: [drifted] });
    expect((await get("/status")).drift).toEqual({ checkedAt: expect.any(String), drifted: 1 });
    expect(await phase("infrastructure")).toMatchObject({ state: "drifted", drifted: 1 });
    expect(await phase("learning")).toMatchObject({ state: "ready" });
    await ran("reconcile", "succeeded");
    expect(await get("/status")).not.toHaveProperty("drift");
    expect(await phase("infrastructure")).toMatchObject({ state: "ready", drifted: 0 });
  });

  it("isn't changed by a check that failed", async () => {
    await ran("update", "succeeded");
    await ran("drift", "succeeded", { steps: [drifted] });
    await ran("drift", "failed");
    expect((await get("/status")).drift).toMatchObject({ drifted: 1 });
    expect((await get("/status")).state).toBe("ready");
  });

  it("names the reason when SageMaker has nothing to be asked about", async () => {
    expect((await get("/status")).sageMaker).toEqual({
      unavailable: expect.stringMatching(/no SageMaker pipeline/),
      executions: [],
      modelPackages: [],
    });
  });
});

describe("the drift report", () => {
  it("shows what the last check found, property by property, with values of any type", async () => {
    await ran("update", "succeeded");
    const id = await ran("drift", "succeeded", { steps: [drifted] });
    expect(await get("/drift")).toEqual({
      operation: id,
      checkedAt: expect.any(String),
      drifted: 1,
      steps: [drifted],
      open: { data: 1, cost: 1, benign: 1 },
      drifts: expect.any(Array),
    });
    expect((await api.send("GET", `/v1/operations/${id}`)).body.result).toEqual({
      changes: {},
      steps: [drifted],
    });
  });

  it("stays readable after the next change", async () => {
    await ran("update", "succeeded");
    const id = await ran("drift", "succeeded", { steps: [drifted] });
    await ran("reconcile", "succeeded");
    expect((await get("/drift")).operation).toBe(id);
  });
});

describe("outputs", () => {
  it("are empty before the first update and then what it recorded", async () => {
    expect(await get("/outputs")).toEqual({ outputs: {} });
    await ran("update", "succeeded");
    expect(await get("/outputs")).toEqual({ outputs: snapshot.outputs, recordedAt: expect.any(String) });
  });

  it("of a failed update are what the state held then", async () => {
    await ran("update", "failed");
    expect((await get("/outputs")).outputs).toEqual(snapshot.outputs);
  });
});

describe("resources", () => {
  it("are listed in the state's order, in pages", async () => {
    await ran("update", "succeeded");
    const first = await get("/resources?limit=3");
    const second = await get(`/resources?limit=3&cursor=${first.nextCursor}`);
    const names = [...first.items, ...second.items].map((item) => item.name);
    expect(names).toEqual(["infrastructure", "raw", "models", "alerts"]);
    expect(second).not.toHaveProperty("nextCursor");
    expect(first.items[0]).not.toHaveProperty("id");
    expect(first.items[1]).toEqual({
      urn: urn("Infrastructure", "aws:s3/bucket:Bucket", "raw"),
      type: "aws:s3/bucket:Bucket",
      name: "raw",
      id: "raw-1",
      phase: "infrastructure",
      dependencies: [],
      inputs: { name: "raw" },
      outputs: {},
    });
  });

  it("can be had by phase, by type, and by both", async () => {
    await ran("update", "succeeded");
    const names = async (query: string) =>
      (await get(`/resources?${query}`)).items.map((item: Document) => item.name);
    expect(await names("phase=learning")).toEqual(["alerts"]);
    expect(await names("type=aws:s3/bucket:Bucket")).toEqual(["raw", "models"]);
    expect(await names("phase=learning&type=aws:s3/bucket:Bucket")).toEqual([]);
    expect(await names("type=aws:s3/bucket:Bucket&limit=1")).toEqual(["raw"]);
  });

  it("are none before the first update", async () => {
    expect(await get("/resources")).toEqual({ items: [] });
  });
});
