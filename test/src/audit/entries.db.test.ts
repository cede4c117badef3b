import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { permissions } from "../../../src/access/permissions.ts";
import { Ingestor } from "../../../src/ingestion/ingestor.ts";
import { validateApart } from "../../../src/ingestion/validator.ts";
import { awsAccount, type Document, validSpec } from "../../support/builders.ts";
import {
  type Answer,
  type Api,
  bootstrapToken,
  internalToken,
  type RequestOptions,
  startApi,
} from "../api.ts";
import { PipelineRequests, withBudget } from "../pipelines/pipeline-requests.ts";

let api: Api;
let dataDir: string;
let ingestor: Ingestor;
let team: string;
let admin: string;
let pipeline: PipelineRequests;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "entries-"));
  api = await startApi({
    ingestor: (surroundings) => {
      ingestor = new Ingestor({ ...surroundings, dataDir, validate: validateApart });
      return ingestor;
    },
    oidc: { issuer: "https://issuer.example", audience: "aidlc", clockSkewSeconds: 30 },
  });
  admin = (await api.send("GET", "/v1/whoami")).body.subject;
  team = await api.teamWithAccount();
  pipeline = new PipelineRequests(api, team, "churn");
});

afterAll(async () => {
  await ingestor.close();
  await api.close();
  await rm(dataDir, { recursive: true, force: true });
});

interface Step extends RequestOptions {
  readonly route: string;
  /** Values of the route's parameters, and its query. */
  readonly at?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly action: string;
  readonly ofTeam?: boolean;
  /** Whether there was something before, and is something after. */
  readonly stands: readonly ("before" | "after")[];
  readonly subject?: string;
}

const ids: Record<string, string> = {};

/** Ends what an answer started, as a worker does. */
async function applied({ body }: Answer): Promise<void> {
  await pipeline.applied(body.id);
}

/** A drift of the pipeline, as the last operation on it might have found it. */
async function aDrift(): Promise<string> {
  const found = await api.database.pool.query<{ id: string }>(
    `insert into drifts (pipeline_id, urn, path, type, name, class, severity, reason, first_seen_at, last_seen_at, last_operation_id)
     select p.id, 'urn', 'tags.who', 'aws:s3/bucket:Bucket', 'raw', 'cost', 'low', 'Tags', now(), now(), o.id
     from pipelines p join operations o on o.pipeline_id = p.id where p.team = $1 and p.name = 'churn' limit 1 returning id`,
    [team],
  );
  return found.rows[0]!.id;
}

/** The reconciliation, as it waits for approval of what somebody else asked for. */
async function waiting(): Promise<string> {
  const id = ids["POST /v1/teams/:team/pipelines/:pipeline/reconciliations"]!;
  const approval = {
    ...{ digest: "a".repeat(64), reasons: [], needed: 1, given: 0, from: ["approver"] },
    ...{ requestedAt: new Date(), expiresAt: new Date(Date.now() + 60_000) },
  };
  await api.database.pool.query(
    "update operations set state = 'awaiting_approval', requested_by = 'user:ada', approval = $2 where id = $1",
    [id, JSON.stringify(approval)],
  );
  return id;
}

const policy = "s3-deny-insecure-transport";
const exception = (reason = "A migration") => ({
  reason,
  expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
});
const awsCall = (token: string, target: string) => ({
  headers: {
    authorization: `Bearer ${token}`,
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": target,
    "x-aidlc-account": "111122223333",
    "x-aidlc-region": "eu-central-1",
  },
});

/** One request of each route that changes something, in an order in which each can. */
const steps: readonly (() => Step | Promise<Step>)[] = [
  () => ({
    route: "POST /v1/bootstrap",
    headers: { authorization: `Bearer ${bootstrapToken}` },
    body: {},
    action: "bootstrap.exchange",
    stands: ["after"],
    subject: "bootstrap",
  }),
  () => ({
    route: "POST /v1/keys",
    body: { name: "robot", roles: ["auditor"] },
    action: "key.create",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/keys/:key",
    at: { key: ids["POST /v1/keys"]! },
    action: "key.revoke",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PUT /v1/members/:subject",
    at: { subject: "user:ada" },
    body: { roles: ["auditor"] },
    action: "member.put",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/members/:subject",
    at: { subject: "user:ada" },
    action: "member.delete",
    stands: ["before"],
  }),
  () => ({
    route: "POST /v1/teams",
    body: { name: "short-lived" },
    action: "team.create",
    ofTeam: true,
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team",
    at: { team: "short-lived" },
    action: "team.delete",
    ofTeam: true,
    stands: ["before"],
  }),
  () => ({
    route: "PATCH /v1/teams/:team",
    body: { displayName: "Another name" },
    action: "team.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/quota",
    body: { pipelines: 50 },
    action: "quota.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/members/:subject",
    at: { subject: "user:ada" },
    body: { roles: ["viewer"] },
    action: "member.put",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/members/:subject",
    at: { subject: "user:ada" },
    action: "member.delete",
    stands: ["before"],
  }),
  () => ({
    route: "POST /v1/teams/:team/keys",
    body: { name: "robot", roles: ["viewer"] },
    action: "key.create",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/keys/:key",
    at: { key: ids["POST /v1/teams/:team/keys"]! },
    action: "key.revoke",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/webhooks",
    body: { url: "https://hooks.example.com/churn", events: ["*"] },
    action: "webhook.create",
    stands: ["after"],
  }),
  () => ({
    route: "PATCH /v1/teams/:team/webhooks/:webhook",
    at: { webhook: ids["POST /v1/teams/:team/webhooks"]! },
    body: { description: "Ours" },
    action: "webhook.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/webhooks/:webhook/secrets",
    at: { webhook: ids["POST /v1/teams/:team/webhooks"]! },
    action: "webhook.rotate",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/webhooks/:webhook/test",
    at: { webhook: ids["POST /v1/teams/:team/webhooks"]! },
    action: "webhook.test",
    stands: ["after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/webhooks/:webhook/deliveries/:delivery/replay",
    at: {
      webhook: ids["POST /v1/teams/:team/webhooks"]!,
      delivery: ids["POST /v1/teams/:team/webhooks/:webhook/test"]!,
    },
    action: "webhook.replay",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/webhooks/:webhook",
    at: { webhook: ids["POST /v1/teams/:team/webhooks"]! },
    action: "webhook.delete",
    stands: ["before"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/accounts/:account",
    body: awsAccount(),
    action: "account.put",
    stands: ["before", "after"],
  }),
  async () => {
    await api.provision(team, "main");
    return {
      route: "POST /v1/teams/:team/accounts/:account/foundation/reconciliations",
      action: "foundation.reconcile",
      stands: ["before", "after"],
    };
  },
  () => ({
    route: "POST /v1/teams/:team/accounts/:account/foundation/repairs",
    action: "foundation.repair",
    stands: ["before", "after"],
  }),
  async () => {
    await api.provision(team, "main");
    return {
      route: "POST /v1/teams/:team/pipelines",
      body: { name: "fraud", spec: validSpec() },
      action: "pipeline.create",
      stands: ["after"],
    };
  },
  () => ({
    route: "PUT /v1/teams/:team/pipelines/:pipeline",
    body: validSpec(),
    action: "pipeline.create",
    stands: ["after"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/pipelines/:pipeline",
    body: withBudget(7),
    action: "pipeline.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/rollbacks",
    body: { revision: 1, reason: "Seven was too few" },
    action: "pipeline.rollback",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PATCH /v1/teams/:team/pipelines/:pipeline",
    body: { ttl: { hours: 8 } },
    action: "pipeline.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/extensions",
    body: { hours: 8, reason: "The demo is on Friday" },
    action: "pipeline.extend",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PATCH /v1/teams/:team/pipelines/:pipeline",
    body: { budget: { monthlyUsd: 8 } },
    action: "pipeline.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/previews",
    action: "pipeline.preview",
    stands: ["before", "after"],
  }),
  async () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/releases",
    body: {
      modelPackageArn: `arn:aws:sagemaker:eu-central-1:111122223333:model-package/${pipelineNames({
        account: { accountId: "111122223333", region: "eu-central-1" },
        team,
        pipeline: "churn",
      }).named("models")}/1`,
      imageDigest: `sha256:${"a".repeat(64)}`,
      endpoint: { name: "live", variantName: "main" },
    },
    action: "release.record",
    stands: ["after"],
  }),
  async () => {
    await applied(await pipeline.put());
    return {
      route: "POST /v1/teams/:team/pipelines/:pipeline/drift-checks",
      action: "pipeline.drift",
      stands: ["before", "after"],
    };
  },
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/data",
    headers: { "content-type": "text/csv" },
    body: "age,label\n7,yes\n",
    action: "data.receive",
    stands: ["after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/reconciliations",
    action: "pipeline.reconcile",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/refreshes",
    action: "pipeline.refresh",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/repairs",
    action: "pipeline.repair",
    stands: ["before", "after"],
  }),
  async () => ({
    route: "POST /v1/teams/:team/pipelines/:pipeline/drift/:drift/decisions",
    at: { drift: await aDrift() },
    body: {
      decision: "accept",
      until: new Date(Date.now() + 86_400_000).toISOString(),
      reason: "The bucket is being moved",
    },
    action: "drift.decide",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule",
    body: { resource: "raw", path: "tags.*", owner: "ada@example.com", ...exception("Tagged by hand") },
    action: "drift_rule.put",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/pipelines/:pipeline/drift-rules/:rule",
    action: "drift_rule.delete",
    stands: ["before"],
  }),
  () => ({
    route: "PUT /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy",
    body: exception(),
    action: "policy_exception.put",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/pipelines/:pipeline/policy-exceptions/:policy",
    action: "policy_exception.delete",
    stands: ["before"],
  }),
  async () => ({
    route: "POST /v1/operations/:operation/approve",
    at: { operation: await waiting() },
    body: { digest: "a".repeat(64) },
    action: "operation.approve",
    ofTeam: true,
    stands: ["before", "after"],
  }),
  async () => ({
    route: "POST /v1/operations/:operation/reject",
    at: { operation: await waiting() },
    body: { comment: "Not today" },
    action: "operation.reject",
    ofTeam: true,
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /v1/operations/:operation/cancel",
    at: { operation: ids["POST /v1/teams/:team/pipelines/:pipeline/refreshes"]! },
    action: "operation.cancel",
    ofTeam: true,
    stands: ["before", "after"],
  }),
  () => ({
    route: "DELETE /v1/teams/:team/pipelines/:pipeline",
    query: `?data=delete&confirm=${team}/churn`,
    action: "pipeline.delete",
    stands: ["before", "after"],
  }),
  async () => {
    await api.database.pool.query("update pipelines set deleted_at = now() where team = $1", [team]);
    return {
      route: "DELETE /v1/teams/:team/accounts/:account",
      action: "account.delete",
      stands: ["before", "after"],
    };
  },
  () => ({
    route: "POST /sandbox/v1/resources",
    body: {
      type: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
      inputs: { modelPackageGroupName: "hand-made" },
      region: "eu-central-1",
      account: "111122223333",
    },
    action: "sandbox_resource.create",
    stands: ["after"],
  }),
  () => ({
    route: "PATCH /sandbox/v1/resources/:id",
    at: { id: ids["POST /sandbox/v1/resources"]! },
    body: { tags: { owner: "ada" } },
    action: "sandbox_resource.update",
    stands: ["before", "after"],
  }),
  () => ({
    route: "PUT /sandbox/v1/resources/:id/contents",
    at: { id: ids["POST /sandbox/v1/resources"]! },
    body: { items: 3 },
    action: "sandbox_resource.fill",
    stands: ["before", "after"],
  }),
  () => ({
    route: "POST /sandbox/aws/sagemaker",
    ...awsCall(internalToken, "SageMaker.CreateModelPackage"),
    body: JSON.stringify({ ModelPackageGroupName: "hand-made" }),
    action: "sandbox_aws.CreateModelPackage",
    stands: ["after"],
    subject: "service",
  }),
  () => ({
    route: "POST /sandbox/aws/sagemaker/",
    ...awsCall(internalToken, "SageMaker.CreateModelPackage"),
    body: JSON.stringify({ ModelPackageGroupName: "hand-made" }),
    action: "sandbox_aws.CreateModelPackage",
    stands: ["after"],
    subject: "service",
  }),
  () => ({
    route: "DELETE /sandbox/v1/resources/:id",
    at: { id: ids["POST /sandbox/v1/resources"]! },
    action: "sandbox_resource.delete",
    stands: ["before"],
  }),
  () => ({
    route: "POST /sandbox/v1/faults",
    body: { kind: "throttle" },
    action: "sandbox_fault.create",
    stands: ["after"],
  }),
  () => ({
    route: "DELETE /sandbox/v1/faults/:id",
    at: { id: ids["POST /sandbox/v1/faults"]! },
    action: "sandbox_fault.delete",
    stands: ["before"],
  }),
  async () => {
    await api.send("POST", "/sandbox/v1/faults", { body: { kind: "throttle" } });
    return { route: "DELETE /sandbox/v1/faults", action: "sandbox_fault.delete", stands: ["before"] };
  },
];

// Cloud Control only reads in the sandbox.
const readsOnly = [
  "POST /sandbox/aws/cloudcontrol",
  "POST /sandbox/aws/cloudcontrol/",
  "POST /sandbox/aws/tagging",
  "POST /sandbox/aws/tagging/",
];

async function entries(): Promise<Document[]> {
  return (await api.send("GET", "/v1/audit?limit=200")).body.items;
}

function urlOf({ route, at = {}, query = "" }: Step): string {
  const values: Record<string, string> = {
    team,
    account: "main",
    pipeline: "churn",
    policy,
    rule: "console-tags",
    ...at,
  };
  const path = route.split(" ")[1] as string;
  return `${path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name]!))}${query}`;
}

describe("every route that changes something", () => {
  it("leaves one entry, with who, where, which request, before and after", { timeout: 60_000 }, async () => {
    const routes = Object.keys(permissions).filter(
      (route) => !route.startsWith("GET ") && !readsOnly.includes(route),
    );
    const done = new Set<string>();
    for (const prepare of steps) {
      const step = await prepare();
      const url = urlOf(step);
      const before = (await entries())[0]?.sequence ?? 0;
      const answer = await api.send(step.route.split(" ")[0]!, url, step);
      expect(answer.status, `${step.route}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
      ids[step.route] = answer.body?.id;
      const added = (await entries()).filter(({ sequence }) => sequence > before);
      expect(
        added.map(({ action }) => action),
        step.route,
      ).toEqual([step.action]);
      const [entry] = added;
      expect(entry, step.route).toMatchObject({
        outcome: "changed",
        subject: step.subject ?? admin,
        label: expect.stringMatching(/./),
        sourceAddress: "127.0.0.1",
        requestId: answer.headers["x-request-id"],
        target: expect.stringMatching(/^\/(?!v1)/),
      });
      if (step.route.includes(":team")) expect(entry.team, step.route).toBe(step.at?.team ?? team);
      else expect(entry.team !== undefined, step.route).toBe(step.ofTeam === true);
      const stands = ["before", "after"].filter((side) => entry[side] !== undefined);
      expect(stands, step.route).toEqual(step.stands);
      done.add(step.route);
    }
    expect(routes.filter((route) => !done.has(route))).toEqual([]);
    expect((await api.send("GET", "/v1/audit/verification")).body).toMatchObject({ ok: true });
  });

  it("leaves none when it refuses, or finds nothing to change", async () => {
    await api.send("PUT", `/v1/teams/${team}/accounts/main`, { body: awsAccount() });
    await api.provision(team, "main");
    const key = { "idempotency-key": "one" };
    const body = { name: "once", spec: validSpec() };
    expect((await api.send("POST", `/v1/teams/${team}/pipelines`, { body, headers: key })).status).toBe(202);
    const before = (await entries())[0].sequence;
    const nothing: [string, string, RequestOptions, number][] = [
      ["POST", `/v1/teams/${team}/pipelines`, { body, headers: key }, 202],
      ["POST", `/v1/teams/${team}/pipelines`, { body }, 409],
      ["POST", "/v1/teams", { body: { name: team } }, 409],
      ["PUT", `/v1/teams/${team}/pipelines/once`, { body: { apiVersion: "no" } }, 400],
      ["DELETE", `/v1/teams/${team}/pipelines/once/policy-exceptions/${policy}`, {}, 204],
      ["DELETE", `/v1/teams/${team}/pipelines/none`, {}, 404],
      ["DELETE", "/sandbox/v1/faults", {}, 204],
    ];
    for (const [method, url, options, status] of nothing)
      expect((await api.send(method, url, options)).status, `${method} ${url}`).toBe(status);
    expect((await entries())[0].sequence).toBe(before);
  });
});

describe("an operation", () => {
  it("tells who asked for it", async () => {
    const developer = await api.as({ teams: { [team]: ["developer"] } });
    const asked = await developer.send("PUT", `/v1/teams/${team}/pipelines/asked`, { body: validSpec() });
    expect(asked).toMatchObject({ status: 202, body: { requestedBy: developer.subject } });
    const read = await api.send("GET", `/v1/operations/${asked.body.id}`);
    expect(read.body.requestedBy).toBe(developer.subject);
  });
});

describe("a denied try", () => {
  const newest = async () => (await entries())[0];

  it("without a valid token is recorded", async () => {
    for (const headers of [{ authorization: "" }, { authorization: "Bearer wrong" }]) {
      const answer = await api.send("PUT", `/v1/teams/${team}?secret=hunter22`, { headers });
      expect(answer.status).toBe(401);
      expect(await newest()).toMatchObject({
        outcome: "denied",
        subject: "anonymous",
        label: "",
        action: "request.put",
        target: `/teams/${team}`,
        sourceAddress: "127.0.0.1",
        requestId: answer.headers["x-request-id"],
        after: { reason: "unauthenticated" },
      });
    }
  });

  it("of somebody without the role is recorded", async () => {
    const viewer = await api.as({ teams: { [team]: ["viewer"] } });
    const answer = await viewer.send("DELETE", `/v1/teams/${team}/pipelines/asked`);
    expect(answer.status).toBe(403);
    expect(await newest()).toMatchObject({
      outcome: "denied",
      subject: viewer.subject,
      team,
      action: "request.delete",
      target: `/teams/${team}/pipelines/asked`,
      requestId: answer.headers["x-request-id"],
      after: { reason: "forbidden" },
    });
  });

  it("at what somebody may not see is recorded, whether it is there or not", async () => {
    const stranger = await api.as({});
    const [{ id: operation }] = (await api.send("GET", `/v1/operations?team=${team}`)).body.items;
    for (const [url, of] of [
      [`/teams/${team}`, team],
      ["/teams/none-such", "none-such"],
      [`/operations/${operation}`, team],
      [`/audit?team=${team}`, team],
    ] as const) {
      const answer = await stranger.send("GET", `/v1${url}`);
      expect(answer.status, url).toBe(404);
      expect(await newest()).toMatchObject({
        outcome: "denied",
        subject: stranger.subject,
        team: of,
        target: url.split("?")[0],
        after: { reason: answer.body.code },
      });
    }
  });

  it("is none when what an administrator asks for isn't there", async () => {
    const before = await newest();
    expect((await api.send("GET", "/v1/teams/none-such")).status).toBe(404);
    expect((await newest()).sequence).toBe(before.sequence);
  });
});
