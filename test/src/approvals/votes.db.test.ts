import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { reviewApprovals } from "../../../src/approvals/expiry.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, type Caller, startApi } from "../api.ts";
import { applied, claimed, gateFor, plan, read, rest } from "./waiting-operation.ts";

let api: Api;
let team: string;
let pipeline: string;
let developer: Caller;
const hourMs = 3_600_000;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  team = await api.teamWithAccount();
  pipeline = `/v1/teams/${team}/pipelines/${uniqueName("churn")}`;
  developer = await api.as({ teams: { [team]: ["developer"] } });
});

const member = (...roles: ("viewer" | "developer" | "maintainer" | "approver")[]) =>
  api.as({ teams: { [team]: roles } });
const spec = (approvals: object) =>
  validSpec((one) => {
    one.approvals = approvals;
  });
const put = (approvals: object = { required: 1 }, by: Pick<Caller, "send"> = developer) =>
  by.send("PUT", pipeline, { body: spec(approvals) });
const waitingFor = async (approvals?: object) => plan(api, await put(approvals));
const approve = (by: Pick<Caller, "send">, { id, approval }: Document, digest = approval.digest) =>
  by.send("POST", `/v1/operations/${id}/approve`, { body: { digest, comment: "Looks right" } });
const reject = (by: Pick<Caller, "send">, { id }: Document) =>
  by.send("POST", `/v1/operations/${id}/reject`, { body: { comment: "Not today" } });
const approvalsOf = async ({ id }: Document) =>
  (await api.send("GET", `/v1/operations/${id}/approvals`)).body;
const review = (hours = 0) =>
  reviewApprovals(api.database.pool, api.audit, new Date(Date.now() + hours * hourMs));

describe("an operation that waits for approval", () => {
  it("says for what, holds no claim, and is listed for whoever may see it", async () => {
    const waiting = await waitingFor({ required: 2, from: ["approver", "maintainer"], expiresAfterHours: 5 });
    expect(waiting).toMatchObject({
      state: "awaiting_approval",
      approval: {
        digest: waiting.result.digest,
        reasons: [{ code: "spec", message: "The pipeline's spec asks for 2 approvals", resources: [] }],
        needed: 2,
        given: 0,
        from: ["approver", "maintainer"],
      },
    });
    const { requestedAt, expiresAt } = waiting.approval;
    expect(Date.parse(expiresAt) - Date.parse(requestedAt)).toBe(5 * hourMs);
    expect(waiting.startedAt).toBeUndefined();
    const row = await api.database.pool.query(
      "select node, runner, process_group, lease_until from operations where id = $1",
      [waiting.id],
    );
    expect(row.rows).toEqual([{ node: null, runner: null, process_group: null, lease_until: null }]);
    const listOf = async (caller: Caller) =>
      (await caller.send("GET", "/v1/operations?state=awaiting_approval")).body.items.map(
        ({ id }: Document) => id,
      );
    expect(await listOf(await member("approver"))).toEqual([waiting.id]);
    expect(await listOf(await api.as({}))).toEqual([]);
    expect((await api.send("GET", pipeline)).body.state).toBe("awaiting_approval");
  });

  it("goes back into the queue with the last approval it needs, and may then apply that plan only", async () => {
    const waiting = await waitingFor({ required: 2 });
    expect((await approve(await member("approver"), waiting)).body).toMatchObject({
      state: "awaiting_approval",
      approval: { given: 1 },
    });
    expect((await approve(await member("approver"), waiting)).body).toMatchObject({
      state: "queued",
      approval: { given: 2 },
    });
    const claim = await claimed(api, waiting.id);
    expect(await gateFor(api, claim)).toMatchObject({ approved: waiting.approval.digest });
  });

  it("counts nobody twice, and repeating an approval changes nothing", async () => {
    const waiting = await waitingFor({ required: 2 });
    const approver = await member("approver");
    const first = await approve(approver, waiting);
    const again = await approve(approver, waiting);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    const { items } = await approvalsOf(waiting);
    expect(items).toEqual([
      expect.objectContaining({
        subject: approver.subject,
        verdict: "approve",
        comment: "Looks right",
        counts: true,
      }),
    ]);
  });

  it("goes back once when the last approvals come at the same time", async () => {
    const waiting = await waitingFor({ required: 1 });
    const approvers = await Promise.all([member("approver"), member("approver"), member("approver")]);
    const answers = await Promise.all(approvers.map((approver) => approve(approver, waiting)));
    const statuses = answers.map(({ status, body }) => (status === 200 ? body.state : body.code)).sort();
    expect(statuses).toEqual(["not_awaiting_approval", "not_awaiting_approval", "queued"]);
    expect((await approvalsOf(waiting)).items).toHaveLength(1);
  });

  it("ends with the first rejection, and says who and why", async () => {
    const waiting = await waitingFor({ required: 2 });
    await approve(await member("approver"), waiting);
    const { body } = await reject(await member("approver"), waiting);
    expect(body).toMatchObject({
      state: "cancelled",
      error: { code: "approval_rejected", message: "a test rejected the plan: Not today" },
    });
    // Nothing was begun, so nothing of the pipeline failed.
    expect((await api.send("GET", pipeline)).body.state).toBe("pending");
    const { items } = (await api.send("GET", `/v1/operations/${waiting.id}/events`)).body;
    expect(items.map((event: Document) => [event.sequence, event.type, event.body.status])).toEqual([
      [1, "approval", "requested"],
      [2, "approval", "approved"],
      [3, "approval", "rejected"],
    ]);
  });

  it("can be cancelled, and is no longer to be voted on then", async () => {
    const waiting = await waitingFor();
    const { body } = await developer.send("POST", `/v1/operations/${waiting.id}/cancel`);
    expect(body.state).toBe("cancelled");
    const late = await approve(await member("approver"), waiting);
    expect([late.status, late.body.code]).toEqual([409, "not_awaiting_approval"]);
  });

  it("ends as cancelled when that was asked for while its plan was made", async () => {
    const { body } = await put();
    const claim = await claimed(api, body.id);
    await developer.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(await rest(api, claim)).toBe(true);
    expect(await read(api, body.id)).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
  });

  it("makes way for a newer change, also one that was asked for while its plan was made", async () => {
    const waiting = await waitingFor();
    const newer = await put({ required: 1, expiresAfterHours: 1 });
    expect((await read(api, waiting.id)).state).toBe("superseded");
    const claim = await claimed(api, newer.body.id);
    await put({ required: 1, expiresAfterHours: 2 });
    expect(await rest(api, claim)).toBe(true);
    expect((await read(api, newer.body.id)).state).toBe("superseded");
  });

  it("is not let wait by a claim that was lost", async () => {
    const { body } = await put();
    const claim = await claimed(api, body.id);
    await api.database.pool.query("update operations set fencing_token = fencing_token + 1 where id = $1", [
      body.id,
    ]);
    expect(await rest(api, claim)).toBe(false);
    expect((await read(api, body.id)).state).toBe("running");
  });
});

describe("a vote", () => {
  it("is bound to the digest of the plan that was seen", async () => {
    const waiting = await waitingFor();
    const other = await approve(await member("approver"), waiting, "0".repeat(64));
    expect([other.status, other.body.code]).toEqual([409, "plan_changed"]);
    expect(other.body.detail).toContain(waiting.approval.digest);
    expect((await approvalsOf(waiting)).items).toEqual([]);
  });

  it("takes a role from which the pipeline takes approvals, or an admin", async () => {
    const waiting = await waitingFor({ required: 3, from: ["maintainer"] });
    const refused = await approve(await member("approver"), waiting);
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    expect((await approve(await member("maintainer"), waiting)).body.approval.given).toBe(1);
    expect((await approve(api, waiting)).body.approval.given).toBe(2);
  });

  it("is nobody's own: neither who asked for it nor for the same revision votes on it", async () => {
    const both = await member("developer", "approver");
    const admin = await api.as({ platform: ["admin"] });
    const first = await plan(api, await put(undefined, both));
    for (const vote of [await approve(both, first), await reject(both, first)])
      expect([vote.status, vote.body.code]).toEqual([403, "forbidden"]);
    const second = await plan(api, await put(undefined, admin));
    for (const own of [both, admin]) expect((await approve(own, second)).status).toBe(403);
    expect((await approve(await member("approver"), second)).status).toBe(200);
  });

  it("is nobody's own by another key of theirs, but an admin makes keys for others", async () => {
    const keyOf = async (maker: Pick<Caller, "send">, role: string) => {
      const { status, body } = await maker.send("POST", `/v1/teams/${team}/keys`, {
        body: { name: "a robot", roles: [role] },
      });
      expect(status).toBe(201);
      return {
        send: (method: string, url: string, options: Document = {}) =>
          api.send(method, url, { ...options, headers: { authorization: `Bearer ${body.key}` } }),
      };
    };
    const approvals = { required: 3, from: ["maintainer", "approver"] };
    const maintainer = await member("maintainer");
    const asks = await keyOf(maintainer, "developer");
    const waiting = await plan(api, await put(approvals, asks));
    for (const own of [maintainer, await keyOf(maintainer, "maintainer")])
      expect((await approve(own, waiting)).body.code).toBe("forbidden");
    // Two keys of one maintainer are one person; two that an admin made are two.
    const another = await member("maintainer");
    await approve(await keyOf(another, "maintainer"), waiting);
    expect((await approve(await keyOf(another, "maintainer"), waiting)).body.approval.given).toBe(1);
    expect((await approve(another, waiting)).body.approval.given).toBe(1);
    expect((await approve(await keyOf(api, "approver"), waiting)).body.approval.given).toBe(2);
  });

  it("no longer counts when its role or key is gone, neither for the list nor when it is to be applied", async () => {
    const waiting = await waitingFor({ required: 2 });
    const [gone, revoked, third] = await Promise.all([
      member("approver"),
      member("approver"),
      member("approver"),
    ]);
    await approve(gone, waiting);
    await api.database.pool.query("delete from grants where subject = $1", [gone.subject]);
    expect((await approvalsOf(waiting)).items).toEqual([expect.objectContaining({ counts: false })]);
    await review();
    expect((await read(api, waiting.id)).approval?.given).toBe(0);
    await approve(revoked, waiting);
    expect((await approve(third, waiting)).body.state).toBe("queued");
    await api.database.pool.query("update api_keys set revoked_at = now() where 'key:' || id = $1", [
      revoked.subject,
    ]);
    const claim = await claimed(api, waiting.id);
    expect(await gateFor(api, claim)).not.toHaveProperty("approved");

    // The same plan waits on for one approval more, and not for longer than it did.
    await rest(api, claim);
    const again = await read(api, waiting.id);
    expect(again.approval).toMatchObject({
      expiresAt: waiting.approval.expiresAt,
      digest: waiting.approval.digest,
    });
    expect((await approve(await member("approver"), waiting)).body.state).toBe("queued");
  });

  it("comes too late when the time is over, and the operation is called off", async () => {
    const waiting = await waitingFor({ required: 1, expiresAfterHours: 1 });
    await review(0.9);
    expect((await read(api, waiting.id)).state).toBe("awaiting_approval");
    await api.database.pool.query(
      `update operations set approval = approval || '{"expiresAt": "2026-01-01T00:00:00.000Z"}' where id = $1`,
      [waiting.id],
    );
    const late = await approve(await member("approver"), waiting);
    expect([late.status, late.body.code]).toEqual([409, "approval_expired"]);
    await review();
    await review();
    expect(await read(api, waiting.id)).toMatchObject({
      state: "cancelled",
      error: { code: "approval_expired" },
    });
    const { items } = (await api.send("GET", `/v1/audit?team=${team}&limit=3`)).body;
    expect(items[0]).toMatchObject({ action: "operation.end", after: { error: "approval_expired" } });
    expect(items[1]).toMatchObject({ action: "operation.await_approval" });
  });
});

describe("the terms of an approval", () => {
  it("can't be softened by the change that is to be approved", async () => {
    const first = await waitingFor({ required: 2, from: ["approver"], expiresAfterHours: 1 });
    for (const _ of [1, 2]) await approve(await member("approver"), first);
    await applied(api, await claimed(api, first.id));
    const softer = await waitingFor({ required: 0, from: ["maintainer"], expiresAfterHours: 100 });
    expect(softer.approval).toMatchObject({ needed: 2, from: ["approver"] });
    const { requestedAt, expiresAt } = softer.approval;
    expect(Date.parse(expiresAt) - Date.parse(requestedAt)).toBe(hourMs);
  });

  it("are asked for by a budget that grows beyond the team's", async () => {
    const quota = (monthlyUsd: number) =>
      api.send("PUT", `/v1/teams/${team}/quota`, { body: { monthlyUsd } });
    expect((await quota(40)).body).toMatchObject({ limits: { monthlyUsd: 40 }, own: { monthlyUsd: 40 } });
    const withBudget = async (monthlyUsd: number) => {
      const body = validSpec((one) => {
        one.budget = { monthlyUsd };
      });
      const claim = await claimed(api, (await developer.send("PUT", pipeline, { body })).body.id);
      const gate = await gateFor(api, claim);
      await applied(api, claim);
      return gate?.reasons.map(({ message }) => message);
    };
    // A first creation within the budget has nothing to lose and no gate.
    expect(await withBudget(40)).toBeUndefined();
    expect(await withBudget(41)).toEqual([
      "With 41 USD a month instead of 40 the team's pipelines come to 41 of 40",
    ]);
    await quota(10);
    expect(await withBudget(30)).toBeUndefined();
    expect((await api.send("GET", `/v1/teams/${team}/quota`)).body.use.monthlyUsd).toBe(30);
  });
});
