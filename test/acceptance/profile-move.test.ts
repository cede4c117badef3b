import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

// Each step is two or three updates of four hundred resources.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

const learning = parse(await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8"));
const production = {
  ...learning,
  profile: "production",
  dataset: { ...learning.dataset, replicaRegion: "eu-west-1" },
  network: { dedicated: false },
};
const backInLearning = { ...production, profile: "learning" };

const team = "/v1/teams/research";
const account = `${team}/accounts/${learning.account}`;
const pipeline = `${team}/pipelines/penguins`;

/** What holds data, or can't be had again as it was. */
const HOLDS_DATA =
  /^aws:(s3\/|kms\/|ecr\/|backup\/vault|sagemaker\/(modelPackageGroup|featureGroup)|secretsmanager\/secret:|glue\/catalog)/;

/** Opens the firewall's log at the edge and nothing else; both are production's only, and go together. */
const isData = ({ type, name }: { readonly type: string; readonly name: string }) =>
  HOLDS_DATA.test(type) && !name.startsWith("edge-logs-key");

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service?.remove());

const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);

async function succeeded(accepted: TestResponse): Promise<TestResponse["body"]> {
  const operation = await ended(service, accepted);
  expect(operation.error).toBeUndefined();
  expect(operation.state).toBe("succeeded");
  return operation;
}

const preview = async (spec: unknown) => succeeded(await send("POST", `${pipeline}/previews`, spec));
const apply = async (spec: unknown) => succeeded(await send("PUT", pipeline, spec));

const stepsOf = (operation: TestResponse["body"], action: RegExp): TestResponse["body"][] =>
  operation.result.steps.filter((step: TestResponse["body"]) => action.test(step.action));

async function allOf(path: string): Promise<TestResponse["body"][]> {
  const items: TestResponse["body"][] = [];
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await send("GET", `${path}limit=200${from}`);
    items.push(...body.items);
    cursor = body.nextCursor;
  } while (cursor !== undefined);
  return items;
}

const dataOf = async () => {
  const ids = (await allOf(`${pipeline}/resources?`))
    .filter(isData)
    .map(({ urn, awsId }: TestResponse["body"]) => [urn, awsId]);
  return new Map(ids as [string, string][]);
};

describe("a pipeline that moves between the profiles", () => {
  it("begins in learning, on an account whose foundation is ready for production", async () => {
    await send("POST", "/v1/teams", { name: "research" });
    const registered = await send("PUT", account, {
      accountId: "123456789012",
      region: "eu-central-1",
      foundation: { profile: "production" },
    });
    await succeeded(registered);
    await apply(learning);
  });

  it("moves to production without replacing or deleting anything", async () => {
    const before = await dataOf();
    expect(before.size).toBeGreaterThan(60);
    const plan = await preview(production);
    expect(stepsOf(plan, /replace|delete/)).toEqual([]);

    await apply(production);
    const after = await dataOf();
    for (const [urn, id] of before) expect(after.get(urn), urn).toBe(id);
    expect(Object.keys((await apply(production)).result.changes)).toEqual(["same"]);
  });

  it("has at least two hundred resources there, replicas in their own region among them", async () => {
    const all = await allOf(`${pipeline}/resources?`);
    const own = all.filter(({ type }) => type.startsWith("aws:"));
    expect(own.length).toBeGreaterThanOrEqual(200);
    const { outputs } = (await send("GET", `${pipeline}/outputs`)).body;
    expect(outputs.recovery).toMatchObject({ region: "eu-west-1" });
    expect(outputs.recovery.replicaKeyArn).toContain(":eu-west-1:");
  });

  it("moves back without touching what holds data: replicas and backups stay", async () => {
    const before = await dataOf();
    const plan = await preview(backInLearning);
    expect(stepsOf(plan, /replace/)).toEqual([]);
    expect(stepsOf(plan, /delete/).filter(isData)).toEqual([]);

    await apply(backInLearning);
    expect(await dataOf()).toEqual(before);
    expect(Object.keys((await apply(backInLearning)).result.changes)).toEqual(["same"]);
  });

  it("can't be told to forget its replicas", async () => {
    const refused = await send("PUT", pipeline, learning);
    expect(refused.status).toBe(409);
    expect(refused.body.errors).toEqual([expect.objectContaining({ path: "/dataset/replicaRegion" })]);
  });

  it("moves to production a second time, and goes with all of its data", async () => {
    await apply(production);
    await succeeded(await send("DELETE", `${pipeline}?data=delete&confirm=research/penguins`));
    const left = (await allOf("/sandbox/v1/resources?pipeline=penguins&")).filter(
      (item) => item.deletionDueAt === undefined,
    );
    expect(left).toEqual([]);
  });
});
