import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setDefaultLimits } from "../../../src/teams/quotas.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Answer, type Api, startApi } from "../api.ts";
import { expectRefusal } from "../refusals.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

const defaults = { pipelines: 50, operationsPerDay: 1000, operationsAtOnce: 10, resources: 20_000 };
const quota = (team: string) => `/v1/teams/${team}/quota`;
const pipeline = (team: string, name: string) => `/v1/teams/${team}/pipelines/${name}`;
const read = async (team: string): Promise<Document> => (await api.send("GET", quota(team))).body;

async function teamWith(limits: Document): Promise<string> {
  const team = await api.teamWithAccount();
  expect(await api.send("PUT", quota(team), { body: limits })).toMatchObject({ status: 200 });
  return team;
}

async function create(team: string, name = uniqueName("p")): Promise<Answer> {
  return api.send("POST", `/v1/teams/${team}/pipelines`, { body: { name, spec: validSpec() } });
}

/** Ends a pipeline as a destroy that succeeded does. */
async function bury(team: string, name: string): Promise<void> {
  await api.database.pool.query(
    "update operations set state = 'succeeded', finished_at = now() where team = $1 and pipeline = $2",
    [team, name],
  );
  await api.database.pool.query("update pipelines set deleted_at = now() where team = $1 and name = $2", [
    team,
    name,
  ]);
}

/** So many resources of AWS, and a component besides, in the stack of a team's pipeline or in that of its foundation. */
async function giveResources(team: string, of: "pipeline" | "foundation", count: number): Promise<void> {
  const stack =
    of === "pipeline"
      ? "select stack_id from pipelines where team = $1"
      : "select f.stack_id from foundations f join accounts using (aws_account_id, region) where team = $1";
  await api.database.pool.query(
    `insert into resources (stack_id, urn, position, type, name, dependencies, inputs, outputs)
     select s.stack_id, 'urn:' || n, n, case when n = 0 then 'aidlc:phase:Learning' else 'aws:s3/bucket:Bucket' end, 'r',
       '{}', '{}', '{}'
     from (${stack}) s, generate_series(0, $2::integer) n`,
    [team, count],
  );
}

describe("the quota of a team", () => {
  it("is the service's until it has one of its own, and tells what there is", async () => {
    const team = await api.teamWithAccount();
    expect(await read(team)).toEqual({
      limits: defaults,
      // Its foundation was provisioned.
      use: { pipelines: 0, operationsPerDay: 1, operationsAtOnce: 0, resources: 0, monthlyUsd: 0 },
      own: {},
    });
    await create(team);
    expect((await read(team)).use).toEqual({
      pipelines: 1,
      operationsPerDay: 2,
      operationsAtOnce: 0,
      resources: 0,
      monthlyUsd: 25,
    });
  });

  it("is set whole: what is left out is the service's again", async () => {
    const team = await teamWith({ pipelines: 3, resources: 7 });
    expect(await read(team)).toMatchObject({
      limits: { ...defaults, pipelines: 3, resources: 7 },
      own: { pipelines: 3, resources: 7 },
    });
    await api.send("PUT", quota(team), { body: { operationsPerDay: 0 } });
    expect(await read(team)).toMatchObject({
      limits: { ...defaults, operationsPerDay: 0 },
      own: { operationsPerDay: 0 },
    });
    expect((await read(team)).own).toEqual({ operationsPerDay: 0 });
  });

  it("follows the service's limits, but for its own", async () => {
    const team = await teamWith({ pipelines: 3 });
    try {
      const limits = { pipelines: 9, operationsPerDay: 8, operationsAtOnce: 5, resources: 7 };
      await setDefaultLimits(api.database.pool, limits, 10);
      expect((await read(team)).limits).toEqual({ ...limits, pipelines: 3 });
    } finally {
      await setDefaultLimits(api.database.pool, defaults, 10);
    }
  });

  it("is not inherited by a team that is made anew under the name", async () => {
    const team = uniqueName("team");
    await api.send("POST", "/v1/teams", { body: { name: team } });
    await api.send("PUT", quota(team), { body: { pipelines: 1 } });
    await api.send("DELETE", `/v1/teams/${team}`);
    await api.send("POST", "/v1/teams", { body: { name: team } });
    expect(await read(team)).toMatchObject({ limits: defaults, own: {} });
  });

  it("is for administrators to set and for members to read", async () => {
    const team = await api.teamWithAccount();
    const maintainer = await api.as({ teams: { [team]: ["maintainer"] } });
    expect((await maintainer.send("GET", quota(team))).status).toBe(200);
    expect((await maintainer.send("PUT", quota(team), { body: { pipelines: 99 } })).status).toBe(403);
    expect((await read(team)).own).toEqual({});
  });

  it.each([
    [{ pipelines: -1 }, "/pipelines"],
    [{ pipelines: 1.5 }, "/pipelines"],
    [{ operationsAtOnce: 0 }, "/operationsAtOnce"],
    [{ resources: 1_000_001 }, "/resources"],
    [{ operationsPerDay: "10" }, "/operationsPerDay"],
    [{ operationsPerDay: null }, "/operationsPerDay"],
    [{ budget: 1 }, "/budget"],
  ])("may not be %j", async (body, path) => {
    const team = await api.teamWithAccount();
    const refusal = { status: 400, code: "invalid_request", paths: [path] };
    await expectRefusal(api, "PUT", quota(team), { body }, refusal);
  });

  it("of a team that doesn't exist is neither read nor set", async () => {
    const refusal = { status: 404, code: "team_not_found" };
    await expectRefusal(api, "GET", quota("nobody"), {}, refusal);
    await expectRefusal(api, "PUT", quota("nobody"), { body: {} }, refusal);
  });
});

describe("pipelines", () => {
  it("are created up to the limit, and refused over it by use, limit and remedy", async () => {
    const team = await teamWith({ pipelines: 2 });
    for (const name of ["a", "b"]) expect((await create(team, name)).status).toBe(202);
    const refusal = { status: 409, code: "quota_exceeded" };
    const body = { name: "c", spec: validSpec() };
    await expectRefusal(api, "POST", `/v1/teams/${team}/pipelines`, { body }, refusal);
    await expectRefusal(api, "PUT", pipeline(team, "c"), { body: validSpec() }, refusal);
    const { headers, body: problem } = await create(team, "c");
    expect(problem.detail).toContain("2 pipelines of 2");
    expect(problem.detail).toContain(`PUT /v1/teams/${team}/quota`);
    expect(headers).not.toHaveProperty("retry-after");
  });

  it("that exist are changed, previewed and deleted whatever the limit", async () => {
    const team = await teamWith({ pipelines: 1 });
    await create(team, "a");
    await api.send("PUT", quota(team), { body: { pipelines: 0, resources: 0 } });
    const change = { budget: { monthlyUsd: 40 } };
    expect((await api.send("PUT", pipeline(team, "a"), { body: validSpec() })).status).toBe(202);
    expect((await api.send("PATCH", pipeline(team, "a"), { body: change })).status).toBe(202);
    expect((await api.send("POST", `${pipeline(team, "b")}/previews`, { body: validSpec() })).status).toBe(
      202,
    );
    expect((await api.send("DELETE", pipeline(team, "a"))).status).toBe(202);
  });

  it("that are gone make room", async () => {
    const team = await teamWith({ pipelines: 1 });
    await create(team, "a");
    await bury(team, "a");
    expect((await create(team, "b")).status).toBe(202);
  });

  it("that are asked for again by the same key need no room", async () => {
    const team = await teamWith({ pipelines: 1 });
    const request = {
      body: { name: "a", spec: validSpec() },
      headers: { "idempotency-key": "k" },
    };
    const first = await api.send("POST", `/v1/teams/${team}/pipelines`, request);
    const again = await api.send("POST", `/v1/teams/${team}/pipelines`, request);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
  });

  it("are never more than the limit, however many are created at once", async () => {
    const team = await teamWith({ pipelines: 3 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => create(team)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([202, 202, 202, ...Array.from({ length: 9 }, () => 409)]);
    expect((await read(team)).use.pipelines).toBe(3);
  }, 30_000);

  it("of another team don't count", async () => {
    const [first, second] = [await teamWith({ pipelines: 1 }), await teamWith({ pipelines: 1 })];
    expect((await create(first)).status).toBe(202);
    expect((await create(second)).status).toBe(202);
  });
});

describe("operations of a day", () => {
  const previews = (team: string) => `${pipeline(team, "churn")}/previews`;
  const preview = (team: string) => api.send("POST", previews(team), { body: validSpec() });

  it("are started up to the limit, and refused over it until midnight", async () => {
    // The foundation took one.
    const team = await teamWith({ operationsPerDay: 3 });
    expect((await preview(team)).status).toBe(202);
    expect((await preview(team)).status).toBe(202);
    const refusal = { status: 429, code: "quota_exceeded" };
    await expectRefusal(api, "POST", previews(team), { body: validSpec() }, refusal);
    await expectRefusal(api, "PUT", pipeline(team, "churn"), { body: validSpec() }, refusal);
    const { headers, body } = await preview(team);
    expect(body.detail).toContain("3 operations of 3");
    const midnight = new Date().setUTCHours(24, 0, 0, 0);
    const seconds = Number(headers["retry-after"]);
    expect(Math.abs(seconds - (midnight - Date.now()) / 1000)).toBeLessThan(30);
  });

  it("of yesterday don't count", async () => {
    const team = await teamWith({ operationsPerDay: 1 });
    expect((await preview(team)).status).toBe(429);
    await api.database.pool.query(
      "update operations set created_at = created_at - interval '1 day' where team = $1",
      [team],
    );
    expect((await preview(team)).status).toBe(202);
  });

  it("never keep a pipeline from being torn down, nor an operation from being cancelled", async () => {
    const team = await teamWith({ operationsPerDay: 2 });
    const { body: update } = await create(team, "churn");
    expect((await preview(team)).status).toBe(429);
    expect((await api.send("POST", `/v1/operations/${update.id}/cancel`)).status).toBe(202);
    expect((await api.send("DELETE", pipeline(team, "churn"))).status).toBe(202);
    expect((await read(team)).use.operationsPerDay).toBe(2);
  });

  it("are never more than the limit, however many are started at once", async () => {
    const team = await teamWith({ operationsPerDay: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => preview(team)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(8);
    expect((await read(team)).use.operationsPerDay).toBe(5);
  }, 30_000);
});

describe("resources", () => {
  it("at the limit keep a further pipeline from being created, and no other from being changed", async () => {
    const team = await teamWith({ resources: 6 });
    await create(team, "churn");
    await giveResources(team, "pipeline", 5);
    expect((await read(team)).use.resources).toBe(5);
    expect((await create(team, "below")).status).toBe(202);
    await api.send("PUT", quota(team), { body: { resources: 5 } });
    const refusal = { status: 409, code: "quota_exceeded" };
    await expectRefusal(api, "PUT", pipeline(team, "over"), { body: validSpec() }, refusal);
    expect((await create(team)).body.detail).toContain("5 resources of 5");
    expect((await api.send("PUT", pipeline(team, "churn"), { body: validSpec() })).status).toBe(202);
  });

  it("of foundations, which teams share, don't count", async () => {
    const team = await teamWith({ resources: 1 });
    await giveResources(team, "foundation", 5);
    expect((await read(team)).use.resources).toBe(0);
    expect((await create(team)).status).toBe(202);
  });
});
