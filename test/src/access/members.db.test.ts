import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { uniqueName } from "../../support/builders.ts";
import { type Api, type Caller, startApi } from "../api.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

let issuer: Issuer;
let api: Api;
let team: string;
let members: string;
let maintainer: Caller;
let own: string;

beforeAll(async () => {
  issuer = await startIssuer();
  api = await startApi({ oidc: issuer.config });
  own = (await api.send("GET", "/v1/whoami")).body.subject;
});

afterAll(async () => {
  await api.close();
  await issuer.close();
});

beforeEach(async () => {
  team = uniqueName("team");
  members = `/v1/teams/${team}/members`;
  await api.send("POST", "/v1/teams", { body: { name: team } });
  maintainer = await api.as({ teams: { [team]: ["maintainer"] } });
  await api.database.pool.query("delete from grants where issuer is not null");
});

const put = (subject: string, roles: readonly string[], by: Pick<Caller, "send"> = api, list = members) =>
  by.send("PUT", `${list}/${encodeURIComponent(subject)}`, { body: { roles } });
const remove = (subject: string, by: Pick<Caller, "send"> = api, list = members) =>
  by.send("DELETE", `${list}/${encodeURIComponent(subject)}`);
const listed = async (list = members): Promise<Record<string, string[]>> => {
  const { body } = await api.send("GET", list);
  return Object.fromEntries(
    body.items.map(({ subject, roles }: { subject: string; roles: string[] }) => [subject, roles]),
  );
};

describe("a member of a team", () => {
  it("has the roles that were last granted, and who granted them", async () => {
    const first = await put("user:ada", ["viewer"], maintainer);
    expect(first).toMatchObject({
      status: 201,
      body: { subject: "user:ada", roles: ["viewer"], grantedBy: maintainer.subject },
    });
    expect((await put("user:ada", ["developer", "approver"])).body).toMatchObject({ grantedBy: own });
    const again = await put("user:ada", ["approver", "developer"], maintainer);
    expect(again).toMatchObject({ status: 200, body: { roles: ["developer", "approver"], grantedBy: own } });
    expect(await listed()).toMatchObject({ "user:ada": ["developer", "approver"] });
  });

  it("has none any more once they were taken", async () => {
    await put("user:ada", ["viewer"]);
    expect((await remove("user:ada", maintainer)).status).toBe(204);
    expect(await listed()).not.toHaveProperty("user:ada");
    expect(await remove("user:ada")).toMatchObject({ status: 404, body: { code: "member_not_found" } });
  });

  it("is a member of no other team, and not of the platform", async () => {
    await put("user:ada", ["viewer"]);
    expect(await listed("/v1/members")).not.toHaveProperty("user:ada");
    expect((await remove("user:ada", api, "/v1/members")).status).toBe(404);
  });

  it.each(["user:auth0|ada lovelace", "user:https://idp.example.com/ada?a=b#c", `user:${"%".repeat(255)}`])(
    "may have any name that an issuer gives: %s",
    async (subject) => {
      expect((await put(subject, ["viewer"])).status).toBe(201);
      expect(await listed()).toHaveProperty([subject]);
      expect((await remove(subject)).status).toBe(204);
    },
  );

  it.each([
    "ada",
    "user:",
    "user:ada\n",
    "user:ädä",
    `user:${"a".repeat(256)}`,
    "service",
    "bootstrap",
    "KEY:1",
  ])("can't be %j", async (subject) => {
    expect(await put(subject, ["viewer"])).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });

  it.each([[[]], [["owner"]], [["admin"]], [["viewer", "viewer"]], ["viewer"]])(
    "can't have the roles %j",
    async (roles) => {
      expect(await put("user:ada", roles as string[])).toMatchObject({ status: 400 });
    },
  );

  it("of a team that isn't there there is none", async () => {
    for (const answer of [
      await put("user:ada", ["viewer"], api, "/v1/teams/nobody/members"),
      await remove("user:ada", api, "/v1/teams/nobody/members"),
      await api.send("GET", "/v1/teams/nobody/members"),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: "team_not_found" } });
  });
});

describe("keys", () => {
  it("are listed with their names as long as they are in force, but keep the roles they were made with", async () => {
    const body = { name: "ci", roles: ["developer"] };
    const { id } = (await api.send("POST", `/v1/teams/${team}/keys`, { body })).body;
    const { body: page } = await api.send("GET", members);
    expect(page.items).toContainEqual(
      expect.objectContaining({ subject: `key:${id}`, label: "ci", roles: ["developer"] }),
    );
    expect((await put(`key:${id}`, ["maintainer"])).status).toBe(400);
    expect((await remove(`key:${id}`)).status).toBe(400);
    await api.send("DELETE", `/v1/teams/${team}/keys/${id}`);
    expect(await listed()).not.toHaveProperty([`key:${id}`]);
  });
});

describe("the role approver", () => {
  const forbidden = { status: 403, body: { code: "forbidden" } };

  it("is granted by an admin only, not by a maintainer, to themselves or to others", async () => {
    expect(await put("user:ada", ["approver"], maintainer)).toMatchObject(forbidden);
    expect(await put("user:ada", ["viewer", "approver"], maintainer)).toMatchObject(forbidden);
    expect(await listed()).not.toHaveProperty("user:ada");
    expect((await put("user:ada", ["approver"])).status).toBe(201);
  });

  it("is taken by an admin only, while a maintainer may change what is beside it", async () => {
    await put("user:ada", ["approver", "viewer"]);
    expect(await put("user:ada", ["viewer"], maintainer)).toMatchObject(forbidden);
    expect(await remove("user:ada", maintainer)).toMatchObject(forbidden);
    expect((await put("user:ada", ["approver"], maintainer)).status).toBe(200);
    expect((await put("user:ada", ["approver", "developer"], maintainer)).status).toBe(200);
    expect((await remove("user:ada")).status).toBe(204);
  });

  it("isn't taken by a maintainer's change that began before it was granted", async () => {
    const client = await api.database.pool.connect();
    let change: ReturnType<typeof put>;
    try {
      await client.query("begin");
      await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`grants of team ${team}`]);
      change = put("user:ada", ["viewer"], maintainer);
      await api.waitForLocks(1, change);
      await client.query(
        "insert into grants (subject, issuer, team, roles, granted_by) values ('user:ada', $1, $2, '{approver}', 'key:admin')",
        [issuer.url, team],
      );
      await client.query("commit");
    } finally {
      client.release();
    }
    expect(await change).toMatchObject(forbidden);
  });
});

describe("the last administrator", () => {
  const platform = "/v1/members";
  const last = { status: 409, body: { code: "last_administrator" } };
  const revive = () =>
    api.database.pool.query("update api_keys set revoked_at = null, expires_at = now() + interval '1 day'");
  afterEach(revive);

  it("stays one while nobody else is: their role is neither taken nor replaced", async () => {
    const authorization = `Bearer ${await issuer.token({ sub: "ada" })}`;
    const ada: Pick<Caller, "send"> = {
      send: (method, url, options) => api.send(method, url, { ...options, headers: { authorization } }),
    };
    await put("user:ada", ["admin"], api, platform);
    expect((await ada.send("DELETE", `/v1/keys/${own.slice("key:".length)}`)).status).toBe(204);
    await api.database.pool.query("update api_keys set expires_at = now() where revoked_at is null");

    expect(await remove("user:ada", ada, platform)).toMatchObject(last);
    expect(await put("user:ada", ["auditor"], ada, platform)).toMatchObject(last);
    expect((await put("user:ada", ["admin", "auditor"], ada, platform)).status).toBe(200);
    expect((await put("user:bob", ["admin"], ada, platform)).status).toBe(201);
    expect((await remove("user:ada", ada, platform)).status).toBe(204);
    expect((await ada.send("GET", platform)).status).toBe(403);
  });
});

describe("members of the platform", () => {
  it("are admins and auditors of the issuer, and keys", async () => {
    expect((await put("user:eve", ["auditor"], api, "/v1/members")).status).toBe(201);
    expect(await listed("/v1/members")).toMatchObject({ "user:eve": ["auditor"], [own]: ["admin"] });
    expect((await put("user:eve", ["viewer"], api, "/v1/members")).status).toBe(400);
  });

  it("are changed by no maintainer and no auditor", async () => {
    const auditor = await api.as({ platform: ["auditor"] });
    for (const other of [maintainer, auditor]) {
      expect((await put("user:eve", ["admin"], other, "/v1/members")).status).toBe(403);
      expect((await remove("user:eve", other, "/v1/members")).status).toBe(403);
    }
  });
});

it("the list of members has pages, by subject", async () => {
  const names = ["ada", "bob", "eve", "kim", "lea"].map((name) => `user:${name}`);
  for (const name of [...names].reverse()) await put(name, ["viewer"]);
  const found: string[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await api.send("GET", `${members}?limit=2${cursor}`);
    found.push(...body.items.map(({ subject }: { subject: string }) => subject));
    if (body.nextCursor === undefined) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(found).toEqual([maintainer.subject, ...names]);
  expect((await api.send("GET", `${members}?cursor=nonsense`)).status).toBe(400);
});

it("only grants of the configured issuer are in force, and only they are listed", async () => {
  await put("user:ada", ["viewer"]);
  await api.database.pool.query(
    "update grants set issuer = 'https://former.example.com' where subject = 'user:ada'",
  );
  expect(await listed()).not.toHaveProperty("user:ada");
  expect((await put("user:ada", ["developer"])).status).toBe(201);
  expect(await listed()).toMatchObject({ "user:ada": ["developer"] });
});

it("every change of keys and members is in the audit trail, without the key", async () => {
  const { body: key } = await api.send("POST", `/v1/teams/${team}/keys`, {
    body: { name: "ci", roles: ["viewer"] },
  });
  await api.send("DELETE", `/v1/teams/${team}/keys/${key.id}`);
  await put("user:ada", ["viewer"]);
  await put("user:ada", ["viewer"]);
  await remove("user:ada");
  await remove("user:ada");
  const { rows } = await api.database.pool.query(
    "select action, target, subject, before, after from audit_entries where team = $1 and outcome = 'changed' and action not like 'team.%' order by sequence",
    [team],
  );
  const path = `/teams/${team}`;
  expect(rows).toMatchObject([
    {
      action: "key.create",
      target: `${path}/keys/${key.id}`,
      subject: own,
      before: null,
      after: { name: "ci" },
    },
    { action: "key.revoke", before: { id: key.id }, after: { revokedAt: expect.any(String) } },
    {
      action: "member.put",
      target: `${path}/members/user%3Aada`,
      before: null,
      after: { roles: ["viewer"] },
    },
    { action: "member.delete", before: { roles: ["viewer"] }, after: null },
  ]);
  expect(JSON.stringify(rows)).not.toContain(key.key.slice(19));
});
