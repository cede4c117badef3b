import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let team: string;
let url: string;
let name: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

beforeEach(() => {
  name = uniqueName("churn");
  url = `/v1/teams/${team}/pipelines/${name}`;
});

afterAll(() => api.close());

const operation = async (id: string) => (await api.send("GET", `/v1/operations/${id}`)).body;
const put = (body: Document = validSpec(), headers = {}) => api.send("PUT", url, { body, headers });
const patch = (body: Document, headers = {}) => api.send("PATCH", url, { body, headers });
const read = async () => (await api.send("GET", url)).body;
const revisions = async () => (await api.send("GET", `${url}/revisions`)).body.items;
const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

/** What the worker does when an update has succeeded. */
async function applied(id: string): Promise<void> {
  await sql(
    "update operations set state = 'succeeded', started_at = now(), finished_at = now() where id = $1",
    [id],
  );
  await sql(
    `update pipelines set applied_revision = o.revision from operations o
     where o.id = $1 and pipelines.id = o.pipeline_id`,
    [id],
  );
}

/** What the worker does when a destroy has succeeded. */
async function destroyed(id: string): Promise<void> {
  await sql(
    "update operations set state = 'succeeded', started_at = now(), finished_at = now() where id = $1",
    [id],
  );
  await sql(
    `update pipelines set deleted_at = now(), applied_revision = null from operations o
     where o.id = $1 and pipelines.id = o.pipeline_id`,
    [id],
  );
}

const withBudget = (monthlyUsd: number) =>
  validSpec((spec) => {
    spec.budget = { monthlyUsd };
  });

describe("creating a pipeline", () => {
  it("answers 202 with the operation that applies its first revision", async () => {
    const { status, headers, body } = await put();
    expect(status).toBe(202);
    expect(headers.location).toBe(`/v1/operations/${body.id}`);
    expect(body).toMatchObject({ kind: "update", state: "queued", team, pipeline: name, revision: 1 });
    expect(await operation(body.id)).toEqual(body);
  });

  it("shows the spec with its defaults, the revision as ETag, and that it is provisioning", async () => {
    const { body: update } = await put();
    const { headers, body } = await api.send("GET", url);
    expect(headers.etag).toBe('"1"');
    expect(body).toMatchObject({
      team,
      name,
      account: "main",
      state: "provisioning",
      desiredRevision: 1,
      lastChange: { id: update.id, kind: "update", state: "queued" },
      spec: { profile: "learning", budget: { monthlyUsd: 25 } },
    });
    expect(body).not.toHaveProperty("appliedRevision");
  });

  it("gives every value of the spec back as it was sent, whatever its type", async () => {
    const spec = validSpec((draft) => {
      draft.training.hyperparameters = {
        depth: 5,
        eta: 0.3,
        objective: "binary:logistic",
        verbose: true,
        "5": "5",
      };
      draft.dataset.schema.push(
        { name: "when", type: "date", min: "2026-01-01", max: "2026-12-31" },
        { name: "level", type: "integer", enum: [3, 1, 2] },
        { name: "flag", type: "boolean", enum: [true] },
      );
      draft.tags = { "cost centre": "a/b", ünï: "" };
      draft.training.qualityGate.threshold = -1.5e-7;
    });
    await put(spec);
    const sent = JSON.parse(JSON.stringify(spec));
    expect((await read()).spec).toMatchObject(sent);
    expect((await revisions())[0].spec).toMatchObject(sent);
  });

  it("by POST is the same, and a conflict when there is one of that name", async () => {
    const collection = `/v1/teams/${team}/pipelines`;
    const created = await api.send("POST", collection, { body: { name, spec: validSpec() } });
    expect(created).toMatchObject({ status: 202, body: { kind: "update", pipeline: name, revision: 1 } });
    const again = await api.send("POST", collection, { body: { name, spec: validSpec() } });
    expect(again).toMatchObject({ status: 409, body: { code: "pipeline_exists" } });
  });

  it("happens once when several PUT it at the same moment", async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => put()));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const found = await sql("select count(*) from pipelines where name = $1", [name]);
    expect(found.rows[0].count).toBe(1);
    expect(await revisions()).toHaveLength(1);
    const active = await sql("select count(*) from operations where pipeline = $1 and state = 'queued'", [
      name,
    ]);
    expect(active.rows[0].count).toBe(1);
  });

  it("waits for the foundation: it is refused while that isn't provisioned, and says when to try again", async () => {
    const second = `/v1/teams/${team}/accounts/second`;
    const { body: provisioning } = await api.send("PUT", second, {
      body: { accountId: "777788889999", region: "eu-west-1" },
    });
    const spec = validSpec((draft) => {
      draft.account = "second";
    });
    const early = await put(spec);
    expect(early).toMatchObject({
      status: 409,
      body: { code: "foundation_not_ready", operation: provisioning.id },
    });
    expect(Number(early.headers["retry-after"])).toBeGreaterThan(0);
    await sql("update operations set state = 'failed' where id = $1", [provisioning.id]);
    expect(await put(spec)).toMatchObject({ status: 409, body: { code: "foundation_not_ready" } });
    await api.provision(team, "second");
    expect((await put(spec)).status).toBe(202);
  });

  it("is allowed while a provisioned foundation is only updated, and refused while it is destroyed", async () => {
    const own = await api.teamWithAccount();
    const target = `/v1/teams/${own}/pipelines/${name}`;
    const found = await sql(
      "select f.stack_id from accounts a join foundations f using (aws_account_id, region) where a.team = $1",
      [own],
    );
    const working = (kind: string) =>
      sql(
        `insert into operations (id, kind, stack_id, team, account, request_id, state)
         values ($1, $2, $3, $4, 'main', 'r', 'running')`,
        [randomUUID(), kind, found.rows[0].stack_id, own],
      );
    await working("update");
    expect((await api.send("PUT", target, { body: validSpec() })).status).toBe(202);
    await working("destroy");
    expect(await api.send("PUT", target, { body: validSpec() })).toMatchObject({
      status: 409,
      body: { code: "foundation_not_ready" },
    });
    await sql("delete from operations where request_id = 'r'");
  });
});

describe("the same spec", () => {
  it("makes no new revision, however it is written", async () => {
    await put();
    const reordered = Object.fromEntries(Object.entries(validSpec()).reverse());
    await put(reordered);
    const filled = (await read()).spec;
    await put(filled);
    await put(stringify(validSpec()), { "content-type": "application/yaml" });
    await put(JSON.stringify(validSpec(), undefined, 4), {
      "content-type": "application/json; charset=utf-8",
    });
    expect(await revisions()).toHaveLength(1);
    expect((await read()).desiredRevision).toBe(1);
  });

  it("is applied again all the same", async () => {
    const { body: first } = await put();
    await applied(first.id);
    const { body: second } = await put();
    expect(second).toMatchObject({ kind: "update", state: "queued", revision: 1 });
    expect(second.id).not.toBe(first.id);
  });

  it.each(["application/yaml", "application/x-yaml", "text/yaml"])(
    "as %s and as JSON has one digest",
    async (type) => {
      const spec = validSpec((draft) => {
        draft.training.schedule = "cron(0 3 ? * MON *)";
        draft.dataset.schema.push(
          { name: "when", type: "date", min: "2026-01-01" },
          { name: "yes", type: "string" },
        );
      });
      await put(stringify(spec), { "content-type": type });
      const [first] = await revisions();
      name = uniqueName("churn");
      url = `/v1/teams/${team}/pipelines/${name}`;
      await put(spec);
      const [second] = await revisions();
      expect(first.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(second.digest).toBe(first.digest);
      expect(second.spec).toEqual(first.spec);
    },
  );
});

describe("another spec", () => {
  it("makes the next revision and keeps the earlier ones, the newest first", async () => {
    await put();
    await put(withBudget(50));
    await put(withBudget(75));
    const listed = await revisions();
    expect(listed.map((revision: { number: number }) => revision.number)).toEqual([3, 2, 1]);
    expect(listed.map((revision: Document) => revision.spec.budget.monthlyUsd)).toEqual([75, 50, 25]);
    expect(new Set(listed.map((revision: Document) => revision.digest)).size).toBe(3);
    expect(await read()).toMatchObject({ desiredRevision: 3, spec: { budget: { monthlyUsd: 75 } } });
  });

  it("that goes back to an earlier one is a new revision with that one's digest", async () => {
    await put();
    await put(withBudget(50));
    await put();
    const [third, , first] = await revisions();
    expect(third).toMatchObject({ number: 3, digest: first.digest });
  });

  it("differs also when only the order of its columns does", async () => {
    await put();
    await put(
      validSpec((spec) => {
        spec.dataset.schema.reverse();
      }),
    );
    expect(await revisions()).toHaveLength(2);
  });

  it("takes the place of updates that are still queued, which say so", async () => {
    const { body: first } = await put();
    const { body: second } = await put(withBudget(50));
    const { body: third } = await patch({ budget: { monthlyUsd: 75 } });
    expect(await operation(first.id)).toMatchObject({ state: "superseded", finishedAt: expect.any(String) });
    expect(await operation(second.id)).toMatchObject({ state: "superseded" });
    expect(await operation(third.id)).toMatchObject({ state: "queued", revision: 3 });
    expect((await read()).lastChange.id).toBe(third.id);
  });

  it("takes no place of an update that runs", async () => {
    const { body: first } = await put();
    await sql("update operations set state = 'running' where id = $1", [first.id]);
    await put(withBudget(50));
    expect((await operation(first.id)).state).toBe("running");
  });

  it("can't move the pipeline to another account", async () => {
    await put();
    await api.send("PUT", `/v1/teams/${team}/accounts/third`, {
      body: { accountId: "123123123123", region: "eu-west-1" },
    });
    await api.provision(team, "third");
    const moved = await patch({ account: "third" });
    expect(moved).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict", errors: [{ path: "/account" }] },
    });
    expect(await revisions()).toHaveLength(1);
  });
});

describe("revisions", () => {
  it("can be neither changed nor deleted, not even by hand", async () => {
    await put();
    const id = (await read()).id;
    for (const statement of [
      "update revisions set spec = '{}' where pipeline_id = $1",
      "update revisions set digest = 'x' where pipeline_id = $1",
      "delete from revisions where pipeline_id = $1",
    ]) {
      await expect(sql(statement, [id])).rejects.toMatchObject({
        code: "23001",
        message: /revisions rows are immutable/,
      });
    }
    expect(await revisions()).toHaveLength(1);
  });

  it("are numbered without a gap when many change the pipeline at once", async () => {
    await put();
    await Promise.all(Array.from({ length: 6 }, (_, index) => put(withBudget(100 + index))));
    const listed = await revisions();
    expect(listed.map((revision: { number: number }) => revision.number)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it("are listed in pages", async () => {
    await put();
    await put(withBudget(50));
    await put(withBudget(75));
    const first = await api.send("GET", `${url}/revisions?limit=2`);
    const second = await api.send("GET", `${url}/revisions?limit=2&cursor=${first.body.nextCursor}`);
    const numbers = [...first.body.items, ...second.body.items].map((revision) => revision.number);
    expect(numbers).toEqual([3, 2, 1]);
    expect(second.body).not.toHaveProperty("nextCursor");
  });
});

describe("If-Match", () => {
  it("lets a change pass at the revision it names, or at any", async () => {
    await put();
    expect((await put(withBudget(50), { "if-match": '"1"' })).status).toBe(202);
    expect((await patch({ budget: { monthlyUsd: 60 } }, { "if-match": "*" })).status).toBe(202);
    expect((await read()).desiredRevision).toBe(3);
  });

  it("stops every kind of change at another revision, and nothing is changed", async () => {
    await put();
    await put(withBudget(50));
    const headers = { "if-match": '"1"' };
    const answers = [
      await put(withBudget(75), headers),
      await patch({ budget: { monthlyUsd: 75 } }, headers),
      await api.send("DELETE", url, { headers }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 412, body: { code: "revision_mismatch" } });
    expect(await read()).toMatchObject({ desiredRevision: 2, state: "provisioning" });
  });

  it("lets one of two who saw the same revision win", async () => {
    await put();
    const headers = { "if-match": '"1"' };
    const answers = await Promise.all([put(withBudget(50), headers), put(withBudget(75), headers)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 412]);
    expect(await revisions()).toHaveLength(2);
  });
});

describe("a merge patch", () => {
  it("changes what it names, removes what it nulls, and leaves the rest", async () => {
    await put(
      validSpec((spec) => {
        spec.tags = { cost: "a", stage: "b" };
        spec.training.schedule = "rate(1 day)";
      }),
    );
    await patch({ tags: { stage: null, owner: "c" }, training: { schedule: null, instanceCount: 2 } });
    const { spec } = await read();
    expect(spec.tags).toEqual({ cost: "a", owner: "c" });
    expect(spec.training).toMatchObject({ instanceCount: 2, qualityGate: { metric: "auc" } });
    expect(spec.training).not.toHaveProperty("schedule");
  });

  it("that nulls a field with a default brings the default back", async () => {
    await put(withBudget(50));
    await patch({ budget: null });
    expect((await read()).spec.budget).toEqual({ monthlyUsd: 25 });
  });

  it("replaces lists whole", async () => {
    await put();
    await patch({ dataset: { schema: [{ name: "only", type: "string" }] } });
    expect((await read()).spec.dataset.schema).toEqual([{ name: "only", type: "string", nullable: false }]);
  });

  it("may say its own content type, or be YAML", async () => {
    await put();
    const merge = { "content-type": "application/merge-patch+json" };
    expect((await patch('{"budget":{"monthlyUsd":30}}', merge)).status).toBe(202);
    expect((await patch("budget: { monthlyUsd: 31 }", { "content-type": "application/yaml" })).status).toBe(
      202,
    );
    expect((await read()).spec.budget.monthlyUsd).toBe(31);
  });

  it("of nothing makes no revision", async () => {
    await put();
    expect((await patch({})).status).toBe(202);
    expect(await revisions()).toHaveLength(1);
  });

  it("of two at the same moment loses neither", async () => {
    await put();
    await Promise.all([patch({ budget: { monthlyUsd: 99 } }), patch({ training: { instanceCount: 3 } })]);
    expect((await read()).spec).toMatchObject({ budget: { monthlyUsd: 99 }, training: { instanceCount: 3 } });
  });
});

describe("Idempotency-Key", () => {
  const post = (body: Document, key: string) =>
    api.send("POST", `/v1/teams/${team}/pipelines`, { body, headers: { "idempotency-key": key } });

  it("gives the operation of the first request to every repetition", async () => {
    const key = randomUUID();
    const body = { name, spec: validSpec() };
    const first = await post(body, key);
    const second = await post(body, key);
    expect(second).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(second.headers.location).toBe(first.headers.location);
  });

  it("is a conflict when it comes with another request, which names the operation of the first", async () => {
    const key = randomUUID();
    const first = await post({ name, spec: validSpec() }, key);
    for (const body of [
      { name: uniqueName("fraud"), spec: validSpec() },
      { name, spec: withBudget(50) },
    ]) {
      expect(await post(body, key)).toMatchObject({
        status: 409,
        body: { code: "idempotency_conflict", operation: first.body.id },
      });
    }
  });

  it("makes one pipeline of many requests at the same moment", async () => {
    const key = randomUUID();
    const body = { name, spec: validSpec() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, key)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await sql("select count(*) from pipelines where name = $1", [name])).rows[0].count).toBe(1);
    expect((await sql("select count(*) from operations where pipeline = $1", [name])).rows[0].count).toBe(1);
  });

  it("of one team is nothing to another", async () => {
    const key = randomUUID();
    const first = await post({ name, spec: validSpec() }, key);
    const other = await api.teamWithAccount();
    const second = await api.send("POST", `/v1/teams/${other}/pipelines`, {
      body: { name, spec: validSpec() },
      headers: { "idempotency-key": key },
    });
    expect(second.status).toBe(202);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it("is not used up by a request that failed", async () => {
    const key = randomUUID();
    const bad = validSpec((spec) => {
      spec.account = "nowhere";
    });
    expect((await post({ name, spec: bad }, key)).status).toBe(400);
    expect((await post({ name, spec: validSpec() }, key)).status).toBe(202);
  });

  it("repeats its answer even when the account is busy or the pipeline gone by then", async () => {
    const key = randomUUID();
    const own = await api.teamWithAccount();
    const request = { body: { name, spec: validSpec() }, headers: { "idempotency-key": key } };
    const first = await api.send("POST", `/v1/teams/${own}/pipelines`, request);
    const { body: destroy } = await api.send("DELETE", `/v1/teams/${own}/pipelines/${name}`);
    await destroyed(destroy.id);
    await sql(
      "update foundations set ready = false where (aws_account_id, region) in (select aws_account_id, region from accounts where team = $1)",
      [own],
    );
    try {
      const repeated = await api.send("POST", `/v1/teams/${own}/pipelines`, request);
      expect(repeated).toMatchObject({ status: 202, body: { id: first.body.id } });
    } finally {
      await sql("update foundations set ready = true");
    }
  });

  it("is the same request whichever way the body's fields are ordered", async () => {
    const key = randomUUID();
    const first = await post({ name, spec: validSpec() }, key);
    expect(await post({ spec: validSpec(), name }, key)).toMatchObject({
      status: 202,
      body: { id: first.body.id },
    });
  });
});

describe("a preview", () => {
  it("works with a pipeline that doesn't exist, and makes none", async () => {
    const { status, body } = await api.send("POST", `${url}/previews`, { body: validSpec() });
    expect(status).toBe(202);
    expect(body).toMatchObject({ kind: "preview", state: "queued", pipeline: name });
    expect(body).not.toHaveProperty("revision");
    expect((await api.send("GET", url)).status).toBe(404);
  });

  it("without a body is one of the desired revision, with one it makes no revision", async () => {
    await put();
    const { body: plain } = await api.send("POST", `${url}/previews`);
    expect(plain).toMatchObject({ kind: "preview", revision: 1 });
    const { body: other } = await api.send("POST", `${url}/previews`, { body: withBudget(50) });
    expect(other).not.toHaveProperty("revision");
    expect(await revisions()).toHaveLength(1);
    expect((await read()).lastChange.kind).toBe("update");
  });

  it("takes no place of an update that is queued, and goes on while one is", async () => {
    const { body: update } = await put();
    await api.send("POST", `${url}/previews`);
    expect((await operation(update.id)).state).toBe("queued");
  });
});

describe("checks and repairs", () => {
  const kinds = [
    ["drift-checks", "drift"],
    ["reconciliations", "reconcile"],
    ["refreshes", "refresh"],
  ] as const;

  it.each(kinds)("%s need something that was applied", async (path) => {
    const { body: update } = await put();
    expect(await api.send("POST", `${url}/${path}`)).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict", operation: update.id },
    });
  });

  it.each(kinds)(
    "%s work with the applied revision, not with a newer one that is only asked for",
    async (path, kind) => {
      const { body: update } = await put();
      await applied(update.id);
      await put(withBudget(50));
      expect(await api.send("POST", `${url}/${path}`)).toMatchObject({
        status: 202,
        body: { kind, state: "queued", revision: 1 },
      });
    },
  );
});

describe("deleting a pipeline", () => {
  it("destroys it: data stays unless told otherwise", async () => {
    for (const [query, data] of [
      ["", "retain"],
      ["?data=delete", "delete"],
    ]) {
      name = uniqueName("churn");
      url = `/v1/teams/${team}/pipelines/${name}`;
      await put();
      const { status, body } = await api.send("DELETE", `${url}${query}`);
      expect(status).toBe(202);
      expect(body).toMatchObject({ kind: "destroy", state: "queued" });
      expect((await sql("select options from operations where id = $1", [body.id])).rows[0].options).toEqual({
        data,
      });
      expect((await read()).state).toBe("destroying");
    }
  });

  it("lets no change follow, and names the destroy; checks still pass", async () => {
    const { body: update } = await put();
    await applied(update.id);
    const { body: destroy } = await api.send("DELETE", url);
    const refusals = [
      await put(withBudget(50)),
      await patch({ budget: { monthlyUsd: 50 } }),
      await api.send("DELETE", url),
      await api.send("POST", `${url}/reconciliations`),
      await api.send("POST", `${url}/refreshes`),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 409, body: { code: "stack_busy", operation: destroy.id } });
    }
    expect(await revisions()).toHaveLength(1);
    expect((await api.send("POST", `${url}/drift-checks`)).status).toBe(202);
  });

  it("can be called off while it is queued, and changes are possible again", async () => {
    const { body: update } = await put();
    await applied(update.id);
    const { body: destroy } = await api.send("DELETE", url);
    expect((await api.send("POST", `/v1/operations/${destroy.id}/cancel`)).body.state).toBe("cancelled");
    expect((await put(withBudget(50))).status).toBe(202);
  });

  it("that was called off before it began leaves the pipeline as it was", async () => {
    const { body: update } = await put();
    await applied(update.id);
    expect((await read()).state).toBe("ready");
    const { body: destroy } = await api.send("DELETE", url);
    await api.send("POST", `/v1/operations/${destroy.id}/cancel`);
    expect((await read()).state).toBe("ready");
  });

  it("frees its name; a new one begins at revision 1 and the old one's history can still be read", async () => {
    const { body: update } = await put();
    await applied(update.id);
    await put(withBudget(50));
    const old = await read();
    const { body: destroy } = await api.send("DELETE", url);
    await destroyed(destroy.id);
    expect((await api.send("GET", url)).body.code).toBe("pipeline_not_found");
    expect((await put()).status).toBe(202);
    expect(await read()).toMatchObject({ desiredRevision: 1, state: "provisioning" });
    expect((await read()).id).not.toBe(old.id);
    expect(await revisions()).toHaveLength(1);
    const { body: history } = await api.send("GET", `/v1/operations?team=${team}&pipeline=${name}`);
    const ids = history.items.map((item: { id: string }) => item.id);
    expect(ids).toEqual(expect.arrayContaining([update.id, destroy.id]));
    expect((await operation(destroy.id)).state).toBe("succeeded");
    expect((await sql("select count(*) from revisions where pipeline_id = $1", [old.id])).rows[0].count).toBe(
      2,
    );
  });

  it("lets its team go afterwards, whose history stays as well", async () => {
    const own = await api.teamWithAccount();
    url = `/v1/teams/${own}/pipelines/${name}`;
    const { body: update } = await put();
    const { body: destroy } = await api.send("DELETE", url);
    await destroyed(destroy.id);
    await sql("delete from accounts where team = $1", [own]);
    expect((await api.send("DELETE", `/v1/teams/${own}`)).status).toBe(204);
    expect((await operation(update.id)).team).toBe(own);
  });
});

describe("the list of pipelines", () => {
  it("pages by name, filters by account, and shows no specs", async () => {
    const own = await api.teamWithAccount();
    await api.send("PUT", `/v1/teams/${own}/accounts/other`, {
      body: { accountId: "321321321321", region: "eu-west-1" },
    });
    await api.provision(own, "other");
    for (const [pipeline, account] of [
      ["c", "main"],
      ["a", "main"],
      ["b", "other"],
      ["d", "main"],
    ]) {
      const body = validSpec((spec) => {
        spec.account = account;
      });
      expect((await api.send("PUT", `/v1/teams/${own}/pipelines/${pipeline}`, { body })).status).toBe(202);
    }
    const list = async (query: string) => (await api.send("GET", `/v1/teams/${own}/pipelines${query}`)).body;
    const names = (page: Document) => page.items.map((item: { name: string }) => item.name);
    const first = await list("?limit=3");
    expect(names(first)).toEqual(["a", "b", "c"]);
    expect(names(await list(`?limit=3&cursor=${first.nextCursor}`))).toEqual(["d"]);
    const filtered = await list("?account=main&limit=2");
    expect(names(filtered)).toEqual(["a", "c"]);
    expect(names(await list(`?account=main&limit=2&cursor=${filtered.nextCursor}`))).toEqual(["d"]);
    expect(first.items[0]).not.toHaveProperty("spec");
    expect(first.items[0]).toMatchObject({ state: "provisioning", desiredRevision: 1 });
  });
});

describe("the list of operations", () => {
  it("pages through everything once, the newest first, and filters", async () => {
    const own = await api.teamWithAccount();
    const target = `/v1/teams/${own}/pipelines/${name}`;
    await api.send("PUT", target, { body: validSpec() });
    for (let index = 0; index < 4; index++) await api.send("POST", `${target}/previews`);
    const seen: Document[] = [];
    let cursor = "";
    do {
      const { body } = await api.send("GET", `/v1/operations?team=${own}&limit=2${cursor}`);
      seen.push(...body.items);
      cursor = body.nextCursor === undefined ? "" : `&cursor=${body.nextCursor}`;
    } while (cursor !== "");
    expect(seen.map((item) => item.kind)).toEqual([
      "preview",
      "preview",
      "preview",
      "preview",
      "update",
      "update",
    ]);
    expect(new Set(seen.map((item) => item.id)).size).toBe(6);
    const { body } = await api.send(
      "GET",
      `/v1/operations?team=${own}&kind=update&state=queued&pipeline=${name}`,
    );
    expect(body.items).toHaveLength(1);
  });
});

describe("cancelling", () => {
  it("ends a queued operation at once and tells this node's worker", async () => {
    const { body } = await put();
    const cancelled = await api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 202,
      body: { state: "cancelled", finishedAt: expect.any(String), cancelRequestedAt: expect.any(String) },
    });
    expect(api.cancelled).toContain(body.id);
  });

  it("of a running operation is noted; it ends by itself", async () => {
    const { body } = await put();
    await sql("update operations set state = 'running' where id = $1", [body.id]);
    const cancelled = await api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 202,
      body: { state: "running", cancelRequestedAt: expect.any(String) },
    });
    expect(cancelled.body).not.toHaveProperty("finishedAt");
  });

  it("of an ended operation is a conflict that says how it ended", async () => {
    const { body } = await put();
    await applied(body.id);
    const refused = await api.send("POST", `/v1/operations/${body.id}/cancel`);
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("succeeded");
  });
});
