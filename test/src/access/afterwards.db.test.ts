import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const newTeam = async (name = uniqueName("team")) => {
  expect((await api.send("POST", "/v1/teams", { body: { name } })).status).toBe(201);
  return name;
};
const keyBody = (roles: readonly string[]) => ({ body: { name: "ci", roles } });

describe("a key that was revoked while the body of its request was under way", () => {
  it("makes no new key", async () => {
    const team = await newTeam();
    const maintainer = await api.as({ teams: { [team]: ["maintainer"] } });
    const body = new PassThrough();
    const late = api.app.inject({
      method: "POST",
      url: `/v1/teams/${team}/keys`,
      headers: { authorization: `Bearer ${maintainer.token}`, "content-type": "application/json" },
      payload: body,
    });
    body.write('{"name":"ci",');
    // Its first look at the key is over when a later request of the same key has been answered.
    expect((await maintainer.send("GET", "/v1/whoami")).status).toBe(200);
    await api.database.pool.query("update api_keys set revoked_at = now() where 'key:' || id = $1", [
      maintainer.subject,
    ]);
    body.end('"roles":["maintainer"]}');
    expect((await late).statusCode).toBe(401);
  });
});

describe("whoever made a key", () => {
  it("does not approve an exception for what the key asked for", async () => {
    const team = await api.teamWithAccount();
    const person = await api.as({ teams: { [team]: ["maintainer", "approver"] } });
    const made = await person.send("POST", `/v1/teams/${team}/keys`, keyBody(["developer"]));
    const pipeline = `/v1/teams/${team}/pipelines/churn`;
    const authorization = `Bearer ${made.body.key}`;
    const put = await api.send("PUT", pipeline, { headers: { authorization }, body: validSpec() });
    expect(put.status).toBe(202);
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const exception = { body: { reason: "a test of the bucket", expiresAt } };
    const path = `${pipeline}/policy-exceptions/s3-versioning-enabled`;
    expect(await person.send("PUT", path, exception)).toMatchObject({
      status: 403,
      body: { code: "forbidden" },
    });
    const somebodyElse = await api.as({ teams: { [team]: ["approver"] } });
    expect((await somebodyElse.send("PUT", path, exception)).status).toBe(201);
  });
});

describe("a team that is made anew under an old name", () => {
  it("knows nothing of what the old one did", async () => {
    const team = await api.teamWithAccount();
    const old = (await api.send("GET", `/v1/operations?team=${team}`)).body.items[0].id;
    // The engine's part: the account's foundation is destroyed.
    await api.database.pool.query("delete from accounts where team = $1", [team]);
    expect((await api.send("DELETE", `/v1/teams/${team}`)).status).toBe(204);
    await newTeam(team);
    const maintainer = await api.as({ teams: { [team]: ["maintainer"] } });
    expect((await maintainer.send("GET", "/v1/operations")).body.items).toEqual([]);
    expect((await maintainer.send("GET", `/v1/operations/${old}`)).status).toBe(404);
    expect((await maintainer.send("GET", `/v1/operations/${old}/events`)).status).toBe(404);
    const { body } = await maintainer.send("GET", `/v1/audit?team=${team}`);
    expect(body.items.map(({ action }: { action: string }) => action)).not.toContain("account.put");
    // To the platform's roles it is history.
    expect((await api.send("GET", `/v1/operations/${old}`)).status).toBe(200);
  });
});

describe("a team's keys", () => {
  it("are at most a hundred in force, also when they are made at once", async () => {
    const team = await newTeam();
    const url = `/v1/teams/${team}/keys`;
    const made = await api.send("POST", url, keyBody(["viewer"]));
    await api.database.pool.query(
      `insert into api_keys (id, prefix, digest, name, team, created_by, expires_at)
       select gen_random_uuid(), left(md5($1 || n::text), 12), sha256(($1 || n::text)::bytea), 'ci', $1, 'user:ada', now() + interval '1 day'
       from generate_series(1, 97) as n`,
      [team],
    );
    const answers = await Promise.all([1, 2, 3].map(() => api.send("POST", url, keyBody(["viewer"]))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 409]);
    expect((await api.send("DELETE", `${url}/${made.body.id}`)).status).toBe(204);
    expect((await api.send("POST", url, keyBody(["viewer"]))).status).toBe(201);
  });
});

describe("a name that people choose", () => {
  it.each(["a\u202eb", "a\u200bb", "\ufeffa"])("holds nothing that isn't seen: %j", async (name) => {
    const answer = await api.send("POST", `/v1/teams/${await newTeam()}/keys`, {
      body: { name, roles: ["viewer"] },
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "/name" }] } });
  });
});

describe("a body that nobody will read", () => {
  it.each([
    ["POST", "/v1/nope", 404],
    ["PUT", "/v1/whoami", 405],
  ])("is not parsed: %s %s", async (method, url, status) => {
    const caller = await api.as({});
    const headers = { "content-type": "application/yaml" };
    expect((await caller.send(method, url, { headers, body: '"'.repeat(50_000) })).status).toBe(status);
  });
});

describe("YAML that is nothing but mistakes", () => {
  it("is refused with the place of the first", async () => {
    const team = await api.teamWithAccount();
    const headers = { "content-type": "application/yaml" };
    const body = `a: 1\n${'"'.repeat(100_000)}`;
    const answer = await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { headers, body });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/at line 2, column \d+$/);
  });
});
