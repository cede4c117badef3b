import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsAccount, foundationOutputs, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let next = 100_000_000_000;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

/** An AWS account that no other test uses, so that each has a foundation of its own. */
function freshAccount(change: object = {}) {
  next += 1;
  const accountId = String(next);
  return awsAccount({ accountId, roleArn: `arn:aws:iam::${accountId}:role/aidlc`, ...change });
}

async function newTeam(): Promise<string> {
  const name = uniqueName("team");
  await api.send("POST", "/v1/teams", { body: { name } });
  return name;
}

async function registered(aws = freshAccount()) {
  const team = await newTeam();
  const url = `/v1/teams/${team}/accounts/main`;
  const { body: operation } = await api.send("PUT", url, { body: aws });
  return { team, url, aws, operation };
}

async function provisioned(aws = freshAccount()) {
  const account = await registered(aws);
  await api.provision(account.team, "main");
  return account;
}

const operation = async (id: string) => (await api.send("GET", `/v1/operations/${id}`)).body;

describe("registering an account", () => {
  it("answers 202 with the operation that provisions its foundation", async () => {
    const team = await newTeam();
    const { status, headers, body } = await api.send("PUT", `/v1/teams/${team}/accounts/main`, {
      body: freshAccount(),
    });
    expect(status).toBe(202);
    expect(headers.location).toBe(`/v1/operations/${body.id}`);
    expect(body).toMatchObject({ kind: "update", state: "queued", team, account: "main" });
    expect(body).not.toHaveProperty("pipeline");
    expect(await operation(body.id)).toMatchObject(body);
  });

  it("shows it as not provisioned until its foundation is there", async () => {
    const { team, url, aws } = await registered();
    expect((await api.send("GET", url)).body).toEqual({
      team,
      name: "main",
      ...aws,
      foundation: {
        state: "not_provisioned",
        profile: "learning",
        securityServices: false,
        existing: {},
        onUnused: "keep",
      },
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await api.send("GET", `${url}/foundation`)).body).toEqual({
      state: "not_provisioned",
      profile: "learning",
      securityServices: false,
      cidr: "10.64.0.0/16",
      onUnused: "keep",
      adopted: [],
      unlisted: [],
      resources: 0,
      sharedBy: 1,
      outputs: {},
    });
    await api.provision(team, "main");
    expect((await api.send("GET", url)).body.foundation.state).toBe("provisioned");
    expect((await api.send("GET", `${url}/foundation`)).body).toMatchObject({
      state: "provisioned",
      outputs: foundationOutputs(aws.accountId),
      recordedAt: expect.any(String),
    });
  });

  it("needs no role in the sandbox", async () => {
    const team = await newTeam();
    const { accountId, region } = freshAccount();
    await api.send("PUT", `/v1/teams/${team}/accounts/main`, { body: { accountId, region } });
    const { body } = await api.send("GET", `/v1/teams/${team}/accounts/main`);
    expect(body).not.toHaveProperty("roleArn");
  });

  it("takes no external id: a team could have the service use a role that trusts it for another team", async () => {
    const team = await newTeam();
    const body = { ...freshAccount(), externalId: "aidlc-of-another-team" };
    const refused = await api.send("PUT", `/v1/teams/${team}/accounts/main`, { body });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: "/externalId" }] } });
  });

  it("again changes the role, and takes it away when it is left out", async () => {
    const { url, aws } = await registered();
    const { accountId, region } = aws;
    await api.send("PUT", url, { body: { ...aws, roleArn: `arn:aws:iam::${accountId}:role/path/other` } });
    expect((await api.send("GET", url)).body.roleArn).toBe(`arn:aws:iam::${accountId}:role/path/other`);
    await api.send("PUT", url, { body: { accountId, region } });
    expect((await api.send("GET", url)).body).not.toHaveProperty("roleArn");
  });

  it("again takes the place of the operation that is still queued", async () => {
    const { url, aws, operation: first } = await registered();
    const { body: second } = await api.send("PUT", url, { body: aws });
    expect(await operation(first.id)).toMatchObject({ state: "superseded", finishedAt: expect.any(String) });
    expect((await operation(second.id)).state).toBe("queued");
  });

  it("under a name that stands for another AWS account or region is a conflict", async () => {
    const { url, aws } = await registered();
    for (const change of [{ region: "eu-west-1" }, freshAccount()]) {
      const refused = await api.send("PUT", url, { body: { ...aws, ...change } });
      expect(refused).toMatchObject({ status: 409, body: { code: "account_conflict" } });
    }
    expect((await api.send("GET", url)).body).toMatchObject(aws);
  });

  it("shares one foundation between all who register the same AWS account and region", async () => {
    const { url, aws } = await provisioned();
    const other = await registered(aws);
    expect((await api.send("GET", `${url}/foundation`)).body.sharedBy).toBe(2);
    expect((await api.send("GET", other.url)).body.foundation.state).toBe("provisioned");
    const elsewhere = await registered({ ...aws, region: "us-east-1" });
    expect((await api.send("GET", `${elsewhere.url}/foundation`)).body).toMatchObject({
      sharedBy: 1,
      state: "not_provisioned",
    });
  });
});

describe("the list of accounts", () => {
  it("has the team's own by name, in pages", async () => {
    const { team } = await registered();
    await registered();
    for (const name of ["b", "a", "c"]) {
      await api.send("PUT", `/v1/teams/${team}/accounts/${name}`, { body: freshAccount() });
    }
    const first = await api.send("GET", `/v1/teams/${team}/accounts?limit=3`);
    const names = ({ body }: typeof first) => body.items.map((account: { name: string }) => account.name);
    expect(names(first)).toEqual(["a", "b", "c"]);
    const second = await api.send(
      "GET",
      `/v1/teams/${team}/accounts?limit=3&cursor=${first.body.nextCursor}`,
    );
    expect(names(second)).toEqual(["main"]);
    expect(second.body).not.toHaveProperty("nextCursor");
  });
});

describe("removing an account", () => {
  it("that alone has its foundation destroys that, and keeps what holds data unless told otherwise", async () => {
    for (const [query, data] of [
      ["", "retain"],
      ["?data=retain", "retain"],
      ["?data=delete", "delete"],
    ]) {
      const { url } = await provisioned();
      const { status, body } = await api.send("DELETE", `${url}${query}`);
      expect(status).toBe(202);
      expect(body).toMatchObject({ kind: "destroy", state: "queued", account: "main" });
      const found = await api.database.pool.query("select options from operations where id = $1", [body.id]);
      expect(found.rows[0].options).toEqual({ data });
      // It stays until the engine has destroyed the foundation.
      expect((await api.send("GET", url)).status).toBe(200);
    }
  });

  it("whose foundation others share removes it at once and leaves the foundation", async () => {
    const { url, aws } = await provisioned();
    const other = await registered(aws);
    await api.provision(other.team, "main");
    expect(await api.send("DELETE", url)).toMatchObject({ status: 204, body: "" });
    expect((await api.send("GET", url)).status).toBe(404);
    expect((await api.send("GET", `${other.url}/foundation`)).body).toMatchObject({
      state: "provisioned",
      sharedBy: 1,
    });
    expect((await api.send("DELETE", other.url)).status).toBe(202);
  });

  it("is refused while it has pipelines, which are named", async () => {
    const { team, url } = await provisioned();
    await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
    const refused = await api.send("DELETE", url);
    expect(refused).toMatchObject({ status: 409, body: { code: "account_in_use" } });
    expect(refused.body.detail).toContain("churn");
  });

  it("is refused while an operation works on the foundation, which is named", async () => {
    const { url, operation: update } = await registered();
    expect(await api.send("DELETE", url)).toMatchObject({
      status: 409,
      body: { code: "stack_busy", operation: update.id },
    });
  });

  it("twice is refused the second time, as is registering it while it is being destroyed", async () => {
    const { url, aws } = await provisioned();
    const { body: destroy } = await api.send("DELETE", url);
    const busy = { status: 409, body: { code: "stack_busy", operation: destroy.id } };
    expect(await api.send("DELETE", url)).toMatchObject(busy);
    expect(await api.send("PUT", url, { body: aws })).toMatchObject(busy);
    const other = await newTeam();
    expect(await api.send("PUT", `/v1/teams/${other}/accounts/main`, { body: aws })).toMatchObject(busy);
    expect((await api.send("GET", `/v1/teams/${other}/accounts/main`)).status).toBe(404);
  });

  it("by the last two who share a foundation, at the same moment, destroys it once", async () => {
    const { url, aws } = await provisioned();
    const other = await registered(aws);
    await api.provision(other.team, "main");
    const blocker = await api.database.pool.connect();
    try {
      // Both have counted who shares the foundation before either of them is gone.
      await blocker.query("begin");
      await blocker.query("select 1 from accounts where aws_account_id = $1 for update", [aws.accountId]);
      const removals = [api.send("DELETE", url), api.send("DELETE", other.url)];
      await api.waitForLocks(2, Promise.all(removals));
      await blocker.query("rollback");
      const statuses = (await Promise.all(removals)).map(({ status }) => status).sort();
      expect(statuses).toEqual([202, 204]);
    } finally {
      blocker.release();
    }
  });

  it("that doesn't exist answers 404", async () => {
    const team = await newTeam();
    expect((await api.send("DELETE", `/v1/teams/${team}/accounts/main`)).body.code).toBe("account_not_found");
  });

  it("and creating a pipeline in it at the same moment can't both succeed", async () => {
    const { team, url } = await provisioned();
    const blocker = await api.database.pool.connect();
    try {
      // Holds the creation in its middle: after it has seen the account, before it is committed.
      await blocker.query("begin");
      await blocker.query("insert into stacks (project, name) values ('aidlc-pipeline', $1)", [
        `${team}.churn`,
      ]);
      const creation = api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: validSpec() });
      await api.waitForLocks(1);
      const removal = api.send("DELETE", url);
      await api.waitForLocks(2, removal);
      await blocker.query("rollback");
      const statuses = [(await creation).status, (await removal).status];
      expect([
        [202, 409],
        [409, 202],
        [400, 202],
      ]).toContainEqual(statuses);
    } finally {
      blocker.release();
    }
  });
});
