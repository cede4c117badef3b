import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { teamRoles } from "../../../src/access/principal.ts";
import { awsAccount, type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Answer, type Api, type Caller, startApi } from "../api.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const everyRole = (team: string) => api.as({ teams: { [team]: teamRoles } });
const named = (items: Document[]) => items.map(({ name }) => name);

/** All pages of a list, and the text of every answer. */
async function pages(caller: Caller, url: string): Promise<{ items: Document[]; text: string }> {
  const items: Document[] = [];
  let text = "";
  for (let cursor = ""; ; ) {
    const { status, body } = await caller.send("GET", `${url}limit=1${cursor}`);
    expect(status).toBe(200);
    items.push(...body.items);
    text += JSON.stringify(body);
    if (body.nextCursor === undefined) return { items, text };
    text += Buffer.from(body.nextCursor, "base64url").toString();
    cursor = `&cursor=${body.nextCursor}`;
  }
}

describe("lists", () => {
  let first: string;
  let hidden: string;
  let last: string;
  let member: Caller;

  beforeAll(async () => {
    const stem = uniqueName("t");
    [first, hidden, last] = [`${stem}-a`, `${stem}-b`, `${stem}-c`];
    for (const team of [first, hidden, last]) {
      await api.send("POST", "/v1/teams", { body: { name: team } });
      const aws = awsAccount({ region: "us-east-1" });
      await api.send("PUT", `/v1/teams/${team}/accounts/main`, { body: aws });
      await api.provision(team, "main");
      const spec = validSpec();
      expect((await api.send("PUT", `/v1/teams/${team}/pipelines/churn`, { body: spec })).status).toBe(202);
    }
    member = await api.as({ teams: { [first]: ["viewer"], [last]: ["approver"] } });
  });

  it("of teams have those of the caller, page by page; cursors tell of no other", async () => {
    const { items, text } = await pages(member, "/v1/teams?");
    expect(named(items)).toEqual([first, last]);
    expect(text).not.toContain(hidden);
  });

  it("of teams are empty for nobody's member, and whole for the platform's roles", async () => {
    expect((await (await api.as({})).send("GET", "/v1/teams")).body).toEqual({ items: [] });
    for (const role of ["auditor", "admin"] as const) {
      const { body } = await (await api.as({ platform: [role] })).send("GET", "/v1/teams?limit=200");
      expect(named(body.items)).toEqual(expect.arrayContaining([first, hidden, last]));
    }
  });

  it("of operations have those of the caller's teams, page by page", async () => {
    const { items, text } = await pages(member, "/v1/operations?");
    expect(new Set(items.map(({ team }) => team))).toEqual(new Set([first, last]));
    expect(items).toHaveLength(4);
    expect(text).not.toContain(hidden);
  });

  it("of operations, asked for a team that can't be seen, are those of a team that isn't there", async () => {
    const answers = await Promise.all(
      [hidden, "nowhere"].map((team) => member.send("GET", `/v1/operations?team=${team}`)),
    );
    expect(answers.map(({ body }) => body)).toEqual([{ items: [] }, { items: [] }]);
    expect((await member.send("GET", `/v1/operations?team=${first}`)).body.items).toHaveLength(2);
    const everywhere = await member.send("GET", "/v1/operations?pipeline=churn");
    expect(everywhere.body.items).toHaveLength(2);
  });

  it("of keys and members have no key of another team, nor can it be read or revoked through one's own", async () => {
    const { body: foreign } = await api.send("POST", `/v1/teams/${hidden}/keys`, {
      body: { name: "foreign", roles: ["viewer"] },
    });
    const maintainer = await everyRole(first);
    for (const what of ["keys", "members"]) {
      const { body } = await maintainer.send("GET", `/v1/teams/${first}/${what}`);
      expect(JSON.stringify(body)).not.toContain(foreign.id);
    }
    const unknown = randomUUID();
    for (const method of ["GET", "DELETE"]) {
      const [one, other] = [
        await maintainer.send(method, `/v1/teams/${first}/keys/${foreign.id}`),
        await maintainer.send(method, `/v1/teams/${first}/keys/${unknown}`),
      ];
      expect(one.status).toBe(404);
      expect(withoutIds(one, foreign.id)).toEqual(withoutIds(other, unknown));
    }
    expect((await api.send("GET", `/v1/teams/${hidden}/keys/${foreign.id}`)).status).toBe(200);
  });

  it("of metrics name no team", async () => {
    const { status, body } = await api.send("GET", "/metrics");
    expect(status).toBe(200);
    for (const team of [first, hidden, last]) expect(body).not.toContain(team);
  });
});

const withoutIds = ({ status, body }: Answer, id: string) => ({
  status,
  body: JSON.parse(JSON.stringify({ ...body, instance: "" }).replaceAll(id, "ID")),
});

describe("a foundation that teams share", () => {
  let mine: string;
  let theirs: string;
  let member: Caller;
  let region = 0;
  const foundation = () => `/v1/teams/${mine}/accounts/main/foundation`;

  beforeEach(async () => {
    region += 1;
    mine = uniqueName("mine");
    theirs = uniqueName("theirs");
    for (const team of [mine, theirs]) {
      await api.send("POST", "/v1/teams", { body: { name: team } });
      const name = team === mine ? "main" : "alias-of-theirs";
      const aws = awsAccount({ region: `eu-west-${region}` });
      expect((await api.send("PUT", `/v1/teams/${team}/accounts/${name}`, { body: aws })).status).toBe(202);
      await api.provision(team, name);
    }
    member = await everyRole(mine);
  });

  /** Another team's operation on the shared foundation, as yet without an end. */
  const theirOperation = async (method: string, path = "") => {
    const answer = await api.send(method, `/v1/teams/${theirs}/accounts/alias-of-theirs${path}`, {
      ...(method === "PUT" && { body: awsAccount({ region: `eu-west-${region}` }) }),
    });
    expect(answer.status).toBe(202);
    return answer.body.id as string;
  };

  it("is counted for a member by the teams that they see", async () => {
    const { status, body } = await member.send("GET", foundation());
    expect([status, body.sharedBy]).toEqual([200, 1]);
    expect((await api.send("GET", foundation())).body.sharedBy).toBe(2);
    const both = await api.as({ teams: { [mine]: ["viewer"], [theirs]: ["viewer"] } });
    expect((await both.send("GET", foundation())).body.sharedBy).toBe(2);
  });

  it("shows nothing of the others: no name, no alias, no pipeline, no operation", async () => {
    const pipeline = `/v1/teams/${theirs}/pipelines/secret-plan`;
    const spec = validSpec((one) => {
      one.account = "alias-of-theirs";
    });
    const { body: update } = await api.send("PUT", pipeline, { body: spec });
    for (const url of [foundation(), `/v1/teams/${mine}/accounts`, `/v1/teams/${mine}/accounts/main`]) {
      const text = JSON.stringify((await member.send("GET", url)).body);
      for (const name of [theirs, "alias-of-theirs", "secret-plan", update.id])
        expect(text).not.toContain(name);
    }
  });

  it("is busy with somebody else's operation: which one, is not told to a team whose it isn't", async () => {
    await api.database.pool.query(
      "update foundations set ready = false where stack_id in (select stack_id from operations where team = $1)",
      [mine],
    );
    const operation = await theirOperation("PUT");
    const { status, body } = await member.send("PUT", `/v1/teams/${mine}/pipelines/churn`, {
      body: validSpec(),
    });
    expect([status, body.code]).toEqual([409, "foundation_not_ready"]);
    expect(body.detail).toMatch(/^An operation is working on the foundation/);
    expect(body).not.toHaveProperty("operation");
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${operation}|${theirs}|alias-of-theirs`));
  });

  it("is destroyed by somebody else's operation, which is not told either", async () => {
    // As if theirs were the last registration: mine came back at the same moment.
    const operation = await theirOperation("POST", "/foundation/reconciliations");
    await api.database.pool.query("update operations set kind = 'destroy' where id = $1", [operation]);
    for (const [method, url, sent] of [
      ["POST", `${foundation()}/reconciliations`, {}],
      ["PUT", `/v1/teams/${mine}/pipelines/churn`, { body: validSpec() }],
      ["POST", `/v1/teams/${mine}/pipelines/churn/previews`, { body: validSpec() }],
    ] as const) {
      const { status, body } = await member.send(method, url, sent);
      expect(status).toBe(409);
      expect(body.detail).toMatch(/^An operation is /);
      expect(body).not.toHaveProperty("operation");
      expect(JSON.stringify(body)).not.toMatch(new RegExp(`${operation}|${theirs}|alias-of-theirs`));
    }
  });

  it("is busy with an operation of the team's own, which is named", async () => {
    const { body: own } = await member.send("POST", `${foundation()}/reconciliations`);
    await api.database.pool.query("update operations set kind = 'destroy' where id = $1", [own.id]);
    const { body } = await member.send("POST", `${foundation()}/reconciliations`);
    expect(body).toMatchObject({ code: "stack_busy", operation: own.id });
  });

  it("becomes production by somebody else's operation, which is not told either", async () => {
    await theirOperation("PUT");
    await api.database.pool.query(
      `update foundations set settings = jsonb_set(settings, '{profile}', '"production"')
       where stack_id in (select stack_id from operations where team = $1)`,
      [mine],
    );
    const production = validSpec((one) => {
      one.profile = "production";
      one.dataset.replicaRegion = "us-east-1";
      one.alerts = { emails: ["ops@example.com"] };
    });
    const { body } = await member.send("PUT", `/v1/teams/${mine}/pipelines/churn`, { body: production });
    expect(body).toMatchObject({ code: "foundation_not_ready" });
    expect(body).not.toHaveProperty("operation");
  });
});

describe("what a caller may not do", () => {
  let team: string;
  let viewer: Caller;

  beforeAll(async () => {
    team = await api.teamWithAccount();
    viewer = await api.as({ teams: { [team]: ["viewer"] } });
  });

  it("is refused with the role that it takes", async () => {
    const { status, body } = await viewer.send("DELETE", `/v1/teams/${team}/pipelines/churn`);
    expect([status, body.code]).toEqual([403, "forbidden"]);
    expect(body.detail).toContain(`the role maintainer in team "${team}"`);
    const platform = await viewer.send("GET", "/v1/audit/verification");
    expect([platform.status, platform.body.code]).toEqual([403, "forbidden"]);
    expect(platform.body.detail).toContain("auditor");
  });

  it("is refused before a body is read, and before the address's other mistakes are told", async () => {
    const malformed = { body: "{ malformed", headers: { "content-type": "application/json" } };
    expect((await viewer.send("PUT", `/v1/teams/${team}/pipelines/churn`, malformed)).status).toBe(403);
    expect((await viewer.send("PUT", "/v1/teams/nowhere/pipelines/churn", malformed)).status).toBe(404);
    expect((await viewer.send("GET", "/v1/teams/NO%00WHERE/pipelines?limit=none")).status).toBe(404);
    expect((await viewer.send("PATCH", `/v1/teams/${team}?what=ever`)).status).toBe(403);
  });

  it("includes to tell whether an id is one of an operation", async () => {
    for (const id of ["none", "%27", "{00000000-0000-4000-8000-000000000000}", `urn:uuid:${randomUUID()}`]) {
      const answer = await viewer.send("GET", `/v1/operations/${id}`);
      expect([answer.status, answer.body.code]).toEqual([404, "operation_not_found"]);
    }
  });

  it("includes the audit trail of several teams at once", async () => {
    const maintainer = await everyRole(team);
    const several = await maintainer.send("GET", `/v1/audit?team=${team}&team=${team}`);
    expect([several.status, several.body.code]).toEqual([403, "forbidden"]);
    expect((await maintainer.send("GET", `/v1/audit?team=${team}`)).status).toBe(200);
  });

  it("includes to go on reading a stream of events when the role that let one in is gone", async () => {
    const caller = await api.as({ teams: { [team]: ["viewer"] } });
    const { body } = await api.send("PUT", `/v1/teams/${team}/pipelines/${uniqueName("churn")}`, {
      body: validSpec(),
    });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const stream = api.app.inject({
      url: `/v1/operations/${body.id}/events`,
      headers: { accept: "text/event-stream", authorization: `Bearer ${caller.token}` },
    });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(30_000);
    await api.database.pool.query("delete from grants where subject = $1", [caller.subject]);
    await vi.advanceTimersByTimeAsync(15_000);
    const { payload } = await stream;
    expect(payload.match(/: keep-alive/g)?.length).toBeGreaterThanOrEqual(3);
    expect(payload).not.toContain("event: end");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is what a role allowed that was taken away, from the next request on", async () => {
    const caller = await everyRole(team);
    expect((await caller.send("GET", `/v1/teams/${team}`)).status).toBe(200);
    await api.database.pool.query("delete from grants where subject = $1", [caller.subject]);
    expect((await caller.send("GET", `/v1/teams/${team}`)).status).toBe(404);
  });
});
