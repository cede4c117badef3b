import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { teamRoles } from "../../../src/access/principal.ts";
import { uniqueName } from "../../support/builders.ts";
import { type Api, adminToken, type Caller, startApi } from "../api.ts";

let api: Api;
let team: string;
let maintainer: Caller;

beforeAll(async () => {
  api = await startApi();
  team = await newTeam();
  maintainer = await api.as({ teams: { [team]: ["maintainer"] } });
});

afterAll(() => api.close());

async function newTeam(): Promise<string> {
  const name = uniqueName("team");
  await api.send("POST", "/v1/teams", { body: { name } });
  return name;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const whoami = (token: string) => api.send("GET", "/v1/whoami", bearer(token));
const teamKeys = () => `/v1/teams/${team}/keys`;
const make = (body: object, url = teamKeys(), by: Pick<Caller, "send"> = api) =>
  by.send("POST", url, { body: { name: "ci", roles: ["developer"], ...body } });
const daysUntil = (moment: string) => Math.round((Date.parse(moment) - Date.now()) / 86_400_000);

describe("a key that is made", () => {
  it("is shown in the answer and nowhere else: what is stored is its digest", async () => {
    const { status, headers, body } = await make({});
    expect(status).toBe(201);
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers.location).toBe(`/v1/teams/${team}/keys/${body.id}`);
    const { key, ...view } = body;
    expect(view).toMatchObject({ name: "ci", team, roles: ["developer"], prefix: key.slice(6, 18) });
    expect((await api.send("GET", String(headers.location))).body).toEqual(view);
    expect((await api.send("GET", teamKeys())).body.items).toContainEqual(view);
    const secret = key.slice(19);
    for (const table of ["api_keys", "grants", "audit_entries"]) {
      const { rows } = await api.database.pool.query(`select ${table}::text as text from ${table}`);
      expect(JSON.stringify(rows)).not.toContain(secret);
    }
    expect(JSON.stringify(api.logged)).not.toContain(secret);
  });

  it("opens with the roles that it was given, in its team only", async () => {
    const { body } = await make({ name: "nightly", roles: ["viewer", "developer"] });
    expect((await whoami(body.key)).body).toEqual({
      subject: `key:${body.id}`,
      label: "nightly",
      platform: [],
      teams: [{ team, roles: ["viewer", "developer"] }],
    });
  });

  it("of the platform opens with roles for the platform", async () => {
    const { body } = await make({ roles: ["auditor"] }, "/v1/keys");
    expect(body.team).toBeUndefined();
    expect((await whoami(body.key)).body).toMatchObject({ platform: ["auditor"], teams: [] });
  });

  it("lives for 90 days, or as long as it is told to, but for no longer than 366", async () => {
    expect(daysUntil((await make({})).body.expiresAt)).toBe(90);
    expect(daysUntil((await make({ expiresInDays: 366 })).body.expiresAt)).toBe(366);
    for (const expiresInDays of [0, 367, 1.5, null, -1])
      expect((await make({ expiresInDays })).status).toBe(400);
  });

  it.each<[string, object]>([
    ["no role", { roles: [] }],
    ["a role twice", { roles: ["viewer", "viewer"] }],
    ["a role of the platform", { roles: ["admin"] }],
    ["an unknown role", { roles: ["owner"] }],
    ["no name", { name: "" }],
    ["a name that breaks lines", { name: "ci\nadmin" }],
    ["more than it knows of", { team: "other" }],
  ])("can't be made with %s", async (_, body) => {
    expect(await make(body)).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  });

  it("can't have more than its maker may grant", async () => {
    expect(
      (await make({ roles: ["viewer", "developer", "maintainer"] }, teamKeys(), maintainer)).status,
    ).toBe(201);
    const approver = await make({ roles: ["approver"] }, teamKeys(), maintainer);
    expect(approver).toMatchObject({ status: 403, body: { code: "forbidden" } });
    expect((await make({ roles: ["approver"] })).status).toBe(201);
    for (const role of teamRoles.filter((each) => each !== "maintainer")) {
      const other = await api.as({ teams: { [team]: [role] } });
      expect((await make({ roles: ["viewer"] }, teamKeys(), other)).status).toBe(403);
    }
  });
});

describe("a key that is over", () => {
  it("opens nothing from the moment it is revoked, and stays in the list", async () => {
    const { body } = await make({});
    expect((await whoami(body.key)).status).toBe(200);
    expect((await maintainer.send("DELETE", `${teamKeys()}/${body.id}`)).status).toBe(204);
    const refused = await whoami(body.key);
    expect(refused).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    expect(refused.body.detail).toContain('"ci" was revoked');
    const listed = await api.send("GET", `${teamKeys()}/${body.id}`);
    expect(listed.body.revokedAt).toBeDefined();
    // Again changes nothing.
    expect((await api.send("DELETE", `${teamKeys()}/${body.id}`)).status).toBe(204);
    const again = await api.send("GET", `${teamKeys()}/${body.id}`);
    expect(again.body.revokedAt).toBe(listed.body.revokedAt);
  });

  it("opens nothing from the moment it expires", async () => {
    const { body } = await make({});
    const expire = "update api_keys set expires_at = now() + $2::interval where id = $1";
    await api.database.pool.query(expire, [body.id, "1 minute"]);
    expect((await whoami(body.key)).status).toBe(200);
    await api.database.pool.query(expire, [body.id, "0"]);
    const refused = await whoami(body.key);
    expect(refused.status).toBe(401);
    expect(refused.body.detail).toContain("has expired");
  });

  it("tells no one but its bearer that it was", async () => {
    const { body } = await make({});
    await api.send("DELETE", `${teamKeys()}/${body.id}`);
    const guessed = await whoami(`${body.key.slice(0, -4)}AAAA`);
    const unknown = await whoami(`aidlc_ffffffffffff_${"A".repeat(43)}`);
    expect(guessed.status).toBe(401);
    expect(guessed.body.detail).toBe(unknown.body.detail);
  });
});

describe("the last use of a key", () => {
  const lastUsed = async (id: string) => (await api.send("GET", `${teamKeys()}/${id}`)).body.lastUsedAt;

  it("is noted, at most once a minute", async () => {
    const { body } = await make({});
    expect(body.lastUsedAt).toBeUndefined();
    await whoami(body.key);
    const first = await expect
      .poll(() => lastUsed(body.id))
      .toBeDefined()
      .then(() => lastUsed(body.id));
    await Promise.all(Array.from({ length: 10 }, () => whoami(body.key)));
    expect(await lastUsed(body.id)).toBe(first);
    await api.database.pool.query(
      "update api_keys set last_used_at = now() - interval '61 seconds' where id = $1",
      [body.id],
    );
    await whoami(body.key);
    await expect.poll(async () => (await lastUsed(body.id)) >= first).toBe(true);
  });

  it("is not waited for: a request is answered while the note can't be written", async () => {
    const { body } = await make({});
    const client = await api.database.pool.connect();
    try {
      await client.query("begin");
      await client.query("select from api_keys where id = $1 for update", [body.id]);
      expect((await whoami(body.key)).status).toBe(200);
    } finally {
      await client.query("rollback");
      client.release();
    }
  });
});

describe("keys of others", () => {
  it("are not there: another team's, or the platform's", async () => {
    const other = await newTeam();
    const theirs = (await make({}, `/v1/teams/${other}/keys`)).body.id;
    const platforms = (await make({ roles: ["auditor"] }, "/v1/keys")).body.id;
    for (const id of [theirs, platforms]) {
      for (const method of ["GET", "DELETE"]) {
        const answer = await maintainer.send(method, `${teamKeys()}/${id}`);
        expect(answer).toMatchObject({ status: 404, body: { code: "key_not_found" } });
      }
    }
    expect((await api.send("GET", `/v1/keys/${theirs}`)).status).toBe(404);
    expect((await api.send("GET", "/v1/keys")).body.items.map(({ id }: { id: string }) => id)).not.toContain(
      theirs,
    );
    expect((await api.send("GET", `/v1/teams/${other}/keys/${theirs}`)).body.revokedAt).toBeUndefined();
  });

  it("a team that isn't there has none", async () => {
    for (const [method, url] of [
      ["GET", "/v1/teams/nobody/keys"],
      ["POST", "/v1/teams/nobody/keys"],
      ["DELETE", "/v1/teams/nobody/keys/00000000-0000-4000-8000-000000000000"],
    ] as const) {
      const body = method === "POST" ? { body: { name: "ci", roles: ["viewer"] } } : {};
      expect(await api.send(method, url, body)).toMatchObject({
        status: 404,
        body: { code: "team_not_found" },
      });
    }
  });
});

it("the list of keys has pages, newest first", async () => {
  team = await newTeam();
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) made.push((await make({})).body.id);
  const listed: string[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await api.send("GET", `${teamKeys()}?limit=2${cursor}`);
    listed.push(...body.items.map(({ id }: { id: string }) => id));
    if (body.nextCursor === undefined) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(listed).toEqual(made.reverse());
});

describe("a team that is deleted", () => {
  it("takes its keys and its members' roles along, also when another gets its name", async () => {
    const name = await newTeam();
    const { body } = await make({}, `/v1/teams/${name}/keys`);
    const member = await api.as({ teams: { [name]: ["maintainer"], [team]: ["viewer"] } });
    expect((await api.send("DELETE", `/v1/teams/${name}`)).status).toBe(204);
    const gone = async () => {
      expect((await whoami(body.key)).status).toBe(401);
      expect((await whoami(member.token)).body.teams).toEqual([{ team, roles: ["viewer"] }]);
    };
    await gone();
    await api.send("POST", "/v1/teams", { body: { name } });
    await gone();
    expect((await api.send("GET", `/v1/teams/${name}/keys`)).body.items).toEqual([]);
    expect((await api.send("GET", `/v1/teams/${name}/members`)).body.items).toEqual([]);
  });

  it("gets no key any more that was being made meanwhile", async () => {
    const name = await newTeam();
    const client = await api.database.pool.connect();
    let making: Promise<unknown>;
    try {
      await client.query("begin");
      await client.query("select from teams where name = $1 for update", [name]);
      making = make({}, `/v1/teams/${name}/keys`);
      await api.waitForLocks(1, making);
      await client.query("update teams set deleted_at = now() where name = $1", [name]);
      await client.query("commit");
    } finally {
      client.release();
    }
    expect(await making).toMatchObject({ status: 404, body: { code: "team_not_found" } });
  });
});

describe("the last administrator's key", () => {
  it("can't be revoked, not even when two admins revoke each other's at once", async () => {
    const own = (await whoami(adminToken)).body.subject.slice("key:".length);
    expect(await api.send("DELETE", `/v1/keys/${own}`)).toMatchObject({
      status: 409,
      body: { code: "last_administrator" },
    });
    const { body: second } = await make({ roles: ["admin"] }, "/v1/keys");
    const answers = await Promise.all([
      api.send("DELETE", `/v1/keys/${second.id}`),
      api.send("DELETE", `/v1/keys/${own}`, bearer(second.key)),
    ]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect([401, 409]).toContain(statuses.find((status) => status !== 204));
    // Whoever is left stays the administrator of this file's other tests.
    await api.database.pool.query("update api_keys set revoked_at = null where id = $1", [own]);
  });

  it("doesn't count one that has expired", async () => {
    const { body } = await make({ roles: ["admin"] }, "/v1/keys");
    await api.database.pool.query("update api_keys set expires_at = now() where id = $1", [body.id]);
    const own = (await whoami(adminToken)).body.subject.slice("key:".length);
    await api.database.pool.query("update api_keys set expires_at = now() where id <> $1 and team is null", [
      own,
    ]);
    expect((await api.send("DELETE", `/v1/keys/${own}`)).status).toBe(409);
  });
});
