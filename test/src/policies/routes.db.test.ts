import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { policies } from "../../../programs/policies/index.ts";
import { pipelineOwner } from "../../../src/pipelines/owner.ts";
import { uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let pipeline: string;
const id = "s3-versioning-enabled";
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const exception = (change: object = {}) => ({
  reason: "The bucket is emptied every night",
  expiresAt: inDays(30),
  ...change,
});

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  pipeline = `/v1/teams/${await api.teamWithAccount()}/pipelines/${uniqueName("churn")}`;
  expect((await api.send("PUT", pipeline, { body: validSpec() })).status).toBe(202);
});

const send = (method: string, path: string, body?: unknown) =>
  api.send(method, `${pipeline}/policy-exceptions${path}`, body === undefined ? {} : { body });

describe("the list of policies", () => {
  it("has every policy with its level per profile, its controls and its remedy", async () => {
    const { status, body } = await api.send("GET", "/v1/policies");
    expect(status).toBe(200);
    expect(body.items).toHaveLength(policies.length);
    const policy = body.items.find((one: { id: string }) => one.id === "s3-deny-insecure-transport");
    expect(policy).toMatchObject({
      phase: "infrastructure",
      levels: { learning: "mandatory", production: "mandatory" },
      remedy: expect.stringContaining("aws:SecureTransport"),
    });
    expect(policy.controls).toContainEqual({
      framework: "AWS Config",
      ids: ["s3-bucket-ssl-requests-only"],
    });
  });

  it("can be narrowed to a phase", async () => {
    const { body } = await api.send("GET", "/v1/policies?phase=learning");
    expect(new Set(body.items.map(({ phase }: { phase: string }) => phase))).toEqual(new Set(["learning"]));
    expect((await api.send("GET", "/v1/policies?phase=other")).status).toBe(400);
  });
});

describe("a pipeline's exceptions from policies", () => {
  it("are granted, read, listed and taken back", async () => {
    const granted = await send("PUT", `/${id}`, exception({ resource: "raw" }));
    expect(granted.status).toBe(201);
    expect(granted.body).toMatchObject({
      policy: id,
      resource: "raw",
      approvedBy: "a test",
      active: true,
    });
    expect((await send("GET", `/${id}`)).body).toEqual(granted.body);
    expect((await send("GET", "")).body.items).toEqual([granted.body]);

    expect((await send("DELETE", `/${id}`)).status).toBe(204);
    expect((await send("DELETE", `/${id}`)).status).toBe(204);
    const gone = await send("GET", `/${id}`);
    expect([gone.status, gone.body.code]).toEqual([404, "policy_exception_not_found"]);
  });

  it("are the same when granted again, and change with what is asked for", async () => {
    const body = exception();
    const first = await send("PUT", `/${id}`, body);
    const again = await send("PUT", `/${id}`, body);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    const longer = await send("PUT", `/${id}`, { ...body, reason: "It is emptied every hour" });
    expect(longer.body).toMatchObject({
      reason: "It is emptied every hour",
      createdAt: first.body.createdAt,
    });
    expect(longer.body.updatedAt > first.body.updatedAt).toBe(true);
  });

  it.each([
    ["an approver of the caller's choice", { approvedBy: "security@example.com" }, "/approvedBy"],
    ["a date in the past", { expiresAt: inDays(-1) }, "/expiresAt"],
    ["a date more than a year ahead", { expiresAt: inDays(367) }, "/expiresAt"],
    ["no reason worth the name", { reason: "because" }, "/reason"],
    ["a field that there isn't", { forever: true }, "/forever"],
  ])("are refused with %s", async (_what, change, path) => {
    const answer = await send("PUT", `/${id}`, exception(change));
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([expect.objectContaining({ path })]);
    expect((await send("GET", "")).body.items).toEqual([]);
  });

  it("are granted by nobody who asked for the pipeline's spec as it is, unless that is an admin", async () => {
    const team = pipeline.split("/")[3] as string;
    const both = await api.as({ teams: { [team]: ["developer", "approver"] } });
    const other = await api.as({ teams: { [team]: ["approver"] } });
    const spec = validSpec((one) => {
      one.budget = { monthlyUsd: 7 };
    });
    expect((await both.send("PUT", pipeline, { body: spec })).status).toBe(202);
    const url = `${pipeline}/policy-exceptions/${id}`;
    const refused = await both.send("PUT", url, { body: exception() });
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    expect((await other.send("PUT", url, { body: exception() })).status).toBe(201);

    // Somebody else asks for another spec: of that one, they have asked for nothing.
    expect((await api.send("PUT", pipeline, { body: validSpec() })).status).toBe(202);
    expect((await both.send("PUT", url, { body: exception() })).status).toBe(200);
  });

  it("are refused without a date", async () => {
    const { expiresAt: _, ...undated } = exception();
    expect((await send("PUT", `/${id}`, undated)).status).toBe(400);
  });

  it("are only for policies and pipelines that there are", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await send(method, "/no-such-policy", method === "PUT" ? exception() : undefined);
      expect([answer.status, answer.body.code]).toEqual([404, "policy_not_found"]);
    }
    const elsewhere = await api.send("GET", `${pipeline}-not/policy-exceptions`);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([404, "pipeline_not_found"]);
  });

  it("reach the operations of their pipeline, expired ones too: the policies judge by the hour", async () => {
    await send("PUT", `/${id}`, exception({ resource: "raw" }));
    const found = await api.database.pool.query<{ id: string }>("select id from pipelines where name = $1", [
      pipeline.split("/").at(-1),
    ]);
    const owner = pipelineOwner({ pool: api.database.pool, audit: api.audit });
    const operation = (pipelineId: string | null) =>
      ({ subject: { type: "pipeline", pipeline: "churn", pipelineId } }) as Parameters<
        NonNullable<typeof owner.exceptionsFor>
      >[0];
    expect(await owner.exceptionsFor?.(operation(found.rows[0]!.id))).toEqual([
      expect.objectContaining({ policy: id, resource: "raw", approvedBy: "a test" }),
    ]);
    // A preview of a pipeline to come has none.
    expect(await owner.exceptionsFor?.(operation(null))).toEqual([]);
  });
});
