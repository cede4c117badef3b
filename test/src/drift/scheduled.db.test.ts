import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attributeDrifts } from "../../../src/drift/attribution.ts";
import { submitDue } from "../../../src/drift/scheduled.ts";
import { type Document, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { DriftRequests, day, suspended } from "./drift-requests.ts";

let api: Api;
let team: string;
const log = pino({ level: "silent" });

beforeAll(async () => {
  api = await startApi();
});
beforeEach(async () => {
  // Pipelines of other tests are due as well.
  await api.database.pool.query("update pipelines set deleted_at = now()");
  team = await api.teamWithAccount();
});
afterAll(() => api.close());

const services = () => ({ pool: api.database.pool, audit: api.audit });
const now = new Date();
const inDay = (days: number) => new Date(now.getTime() + days * day);
const due = (at: Date) => submitDue(services(), log, at);
const withReconcile = (reconcile: Document) =>
  validSpec((spec) => {
    spec.reconcile = reconcile;
  });
/** Drift operations of a pipeline, the newest first. */
const submitted = async (pipeline: DriftRequests) =>
  (await api.send("GET", `/v1/operations?team=${team}&pipeline=${pipeline.name}`)).body.items.filter(
    ({ kind }: Document) => kind === "drift" || kind === "reconcile",
  );

describe("the schedule", () => {
  it("has every pipeline checked once a day, by the service itself, unless its spec says otherwise", async () => {
    const pipeline = await DriftRequests.create(api, team);
    expect(await due(now)).toBe(0);
    expect(await due(inDay(1.01))).toBe(1);
    expect(await submitted(pipeline)).toEqual([
      expect.objectContaining({ kind: "drift", state: "queued", requestedBy: "service" }),
    ]);
    expect(await due(inDay(1.01))).toBe(0);
  });

  it("reconciles where the spec says remediate, and does nothing where it says off", async () => {
    const [remediating, off] = [
      await DriftRequests.create(api, team, withReconcile({ mode: "remediate", schedule: "rate(1 hour)" })),
      await DriftRequests.create(api, team, withReconcile({ mode: "off" })),
    ];
    await due(now);
    await due(new Date(now.getTime() + 3_600_000));
    expect((await submitted(remediating)).map(({ kind }: Document) => kind)).toEqual(["reconcile"]);
    expect(await submitted(off)).toEqual([]);
  });

  it("submits once what was due several times while nobody was there", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await due(now);
    expect(await due(inDay(30))).toBe(1);
    expect(await due(inDay(30))).toBe(0);
    expect(await submitted(pipeline)).toHaveLength(1);
  });

  it("leaves out a pipeline whose last check hasn't ended", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await due(now);
    await due(inDay(1.01));
    expect(await due(inDay(2.02))).toBe(0);
    const [first] = await submitted(pipeline);
    await pipeline.ended(first.id);
    expect(await due(inDay(3.03))).toBe(1);
  });

  it("follows the spec that is applied, and an update doesn't put off what is due", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await due(now);
    const dueAt = async () =>
      (
        await api.database.pool.query("select due_at, mode from drift_schedules where pipeline_id = $1", [
          await pipeline.id(),
        ])
      ).rows[0];
    const before = await dueAt();
    const apply = async (patch: Document) =>
      pipeline.ended((await pipeline.send("PATCH", "", patch)).body.id);
    await apply({ budget: { monthlyUsd: 30 } });
    expect(await due(inDay(1.01))).toBe(1);
    await apply({ reconcile: { schedule: "cron(0 3 * * ? *)" } });
    await due(new Date(now.getTime() + 2));
    expect((await dueAt()).due_at).not.toEqual(before.due_at);
    await apply({ reconcile: { mode: "off" } });
    await due(new Date(now.getTime() + 3));
    expect(await dueAt()).toEqual({ due_at: null, mode: "off" });
  });

  it("submits no more than a hundred in a minute, the longest due first, and the rest after that", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await api.send("PUT", `/v1/teams/${team}/quota`, {
      body: { pipelines: 1_000, operationsPerDay: 10_000 },
    });
    const { pool } = api.database;
    await pool.query(
      `insert into pipelines (team, name, account, stack_id, desired_revision, applied_revision)
       select team, name || '-' || n, account, stack_id, 1, 1 from pipelines, generate_series(1, 119) n where name = $1`,
      [pipeline.name],
    );
    await pool.query(
      "insert into revisions (pipeline_id, number, spec, digest) select p.id, 1, r.spec, r.digest from pipelines p, revisions r where p.team = $1 and p.name <> $2 and r.pipeline_id = $3",
      [team, pipeline.name, await pipeline.id()],
    );
    await due(now);
    expect(await due(inDay(1.01))).toBe(100);
    expect(await due(inDay(1.01))).toBe(20);
    expect(await due(inDay(1.01))).toBe(0);
  });

  it("goes on where one pipeline's team has used up its quota", async () => {
    const poor = await DriftRequests.create(api, team);
    await api.send("PUT", `/v1/teams/${team}/quota`, { body: { operationsPerDay: 1 } });
    const rich = await DriftRequests.create(api, await api.teamWithAccount());
    await due(now);
    expect(await due(inDay(1.01))).toBe(1);
    expect(await submitted(poor)).toEqual([]);
    expect(await rich.drifts()).toBeUndefined();
  });

  it("submits everything once when two nodes look at the same time", async () => {
    await DriftRequests.create(api, team);
    await due(now);
    const both = await Promise.all([due(inDay(1.01)), due(inDay(1.01))]);
    expect(both[0] + both[1]).toBe(1);
  });
});

describe("who changed it", () => {
  const versioning = suspended.type;

  /** A change by hand as the sandbox's trail tells it. */
  const byHand = (awsId: string, properties: string[]) =>
    api.database.pool.connect().then(async (client) => {
      await client.query("begin");
      await api.audit.change(
        client,
        { subject: "user:ada", label: "ada@example.com", sourceAddress: "198.51.100.7", requestId: "r" },
        {
          action: "sandbox_resource.update",
          team: null,
          target: "/sandbox/v1/resources/1",
          before: { type: versioning, awsId },
          after: { type: versioning, awsId, properties },
        },
      );
      await client.query("commit");
      client.release();
    });

  it("is what the sandbox's trail says of changes by hand, and said to be the sandbox's word", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await byHand("raw-1", ["tags"]);
    await byHand("raw-1", ["versioningConfiguration"]);
    await byHand("models-1", ["versioningConfiguration"]);
    await pipeline.check(suspended);
    await attributeDrifts(api.database.pool, { of: "sandbox" }, log, new Date());
    expect((await pipeline.drifts())[0].changedBy).toMatchObject({
      source: "sandbox",
      principal: "ada@example.com",
      event: "sandbox_resource.update",
      sourceAddress: "198.51.100.7",
    });
  });

  it("is asked again for half an hour, every five minutes, while nobody can tell", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await pipeline.check({ ...suspended, awsId: "nobody" });
    const asked = async (minutes: number) => {
      await attributeDrifts(
        api.database.pool,
        { of: "sandbox" },
        log,
        new Date(now.getTime() + minutes * 60_000),
      );
      const found = await api.database.pool.query(
        "select looked_up_at, changed_by from drifts where pipeline_id = $1",
        [await pipeline.id()],
      );
      return found.rows[0].looked_up_at.getTime() - now.getTime();
    };
    expect(await asked(1)).toBe(60_000);
    expect(await asked(4)).toBe(60_000);
    expect(await asked(7)).toBe(420_000);
    expect(await asked(40)).toBe(2_400_000);
    expect(await asked(60)).toBe(2_400_000);
    expect((await pipeline.drifts())[0]).not.toHaveProperty("changedBy");
  });

  it("keeps what it found of one where another's account can't be asked", async () => {
    const pipeline = await DriftRequests.create(api, team);
    await pipeline.check(suspended);
    const clients = () => {
      throw new Error("The role refuses us");
    };
    expect(await attributeDrifts(api.database.pool, { of: "aws", clients }, log, new Date())).toBe(0);
  });
});
