import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunOutcome } from "../../../src/engine/protocol.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { pipelineOwner } from "../../../src/pipelines/owner.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { awsAccount, uniqueName, validSpec } from "../../support/builders.ts";
import { type Answer, type Api, startApi } from "../api.ts";

let api: Api;
let next = 300_000_000_000;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

function freshAccount() {
  next += 1;
  return awsAccount({ accountId: String(next), roleArn: `arn:aws:iam::${next}:role/aidlc` });
}

const productionSpec = () =>
  validSpec((spec) => {
    spec.profile = "production";
    spec.dataset.replicaRegion = "eu-west-1";
    spec.alerts = { emails: ["ada@example.com"] };
  });

/** A team that registered an account, perhaps one that others have too. */
async function registered(foundation: object = {}, aws = freshAccount()) {
  const team = uniqueName("team");
  await api.send("POST", "/v1/teams", { body: { name: team } });
  const url = `/v1/teams/${team}/accounts/main`;
  const put = (asked: object) => api.send("PUT", url, { body: { ...aws, foundation: asked } });
  const answer = await put(foundation);
  const pipeline = (name: string) => `/v1/teams/${team}/pipelines/${name}`;
  const create = (name: string, profile = "learning") =>
    api.send("PUT", pipeline(name), { body: profile === "learning" ? validSpec() : productionSpec() });
  return { team, url, aws, put, answer, pipeline, create, foundation: () => seen(url) };
}

async function provisioned(foundation: object = {}, aws = freshAccount()) {
  const account = await registered(foundation, aws);
  await api.provision(account.team, "main");
  return account;
}

const seen = async (url: string) => (await api.send("GET", `${url}/foundation`)).body;
const stored = async ({ body }: Answer) => (await findOperation(api.database.pool, body.id)) as Operation;
const query = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

/** The end of an operation as a worker records it. */
async function end(operation: Operation, state: RunOutcome["state"] = "succeeded") {
  const owner = pipelineOwner({ pool: api.database.pool, audit: api.audit });
  const outcome: RunOutcome = { state, changes: {}, steps: [], stackExists: true };
  await inTransaction(api.database.pool, async (client) => {
    await owner.beforeEnded?.(client, operation, outcome);
    await client.query(
      "update operations set state = $2, started_at = now(), finished_at = now() where id = $1",
      [operation.id, state],
    );
    await owner.onEnded(client, operation, outcome);
  });
}

/** Creates the pipeline and takes it away again, as far as the end of its destroy. */
async function lived(account: Awaited<ReturnType<typeof registered>>, name = "churn") {
  await end(await stored(await account.create(name)));
  return stored(await api.send("DELETE", account.pipeline(name)));
}

const operationsOn = async (url: string) =>
  (
    await query(
      `select o.* from operations o join foundations f using (stack_id)
       join accounts a on a.aws_account_id = f.aws_account_id and a.region = f.region
       where $1 = '/v1/teams/' || a.team || '/accounts/' || a.name order by o.created_at`,
      [url],
    )
  ).rows;

describe("a foundation that two teams register", () => {
  it("has the stricter of their profiles, whoever comes last", async () => {
    const first = await registered({ profile: "production" });
    const second = await registered({ profile: "learning" }, first.aws);
    expect(second.answer.status).toBe(202);
    expect((await first.foundation()).profile).toBe("production");
    expect(await second.foundation()).toMatchObject({
      profile: "production",
      securityServices: true,
      sharedBy: 2,
    });
    expect((await api.send("GET", second.url)).body.foundation.profile).toBe("learning");
  });

  it("is refused to the second where they can't both have their way, with the value and the remedy", async () => {
    const first = await registered({ cidr: "10.70.0.0/16" });
    const second = await registered({ cidr: "10.71.0.0/16" }, first.aws);
    expect(second.answer).toMatchObject({
      status: 409,
      body: {
        code: "account_conflict",
        errors: [{ path: "/foundation/cidr", message: expect.stringContaining("10.70.0.0/16") }],
      },
    });
    expect((await api.send("GET", second.url)).status).toBe(404);
    expect((await first.foundation()).cidr).toBe("10.70.0.0/16");
  });

  it("keeps its range once the network is there, and may change it before", async () => {
    const account = await registered({ cidr: "10.70.0.0/16" });
    expect((await account.put({ cidr: "10.72.0.0/16" })).status).toBe(202);
    await query(
      `insert into resources (stack_id, urn, position, type, name, dependencies, inputs, outputs)
       select stack_id, 'urn:vpc', 0, 'aws:ec2/vpc:Vpc', 'network', '{}', '{"cidrBlock": "10.72.0.0/16"}', '{}'
       from foundations where aws_account_id = $1`,
      [account.aws.accountId],
    );
    expect((await account.put({ cidr: "10.73.0.0/16" })).body.code).toBe("account_conflict");
    expect((await account.put({})).status).toBe(202);
    expect((await account.foundation()).cidr).toBe("10.72.0.0/16");
  });
});

describe("a production pipeline", () => {
  it("is refused on a learning foundation before anything is queued, with the remedy", async () => {
    const account = await provisioned();
    const refused = await account.create("churn", "production");
    expect(refused).toMatchObject({ status: 409, body: { code: "foundation_insufficient" } });
    expect(refused.body.errors).toEqual([
      { path: "/profile", message: expect.stringContaining('foundation.profile "production"') },
    ]);
    expect(
      (await query("select 1 from operations where pipeline = 'churn' and team = $1", [account.team]))
        .rowCount,
    ).toBe(0);
    expect((await account.create("churn")).status).toBe(202);
    const { profile, dataset, alerts } = productionSpec();
    const patched = await api.send("PATCH", account.pipeline("churn"), {
      body: { profile, dataset, alerts },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(patched.body.code).toBe("foundation_insufficient");
  });

  it("waits for a foundation that is only becoming production", async () => {
    const account = await provisioned();
    const { body: update } = await account.put({ profile: "production" });
    expect((await account.create("churn", "production")).body).toMatchObject({
      code: "foundation_not_ready",
      operation: update.id,
    });
    await api.provision(account.team, "main");
    expect((await account.create("churn", "production")).status).toBe(202);
  });

  it("keeps its foundation production until it is gone", async () => {
    const account = await provisioned({ profile: "production" });
    await end(await stored(await account.create("churn", "production")));
    const refused = await account.put({ profile: "learning" });
    expect(refused).toMatchObject({ status: 409, body: { code: "account_conflict" } });
    expect(refused.body.detail).toContain(`${account.team}/churn`);
    await end(await stored(await api.send("DELETE", account.pipeline("churn"))));
    expect((await account.put({ profile: "learning" })).status).toBe(202);
  });

  it("and its foundation's way back to learning, at the same moment, can't both succeed", async () => {
    const account = await provisioned({ profile: "production" });
    const blocker = await api.database.pool.connect();
    try {
      await blocker.query("begin");
      await blocker.query("insert into stacks (project, name) values ('aidlc-pipeline', $1)", [
        `${account.team}.churn`,
      ]);
      const creation = account.create("churn", "production");
      await api.waitForLocks(1);
      const step = account.put({ profile: "learning" });
      await api.waitForLocks(2, step);
      await blocker.query("rollback");
      expect([(await creation).status, (await step).status]).toEqual([202, 409]);
    } finally {
      blocker.release();
    }
  });
});

describe("when the last pipeline of a foundation is gone", () => {
  it("the foundation stays by default", async () => {
    const account = await provisioned();
    await end(await lived(account));
    expect(await account.foundation()).toMatchObject({ state: "provisioned", onUnused: "keep" });
    expect(await operationsOn(account.url)).toHaveLength(1);
  });

  it("it is destroyed but for its data where all who share it want that, and they stay registered", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    await end(await lived(account));
    const [, destroy] = await operationsOn(account.url);
    expect(destroy).toMatchObject({
      kind: "destroy",
      state: "queued",
      team: account.team,
      account: "main",
      options: { data: "retain", keepsAccount: true },
    });
    expect((await account.create("next")).body.code).toBe("foundation_not_ready");
  });

  it("it stays where one who shares it wants to keep it", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    await registered({ onUnused: "keep" }, account.aws);
    await api.provision(account.team, "main");
    await end(await lived(account));
    expect((await account.foundation()).state).toBe("provisioned");
    expect((await operationsOn(account.url)).map(({ kind }) => kind)).not.toContain("destroy");
  });

  it("it stays as long as another team has a pipeline on it", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    const other = await registered({ onUnused: "destroy" }, account.aws);
    await api.provision(other.team, "main");
    await end(await stored(await other.create("theirs")));
    await end(await lived(account));
    expect((await operationsOn(account.url)).map(({ kind }) => kind)).not.toContain("destroy");
    await end(await stored(await api.send("DELETE", other.pipeline("theirs"))));
    expect((await operationsOn(account.url)).map(({ kind }) => kind)).toContain("destroy");
  });

  it("it stays when that pipeline could not be destroyed", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    await end(await lived(account), "failed");
    expect((await operationsOn(account.url)).map(({ kind }) => kind)).not.toContain("destroy");
  });

  it("it stays when somebody is working on it", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    const destroy = await lived(account);
    await account.put({ onUnused: "destroy" });
    await end(destroy);
    expect((await operationsOn(account.url)).map(({ kind }) => kind)).toEqual(["update", "update"]);
  });

  it("it is released where that is asked: nothing is queued, and registering it again brings it back", async () => {
    const account = await provisioned({ onUnused: "release" });
    await end(await lived(account));
    expect((await account.foundation()).state).toBe("released");
    const [{ team }] = await operationsOn(account.url);
    expect((await api.send("GET", `/v1/audit?team=${team}`)).body.items[0]).toMatchObject({
      action: "foundation.release",
      subject: "service",
    });
    expect(await operationsOn(account.url)).toHaveLength(1);
    const refused = await account.create("next");
    expect(refused.body).toMatchObject({ code: "foundation_not_ready" });
    expect(refused.body.detail).toContain("PUT the account again");
    // What was left alone may have changed: it is compared with AWS first.
    expect((await account.put({ onUnused: "release" })).body).toMatchObject({
      kind: "reconcile",
      state: "queued",
    });
  });

  it("a released one is left in AWS when its account is removed", async () => {
    const account = await provisioned({ onUnused: "release" });
    await end(await lived(account));
    expect((await api.send("DELETE", account.url)).status).toBe(204);
    const again = await registered({}, account.aws);
    expect(again.answer.body.kind).toBe("reconcile");
  });

  it("and another is being created at the same moment, the foundation stays for it", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    const destroy = await lived(account);
    const blocker = await api.database.pool.connect();
    try {
      // The creation has seen the foundation and is not committed yet.
      await blocker.query("begin");
      await blocker.query("insert into stacks (project, name) values ('aidlc-pipeline', $1)", [
        `${account.team}.next`,
      ]);
      const creation = account.create("next");
      await api.waitForLocks(1);
      const ending = end(destroy);
      await api.waitForLocks(2, ending);
      await blocker.query("rollback");
      await ending;
      expect((await creation).status).toBe(202);
      expect((await operationsOn(account.url)).map(({ kind }) => kind)).not.toContain("destroy");
    } finally {
      blocker.release();
    }
  });

  it("and another comes a moment later, it is told to wait for the foundation's end", async () => {
    const account = await provisioned({ onUnused: "destroy" });
    const destroy = await lived(account);
    const blocker = await api.database.pool.connect();
    try {
      // Holds the end in its middle: after it has the foundation, before it is committed.
      await blocker.query("begin");
      await blocker.query("select from pipelines where stack_id = $1 for update", [destroy.stackId]);
      const ending = end(destroy);
      await api.waitForLocks(1);
      const creation = account.create("next");
      await api.waitForLocks(2, creation);
      await blocker.query("rollback");
      await ending;
      expect((await creation).body.code).toBe("foundation_not_ready");
      expect((await operationsOn(account.url)).map(({ kind }) => kind)).toContain("destroy");
    } finally {
      blocker.release();
    }
  });
});

describe("bringing a foundation back", () => {
  it("queues a reconciliation of one that is provisioned", async () => {
    const account = await provisioned();
    const answer = await api.send("POST", `${account.url}/foundation/reconciliations`);
    expect(answer).toMatchObject({
      status: 202,
      body: { kind: "reconcile", state: "queued", account: "main" },
    });
  });

  it("is refused where there is none", async () => {
    const account = await registered();
    const answer = await api.send("POST", `${account.url}/foundation/reconciliations`);
    expect(answer.body.code).toBe("foundation_not_ready");
  });
});
