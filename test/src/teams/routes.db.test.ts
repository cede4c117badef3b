import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsAccount, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

async function newTeam(body: object = {}): Promise<string> {
  const name = uniqueName("team");
  const { status } = await api.send("POST", "/v1/teams", { body: { name, ...body } });
  expect(status).toBe(201);
  return name;
}

describe("a team", () => {
  it("is created with its location and can be read there", async () => {
    const name = uniqueName("team");
    const created = await api.send("POST", "/v1/teams", { body: { name, displayName: "Machine Learning" } });
    expect(created.status).toBe(201);
    expect(created.headers.location).toBe(`/v1/teams/${name}`);
    const read = await api.send("GET", String(created.headers.location));
    expect(read).toMatchObject({ status: 200, body: created.body });
    expect(created.body).toEqual({
      name,
      displayName: "Machine Learning",
      externalId: expect.stringMatching(/^aidlc-[0-9a-f]{32}$/),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: created.body.createdAt,
    });
  });

  it("is called by its name until it is given another", async () => {
    const name = await newTeam();
    expect((await api.send("GET", `/v1/teams/${name}`)).body.displayName).toBe(name);
    const changed = await api.send("PATCH", `/v1/teams/${name}`, { body: { displayName: "Ünïcode 团队" } });
    expect(changed).toMatchObject({ status: 200, body: { displayName: "Ünïcode 团队" } });
    expect((await api.send("GET", `/v1/teams/${name}`)).body).toEqual(changed.body);
    expect(changed.body.updatedAt > changed.body.createdAt).toBe(true);
  });

  it("can be sent as YAML", async () => {
    const name = uniqueName("team");
    const sent = {
      body: `name: ${name}\ndisplayName: Fraud\n`,
      headers: { "content-type": "application/yaml" },
    };
    expect(await api.send("POST", "/v1/teams", sent)).toMatchObject({
      status: 201,
      body: { displayName: "Fraud" },
    });
  });

  it("exists once: creating it again is a conflict and changes nothing", async () => {
    const name = await newTeam({ displayName: "First" });
    const again = await api.send("POST", "/v1/teams", { body: { name, displayName: "Second" } });
    expect(again).toMatchObject({ status: 409, body: { code: "team_exists" } });
    expect((await api.send("GET", `/v1/teams/${name}`)).body.displayName).toBe("First");
  });

  it("is created once when many ask at the same time", async () => {
    const name = uniqueName("team");
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.send("POST", "/v1/teams", { body: { name } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });
});

describe("the list of teams", () => {
  it("pages through every team once, by name", async () => {
    const names = await Promise.all(Array.from({ length: 5 }, () => newTeam()));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = cursor === undefined ? "" : `&cursor=${cursor}`;
      const { status, body } = await api.send("GET", `/v1/teams?limit=2${query}`);
      expect(status).toBe(200);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((team: { name: string }) => team.name));
      cursor = body.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(names));
  });

  it("goes on after its cursor even if that team has been deleted since", async () => {
    const names = [await newTeam(), await newTeam()].sort();
    const before = await api.send("GET", "/v1/teams?limit=200");
    const index = before.body.items.findIndex((team: { name: string }) => team.name === names[0]);
    const { body: page } = await api.send("GET", `/v1/teams?limit=${index + 1}`);
    await api.send("DELETE", `/v1/teams/${names[0]}`);
    const { body: rest } = await api.send("GET", `/v1/teams?limit=200&cursor=${page.nextCursor}`);
    expect(rest.items.map((team: { name: string }) => team.name)).toContain(names[1]);
  });
});

describe("deleting a team", () => {
  it("takes it out of sight, with an empty answer", async () => {
    const name = await newTeam();
    expect(await api.send("DELETE", `/v1/teams/${name}`)).toMatchObject({ status: 204, body: "" });
    expect(await api.send("GET", `/v1/teams/${name}`)).toMatchObject({
      status: 404,
      body: { code: "team_not_found" },
    });
    expect((await api.send("DELETE", `/v1/teams/${name}`)).status).toBe(404);
    expect((await api.send("PATCH", `/v1/teams/${name}`, { body: { displayName: "x" } })).status).toBe(404);
    const { body } = await api.send("GET", "/v1/teams?limit=200");
    expect(body.items.map((team: { name: string }) => team.name)).not.toContain(name);
  });

  it("frees its name; the new team has nothing of the old one's", async () => {
    const name = await newTeam({ displayName: "Old" });
    await api.send("DELETE", `/v1/teams/${name}`);
    const created = await api.send("POST", "/v1/teams", { body: { name } });
    expect(created).toMatchObject({ status: 201, body: { displayName: name } });
  });

  it("ends its external id: no role that trusted the old team trusts a new one of its name", async () => {
    const name = await newTeam();
    const { externalId } = (await api.send("GET", `/v1/teams/${name}`)).body;
    await api.send("DELETE", `/v1/teams/${name}`);
    const { body } = await api.send("POST", "/v1/teams", { body: { name } });
    expect(body.externalId).toMatch(/^aidlc-[0-9a-f]{32}$/);
    expect(body.externalId).not.toBe(externalId);
  });

  it("is refused while it has an account, which is named", async () => {
    const name = await newTeam();
    await api.send("PUT", `/v1/teams/${name}/accounts/main`, {
      body: awsAccount({ accountId: "222233334444", roleArn: "arn:aws:iam::222233334444:role/x" }),
    });
    const refused = await api.send("DELETE", `/v1/teams/${name}`);
    expect(refused).toMatchObject({ status: 409, body: { code: "team_in_use" } });
    expect(refused.body.detail).toContain("account main");
    expect((await api.send("GET", `/v1/teams/${name}`)).status).toBe(200);
  });

  it("is refused while it has a pipeline, which is named", async () => {
    const name = await api.teamWithAccount();
    await api.send("PUT", `/v1/teams/${name}/pipelines/churn`, { body: validSpec() });
    await api.database.pool.query("delete from accounts where team = $1", [name]);
    const refused = await api.send("DELETE", `/v1/teams/${name}`);
    expect(refused).toMatchObject({ status: 409, body: { code: "team_in_use" } });
    expect(refused.body.detail).toContain("pipeline churn");
  });

  it("and registering an account in it at the same moment can't both succeed", async () => {
    const name = await newTeam();
    const accountId = "333344445555";
    const blocker = await api.database.pool.connect();
    try {
      // Holds the registration in its middle: after it has seen the team, before it is committed.
      await blocker.query("begin");
      await blocker.query("insert into stacks (project, name) values ('aidlc-foundation', $1)", [
        `${accountId}.eu-central-1`,
      ]);
      const registration = api.send("PUT", `/v1/teams/${name}/accounts/main`, {
        body: { accountId, region: "eu-central-1" },
      });
      await api.waitForLocks(1);
      const deletion = api.send("DELETE", `/v1/teams/${name}`);
      await api.waitForLocks(2, deletion);
      await blocker.query("rollback");
      const statuses = [(await registration).status, (await deletion).status];
      expect([
        [202, 409],
        [404, 204],
      ]).toContainEqual(statuses);
    } finally {
      blocker.release();
    }
  });
});
