import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Document, validSpec } from "../../support/builders.ts";
import { withBudget } from "./pipeline-requests.ts";
import { pipelineScene } from "./pipeline-scene.ts";

const scene = pipelineScene();

const operation = async (id: string) => (await scene.api.send("GET", `/v1/operations/${id}`)).body;
const sql = (text: string, values: unknown[] = []) => scene.api.database.pool.query(text, values);

describe("creating a pipeline", () => {
  it("answers 202 with the operation that applies its first revision", async () => {
    const { status, headers, body } = await scene.churn.put();
    expect(status).toBe(202);
    expect(headers.location).toBe(`/v1/operations/${body.id}`);
    expect(body).toMatchObject({
      kind: "update",
      state: "queued",
      team: scene.team,
      pipeline: scene.churn.name,
      revision: 1,
    });
    expect(await operation(body.id)).toMatchObject(body);
  });

  it("shows the spec with its defaults, the revision as ETag, and that it is provisioning", async () => {
    const { body: update } = await scene.churn.put();
    const { headers, body } = await scene.api.send("GET", scene.churn.url);
    expect(headers.etag).toBe('"1"');
    expect(body).toMatchObject({
      team: scene.team,
      name: scene.churn.name,
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
    await scene.churn.put(spec);
    const sent = JSON.parse(JSON.stringify(spec));
    expect((await scene.churn.read()).spec).toMatchObject(sent);
    expect((await scene.churn.revisions())[0].spec).toMatchObject(sent);
  });

  it("by POST is the same, and a conflict when there is one of that name", async () => {
    const collection = `/v1/teams/${scene.team}/pipelines`;
    const created = await scene.api.send("POST", collection, {
      body: { name: scene.churn.name, spec: validSpec() },
    });
    expect(created).toMatchObject({
      status: 202,
      body: { kind: "update", pipeline: scene.churn.name, revision: 1 },
    });
    const again = await scene.api.send("POST", collection, {
      body: { name: scene.churn.name, spec: validSpec() },
    });
    expect(again).toMatchObject({ status: 409, body: { code: "pipeline_exists" } });
  });

  it("happens once when several PUT it at the same moment", async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => scene.churn.put()));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const found = await sql("select count(*) from pipelines where name = $1", [scene.churn.name]);
    expect(found.rows[0].count).toBe(1);
    expect(await scene.churn.revisions()).toHaveLength(1);
    const active = await sql("select count(*) from operations where pipeline = $1 and state = 'queued'", [
      scene.churn.name,
    ]);
    expect(active.rows[0].count).toBe(1);
  });

  it("waits for the foundation: it is refused while that isn't provisioned, and says when to try again", async () => {
    const second = `/v1/teams/${scene.team}/accounts/second`;
    const { body: provisioning } = await scene.api.send("PUT", second, {
      body: { accountId: "777788889999", region: "eu-west-1" },
    });
    const spec = validSpec((draft) => {
      draft.account = "second";
    });
    const early = await scene.churn.put(spec);
    expect(early).toMatchObject({
      status: 409,
      body: { code: "foundation_not_ready", operation: provisioning.id },
    });
    expect(Number(early.headers["retry-after"])).toBeGreaterThan(0);
    await sql("update operations set state = 'failed' where id = $1", [provisioning.id]);
    expect(await scene.churn.put(spec)).toMatchObject({
      status: 409,
      body: { code: "foundation_not_ready" },
    });
    await scene.api.provision(scene.team, "second");
    expect((await scene.churn.put(spec)).status).toBe(202);
  });

  it("is allowed while a provisioned foundation is only updated, and refused while it is destroyed", async () => {
    const own = await scene.api.teamWithAccount();
    const target = `/v1/teams/${own}/pipelines/${scene.churn.name}`;
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
    expect((await scene.api.send("PUT", target, { body: validSpec() })).status).toBe(202);
    await sql("delete from operations where request_id = 'r'");
    await working("destroy");
    expect(await scene.api.send("PUT", target, { body: validSpec() })).toMatchObject({
      status: 409,
      body: { code: "foundation_not_ready" },
    });
    await sql("delete from operations where request_id = 'r'");
  });
});

describe("a preview", () => {
  it("works with a pipeline that doesn't exist, and makes none", async () => {
    const { status, body } = await scene.api.send("POST", `${scene.churn.url}/previews`, {
      body: validSpec(),
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ kind: "preview", state: "queued", pipeline: scene.churn.name });
    expect(body).not.toHaveProperty("revision");
    expect((await scene.api.send("GET", scene.churn.url)).status).toBe(404);
  });

  it("takes null for a bad spec, not for the lack of one, when it previews", async () => {
    await scene.churn.put();
    const headers = { "content-type": "application/yaml" };
    const { status, body } = await scene.api.send("POST", `${scene.churn.url}/previews`, {
      body: "null",
      headers,
    });
    expect([status, body.code]).toEqual([400, "invalid_spec"]);
  });

  it("without a body is one of the desired revision, with one it makes no revision", async () => {
    await scene.churn.put();
    const { body: plain } = await scene.api.send("POST", `${scene.churn.url}/previews`);
    expect(plain).toMatchObject({ kind: "preview", revision: 1 });
    const { body: other } = await scene.api.send("POST", `${scene.churn.url}/previews`, {
      body: withBudget(50),
    });
    expect(other).not.toHaveProperty("revision");
    expect(await scene.churn.revisions()).toHaveLength(1);
    expect((await scene.churn.read()).lastChange.kind).toBe("update");
  });

  it("takes no place of an update that is queued, and goes on while one is", async () => {
    const { body: update } = await scene.churn.put();
    await scene.api.send("POST", `${scene.churn.url}/previews`);
    expect((await operation(update.id)).state).toBe("queued");
  });
});

describe("checks and repairs", () => {
  const kinds = [
    ["drift-checks", "drift"],
    ["reconciliations", "reconcile"],
    ["refreshes", "refresh"],
  ] as const;

  it.each(kinds.slice(0, 2))("%s need something that was applied", async (path) => {
    const { body: update } = await scene.churn.put();
    expect(await scene.api.send("POST", `${scene.churn.url}/${path}`)).toMatchObject({
      status: 409,
      body: { code: "pipeline_conflict", operation: update.id },
    });
  });

  it("refreshes help out a pipeline that was never applied completely", async () => {
    await scene.churn.put();
    expect(await scene.api.send("POST", `${scene.churn.url}/refreshes`)).toMatchObject({
      status: 202,
      body: { revision: 1 },
    });
  });

  it.each(kinds)(
    "%s work with the applied revision, not with a newer one that is only asked for",
    async (path, kind) => {
      const { body: update } = await scene.churn.put();
      await scene.churn.applied(update.id);
      await scene.churn.put(withBudget(50));
      expect(await scene.api.send("POST", `${scene.churn.url}/${path}`)).toMatchObject({
        status: 202,
        body: { kind, state: "queued", revision: 1 },
      });
    },
  );
});

describe("the list of pipelines", () => {
  it("pages by name, filters by account, and shows no specs", async () => {
    const own = await scene.api.teamWithAccount();
    await scene.api.send("PUT", `/v1/teams/${own}/accounts/other`, {
      body: { accountId: "321321321321", region: "eu-west-1" },
    });
    await scene.api.provision(own, "other");
    for (const [pipeline, account] of [
      ["c", "main"],
      ["a", "main"],
      ["b", "other"],
      ["d", "main"],
    ]) {
      const body = validSpec((spec) => {
        spec.account = account;
      });
      expect((await scene.api.send("PUT", `/v1/teams/${own}/pipelines/${pipeline}`, { body })).status).toBe(
        202,
      );
    }
    const list = async (query: string) =>
      (await scene.api.send("GET", `/v1/teams/${own}/pipelines${query}`)).body;
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
