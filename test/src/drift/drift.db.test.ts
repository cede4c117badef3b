import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { spareOf } from "../../../src/drift/outcome.ts";
import type { Document } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import {
  bucket,
  changed,
  DriftRequests,
  day,
  gone,
  inDays,
  promoted,
  shorter,
  suspended,
} from "./drift-requests.ts";

let api: Api;
let team: string;
let pipeline: DriftRequests;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
  await api.send("PUT", `/v1/teams/${team}/quota`, { body: { pipelines: 100, operationsPerDay: 10_000 } });
});
beforeEach(async () => {
  pipeline = await DriftRequests.create(api, team);
});
afterAll(() => api.close());

const status = "versioningConfiguration.status";
const infrastructure = async () =>
  (await pipeline.send("GET", "/status")).body.phases.find(
    (each: Document) => each.phase === "infrastructure",
  );
/** Has what is held until a date be held until a moment ago. */
const letHoldsPass = () =>
  api.database.pool.query(
    "update drifts set held_until = now() - interval '1 second' where held_until is not null",
  );
const rule = (change: object = {}) => ({
  resource: "raw",
  path: "versioning*",
  reason: "The bucket is being moved",
  owner: "ada@example.com",
  expiresAt: inDays(7),
  ...change,
});

describe("a drift check", () => {
  it("leaves a drift for each property, with before, after and class", async () => {
    const operation = await pipeline.check(suspended, gone(bucket, "raw"));
    const { body } = await pipeline.send("GET", "/drift");
    expect(body).toMatchObject({ operation, drifted: 2, open: { data: 2 } });
    expect(body.steps).toHaveLength(2);
    expect(body.drifts).toEqual([
      expect.objectContaining({
        kind: "gone",
        class: "data",
        severity: "critical",
        dataLoss: true,
        state: "open",
      }),
      expect.objectContaining({
        kind: "changed",
        path: status,
        before: "Enabled",
        after: "Suspended",
        class: "data",
        dataLoss: false,
        awsId: "raw-1",
        phase: "infrastructure",
      }),
    ]);
    expect(body.drifts[0]).not.toHaveProperty("path");
  });

  it("that sees the same again keeps its id and when it was first seen, and tells the new value", async () => {
    await pipeline.check(suspended);
    const first = await pipeline.drift(status);
    await pipeline.check(changed(suspended.type, "raw", status, "Enabled", "Off"));
    const second = await pipeline.drift(status);
    expect(second).toMatchObject({ id: first.id, firstSeenAt: first.firstSeenAt, after: "Off" });
    expect(second.lastSeenAt > first.lastSeenAt).toBe(true);
  });

  it("that doesn't see it any more resolves it; seen once more it is open, and first seen then", async () => {
    await pipeline.check(suspended);
    const first = await pipeline.drift(status);
    await pipeline.check();
    expect(await pipeline.drifts()).toEqual([]);
    expect(await pipeline.drift(status, "?state=resolved")).toMatchObject({
      id: first.id,
      state: "resolved",
    });
    await pipeline.check(suspended);
    const again = await pipeline.drift(status);
    expect(again).toMatchObject({ id: first.id, state: "open" });
    expect(again.firstSeenAt > first.firstSeenAt).toBe(true);
  });

  it("that failed changes nothing", async () => {
    await pipeline.check(suspended);
    const { id } = (await pipeline.send("POST", "/drift-checks")).body;
    await pipeline.ended(id, { state: "failed" });
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
  });

  it("can be read by class and by state", async () => {
    await pipeline.check(suspended, shorter, promoted);
    const classes = async (query: string) => (await pipeline.drifts(query)).map((each) => each.class);
    expect(await classes("?class=cost")).toEqual(["cost"]);
    expect(await classes("?class=ml_promotion")).toEqual(["ml_promotion"]);
    expect(await classes("?state=open&class=data")).toEqual(["data"]);
    expect(await classes("?state=accepted")).toEqual([]);
    expect((await pipeline.send("GET", "/drift?class=nonsense")).status).toBe(400);
  });

  it("tells the team's webhooks what is new, once", async () => {
    const told = async () =>
      (
        await api.database.pool.query(
          "select data from webhook_outbox where about = $1 and type = 'drift.found'",
          [`pipelines/${pipeline.name}`],
        )
      ).rows.map(({ data }) => data);
    await pipeline.check(
      suspended,
      changed("aws:cloudwatch/dashboard:Dashboard", "board", "dashboardBody", "a", "b"),
    );
    await pipeline.check(suspended);
    expect(await told()).toEqual([
      expect.objectContaining({
        pipeline: pipeline.name,
        found: 1,
        drifts: [expect.objectContaining({ path: status, class: "data" })],
      }),
    ]);
  });
});

describe("the status", () => {
  it("says drifted for what is open, not for what is benign", async () => {
    await pipeline.check(changed("aws:cloudwatch/dashboard:Dashboard", "board", "dashboardBody", "a", "b"));
    expect(await infrastructure()).toMatchObject({ drifted: 0 });
    await pipeline.check(suspended);
    expect(await infrastructure()).toMatchObject({ drifted: 1 });
    expect((await pipeline.send("GET", "/status")).body.drift).toMatchObject({ drifted: 1 });
  });

  it("says it no more for what is ignored or accepted, until that has passed", async () => {
    await pipeline.check(suspended);
    await pipeline.send("PUT", "/drift-rules/moving", rule());
    expect(await infrastructure()).toMatchObject({ drifted: 0 });
    await letHoldsPass();
    expect(await infrastructure()).toMatchObject({ drifted: 1 });
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
  });

  it("is a metric, by class", async () => {
    const open = async () =>
      Number(/aidlc_drifts_open\{class="data"\} (\d+)/.exec((await api.send("GET", "/metrics")).body)?.[1]);
    const before = await open();
    await pipeline.check(suspended);
    expect(await open()).toBe(before + 1);
  });
});

describe("a rule", () => {
  it("ignores what it matches at once, and what later checks find", async () => {
    await pipeline.check(suspended, shorter);
    expect((await pipeline.send("PUT", "/drift-rules/moving", rule())).status).toBe(201);
    expect(await pipeline.drift(status)).toMatchObject({
      state: "ignored",
      rule: "moving",
      heldUntil: expect.any(String),
    });
    expect(await pipeline.drift("retentionInDays")).toMatchObject({ state: "open" });
    await pipeline.check(suspended, shorter);
    expect(await pipeline.drift(status)).toMatchObject({ state: "ignored" });
    expect((await pipeline.send("GET", "/drift")).body.open).toEqual({ cost: 1 });
  });

  it("that is taken back, or changed, lets go of what it held", async () => {
    await pipeline.check(suspended);
    await pipeline.send("PUT", "/drift-rules/moving", rule());
    expect((await pipeline.send("PUT", "/drift-rules/moving", rule({ resource: "models" }))).status).toBe(
      200,
    );
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
    await pipeline.send("PUT", "/drift-rules/moving", rule());
    expect((await pipeline.send("DELETE", "/drift-rules/moving")).status).toBe(204);
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
    expect((await pipeline.send("DELETE", "/drift-rules/moving")).status).toBe(204);
  });

  it("never ignores a loss of data", async () => {
    await pipeline.check(gone(bucket, "raw"));
    await pipeline.send("PUT", "/drift-rules/all", rule({ resource: "*", path: "*" }));
    expect(await pipeline.drift("")).toMatchObject({ state: "open", dataLoss: true });
  });

  it("can be read, alone and with the others, also once it has expired", async () => {
    await pipeline.send("PUT", "/drift-rules/moving", rule());
    await api.database.pool.query("update drift_rules set expires_at = now() - interval '1 day'");
    const { body } = await pipeline.send("GET", "/drift-rules/moving");
    expect(body).toMatchObject({
      id: "moving",
      path: "versioning*",
      owner: "ada@example.com",
      active: false,
    });
    expect((await pipeline.send("GET", "/drift-rules")).body.items).toEqual([body]);
    expect((await pipeline.send("GET", "/drift-rules/none")).body.code).toBe("drift_rule_not_found");
  });

  it("has a reason, an owner and a date within a year", async () => {
    for (const change of [
      { reason: undefined },
      { owner: undefined },
      { expiresAt: undefined },
      { expiresAt: inDays(400) },
      { expiresAt: inDays(-1) },
    ])
      expect((await pipeline.send("PUT", "/drift-rules/moving", rule(change))).status).toBe(400);
  });
});

describe("to accept a drift", () => {
  it("holds it until the date, and over later checks", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    const answer = await pipeline.decide(id, { decision: "accept", until: inDays(3) });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: "accepted", decision: { reason: "Because of the audit" } });
    await pipeline.check(suspended);
    expect(await pipeline.drift(status)).toMatchObject({ state: "accepted" });
    await letHoldsPass();
    await pipeline.check(suspended);
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
  });

  it("takes a date within a year", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    for (const body of [
      { decision: "accept" },
      { decision: "accept", until: inDays(400) },
      { decision: "revert", until: inDays(1) },
    ]) {
      const answer = await pipeline.decide(id, body);
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, "/until"]);
    }
  });

  it("is possible for a loss of data, one by one", async () => {
    await pipeline.check(gone(bucket, "raw"));
    const { id } = await pipeline.drift("");
    expect((await pipeline.decide(id, { decision: "accept", until: inDays(3) })).body.state).toBe("accepted");
  });
});

describe("to revert a drift", () => {
  it("submits a reconciliation of that resource alone, after which it is reverted", async () => {
    await pipeline.check(suspended, shorter);
    const { id, urn } = await pipeline.drift(status);
    const { body } = await pipeline.decide(id, { decision: "revert" });
    const { operation } = body.decision;
    expect((await api.send("GET", `/v1/operations/${operation}`)).body).toMatchObject({
      kind: "reconcile",
      state: "queued",
    });
    const options = await api.database.pool.query("select options from operations where id = $1", [
      operation,
    ]);
    expect(options.rows[0].options).toEqual({ only: [urn] });

    const kept = [{ urn: shorter.urn, path: "retentionInDays" }];
    await pipeline.ended(operation, {
      drift: { steps: [suspended, shorter], kept, excluded: [shorter.urn] },
    });
    expect(await pipeline.drift(status, "?state=reverted")).toMatchObject({ id });
    expect(await pipeline.drift("retentionInDays")).toMatchObject({ state: "open" });
  });

  it.each(["queued", "running", "awaiting_approval"])(
    "is refused while the reconciliation that was asked for is %s, and names it",
    async (state) => {
      await pipeline.check(suspended);
      const { id } = await pipeline.drift(status);
      const { operation } = (await pipeline.decide(id, { decision: "revert" })).body.decision;
      await api.database.pool.query("update operations set state = $2 where id = $1", [operation, state]);
      expect(await pipeline.decide(id, { decision: "revert" })).toMatchObject({
        status: 409,
        body: { code: "drift_conflict", operation, detail: expect.stringContaining(operation) },
      });
      expect(await pipeline.drift(status)).toMatchObject({ state: "open", decision: { operation } });
    },
  );

  it("is possible again where the reconciliation didn't help", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    const { operation } = (await pipeline.decide(id, { decision: "revert" })).body.decision;
    await pipeline.ended(operation, { state: "failed" });
    const again = await pipeline.decide(id, { decision: "revert" });
    expect(again.status).toBe(200);
    expect(again.body.decision.operation).not.toBe(operation);
  });

  it("is refused for a promoted model", async () => {
    await pipeline.check(promoted);
    const { id } = await pipeline.drift("functionVersion");
    const answer = await pipeline.decide(id, { decision: "revert" });
    expect([answer.status, answer.body.code]).toEqual([409, "drift_conflict"]);
  });
});

describe("to adopt a drift", () => {
  it("writes it into the spec, as a new revision, and is done when that is applied", async () => {
    await pipeline.check(shorter);
    const { id } = await pipeline.drift("retentionInDays");
    const { body } = await pipeline.decide(id, { decision: "adopt" });
    expect(body).toMatchObject({ state: "adopted" });
    const { spec, desiredRevision } = (await pipeline.send("GET", "")).body;
    expect([desiredRevision, spec.monitoring.logRetentionDays]).toEqual([2, 60]);
    await pipeline.check(shorter);
    expect(await pipeline.drift("retentionInDays", "?state=adopted")).toMatchObject({ id });
    await pipeline.ended(body.decision.operation);
    await pipeline.check();
    expect(await pipeline.drifts()).toEqual([]);
  });

  it("is open again where the update that adopts it didn't help", async () => {
    await pipeline.check(shorter);
    const { id } = await pipeline.drift("retentionInDays");
    const { body } = await pipeline.decide(id, { decision: "adopt" });
    await pipeline.ended(body.decision.operation, { state: "failed" });
    await pipeline.check(shorter);
    expect(await pipeline.drift("retentionInDays")).toMatchObject({ state: "open" });
  });

  it("is refused where the spec can't say it, or doesn't take the value", async () => {
    await pipeline.check(
      suspended,
      changed(shorter.type, "gate-logs", "retentionInDays", 30, 31),
      gone(bucket, "raw"),
    );
    const refusal = async (path: string) =>
      (await pipeline.decide((await pipeline.drift(path)).id, { decision: "adopt" })).body;
    expect(await refusal(status)).toMatchObject({ code: "drift_conflict" });
    expect(await refusal("")).toMatchObject({ code: "drift_conflict" });
    expect(await refusal("retentionInDays")).toMatchObject({
      code: "invalid_spec",
      errors: [expect.objectContaining({ path: "/monitoring/logRetentionDays" })],
    });
    expect((await pipeline.send("GET", "")).body.desiredRevision).toBe(1);
  });
});

describe("a decision", () => {
  it("is made about what lasts", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    await pipeline.check();
    expect((await pipeline.decide(id, { decision: "revert" })).body.code).toBe("drift_conflict");
  });

  it("is made about drifts of this pipeline", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    const other = await DriftRequests.create(api, team);
    expect((await other.decide(id, { decision: "revert" })).body.code).toBe("drift_not_found");
  });
});

describe("a reconciliation", () => {
  it("is told what rules and people hold, and which resource it is for", async () => {
    await pipeline.check(suspended, shorter);
    await pipeline.send("PUT", "/drift-rules/moving", rule());
    await pipeline.decide((await pipeline.drift("retentionInDays")).id, {
      decision: "accept",
      until: inDays(3),
    });
    const id = await pipeline.id();
    const spared = async (options: object, now = new Date()) =>
      spareOf(api.database.pool, id, await pipeline.operation("reconcile", options), now);
    expect(await spared({ only: ["urn"] })).toEqual({
      rules: [{ resource: "raw", path: "versioning*" }],
      accepted: [{ urn: shorter.urn, path: "retentionInDays" }],
      only: ["urn"],
    });
    expect((await spared({}, new Date(Date.now() + 8 * day))).rules).toEqual([]);
  });

  it("reverts what it doesn't keep, also what no check had found before", async () => {
    await pipeline.check(suspended);
    const operation = await pipeline.operation("reconcile");
    const kept = [{ urn: promoted.urn, path: "functionVersion" }];
    await pipeline.ended(operation.id, {
      drift: { steps: [suspended, shorter, promoted], kept, excluded: [promoted.urn] },
    });
    expect((await pipeline.drifts("?state=reverted")).map((each) => each.path).sort()).toEqual([
      "retentionInDays",
      status,
    ]);
    expect(await pipeline.drift("functionVersion")).toMatchObject({ state: "open" });
  });

  it("that failed leaves everything open that it found", async () => {
    await pipeline.check();
    const operation = await pipeline.operation("reconcile");
    await pipeline.ended(operation.id, {
      state: "failed",
      drift: { steps: [suspended], kept: [], excluded: [] },
    });
    expect(await pipeline.drift(status)).toMatchObject({ state: "open" });
  });

  it("leaves held drifts on record whose values the stack's state has taken over, until the next apply", async () => {
    await pipeline.check(suspended);
    const { id } = await pipeline.drift(status);
    await pipeline.decide(id, { decision: "accept", until: inDays(3) });
    const operation = await pipeline.operation("reconcile");
    const kept = [{ urn: suspended.urn, path: status }];
    await pipeline.ended(operation.id, { drift: { steps: [suspended], kept, excluded: [] } });
    await pipeline.check();
    expect(await pipeline.drift(status)).toMatchObject({ id, state: "accepted" });
    const update = await pipeline.operation("update");
    await pipeline.ended(update.id);
    await pipeline.check();
    expect(await pipeline.drifts()).toEqual([]);
  });
});
