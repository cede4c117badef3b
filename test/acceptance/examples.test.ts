import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { exampleSpecs } from "../../scripts/programs/example-specs.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { unorderedReferences } from "../support/references.ts";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const accountIds: Readonly<Record<Profile, string>> = {
  learning: "111122223333",
  production: "444455556666",
};
/** What one of them has at least: what it promises can't be had with less. */
const leastResources: Readonly<Record<Profile, number>> = { learning: 120, production: 200 };

/** What a mode gets with its first release at least, and not before. */
const releasedTypes: Readonly<Record<PipelineSpec["serving"]["mode"], readonly string[]>> = {
  serverless: [],
  realtime: ["appautoscaling/policy:Policy", "appautoscaling/target:Target"],
  lambda: ["lambda/alias:Alias"],
  ecs: [
    "appautoscaling/policy:Policy",
    "appautoscaling/target:Target",
    "codedeploy/deploymentGroup:DeploymentGroup",
    "ecs/service:Service",
    "ecs/taskDefinition:TaskDefinition",
  ],
};
// Of AWS's own registry.
const modelImage = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:1.7-1";

let service: TestService;

const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
/** Runs an operation to its end, which must be success: what else it says is why not. */
async function run(method: string, path: string, body?: unknown): Promise<TestResponse["body"]> {
  const operation = await ended(service, await send(method, path, body));
  if (operation.state !== "succeeded") throw new Error(JSON.stringify(operation.error, null, 2));
  return operation;
}

/** Ids of everything that AWS doesn't just wait to delete. */
async function inventory(): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const { body } = await send(
      "GET",
      `/sandbox/v1/resources?limit=200${cursor === undefined ? "" : `&cursor=${cursor}`}`,
    );
    for (const item of body.items)
      if (item.deletionDueAt === undefined) ids.add(`${item.type} ${item.awsId}`);
    if (body.nextCursor === undefined) return ids;
    cursor = body.nextCursor;
  }
}

/** Types of a pipeline's AWS resources. */
async function typesOf(path: string): Promise<ReadonlySet<string>> {
  const types = new Set<string>();
  for (let cursor = ""; ; ) {
    const { body } = await send("GET", `${path}/resources?limit=200${cursor}`);
    for (const { type } of body.items) if (type.startsWith("aws:")) types.add(type);
    if (body.nextCursor === undefined) return types;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** Plays the release path's part: makes the endpoint, where one serves, and records the release. */
async function release(path: string, { serving, profile }: PipelineSpec): Promise<void> {
  const { outputs } = (await send("GET", `${path}/outputs`)).body;
  const [name] = outputs.serving.endpointNames ?? [];
  const { variantName } = outputs.serving;
  const instances = serving.mode === "realtime" && { initialInstanceCount: 2, instanceType: "ml.m5.large" };
  const serverless = { serverlessConfig: { maxConcurrency: 5, memorySizeInMb: 2048 } };
  const variant = { modelName: name, variantName, ...(instances || serverless) };
  const parts = [
    [
      "model:Model",
      { name, executionRoleArn: outputs.roles.inference, primaryContainer: { image: modelImage } },
    ],
    ["endpointConfiguration:EndpointConfiguration", { name, productionVariants: [variant] }],
    ["endpoint:Endpoint", { name, endpointConfigName: name }],
  ] as const;
  for (const [kind, inputs] of name === undefined ? [] : parts) {
    const body = {
      type: `aws:sagemaker/${kind}`,
      account: accountIds[profile],
      region: "eu-central-1",
      inputs,
    };
    const created = await send("POST", "/sandbox/v1/resources", body);
    expect([created.status, created.body.detail]).toEqual([201, undefined]);
  }
  await run("POST", `${path}/releases`, {
    modelPackageArn: `${outputs.training.modelPackageGroupArn.replace("-group", "")}/1`,
    imageDigest: `sha256:${"a".repeat(64)}`,
    ...(name && { endpoint: { name, variantName } }),
  });
}

/** References of any stack to something that it doesn't wait for. */
async function unorderedInAll(): Promise<readonly string[]> {
  const pool = openPool(service.databaseUrl, 1);
  const stacks = await pool.query<{ id: string }>("select id from stacks where initialized");
  const found = await Promise.all(
    stacks.rows.map(async ({ id }) => {
      const { rows } = await pool.query(
        "select urn, type, aws_id as id, dependencies, inputs, outputs from resources where stack_id = $1",
        [id],
      );
      return unorderedReferences(rows);
    }),
  );
  await pool.end();
  return found.flat();
}

beforeAll(async () => {
  service = await startTestService();
  for (const profile of PROFILES) {
    // Examples of both profiles call their account "main": each profile is a team with an account of its own.
    await send("POST", "/v1/teams", { name: profile });
    const account = { accountId: accountIds[profile], region: "eu-central-1", foundation: { profile } };
    await run("PUT", `/v1/teams/${profile}/accounts/main`, account);
  }
});
afterAll(() => service?.remove());

// A pipeline of production has more than 400 resources; on a busy machine its removal takes minutes.
const timeout = 600_000;

describe.each(exampleSpecs())("the $name example on the real engine", { timeout }, ({ name, text, spec }) => {
  const path = `/v1/teams/${spec.profile}/pipelines/${name}`;
  let before: ReadonlySet<string>;

  it("goes up, with as many resources as its profile promises, each after what it refers to", async () => {
    before = await inventory();
    const update = await run("PUT", path, text);
    expect(update.result.changes.create).toBeGreaterThanOrEqual(leastResources[spec.profile]);
    expect(await unorderedInAll()).toEqual([]);
  });

  it("gets what needs a model once one is released", async () => {
    const before = await typesOf(path);
    await release(path, spec);
    const after = await typesOf(path);
    const expected = releasedTypes[spec.serving.mode].map((type) => `aws:${type}`);
    expect(expected.filter((type) => before.has(type))).toEqual([]);
    expect([...after]).toEqual(expect.arrayContaining(expected));
  });

  it("has no difference to a second update and has not drifted", async () => {
    const update = await run("PUT", path, text);
    expect(Object.keys(update.result.changes)).toEqual(["same"]);
    const drift = await run("POST", `${path}/drift-checks`);
    expect(drift.result.steps).toEqual([]);
  });

  it("comes down and leaves nothing", async () => {
    await run("DELETE", `${path}?data=delete&confirm=${spec.profile}/${name}`);
    const left = await inventory();
    expect([...left].filter((id) => !before.has(id))).toEqual([]);
  });
});

describe("the examples' foundations", { timeout }, () => {
  it.each(PROFILES)("of %s come down and leave nothing", async (profile) => {
    await run("DELETE", `/v1/teams/${profile}/accounts/main?data=delete`);
    const { body } = await send("GET", `/sandbox/v1/resources?account=${accountIds[profile]}&limit=200`);
    const left = body.items.filter((item: TestResponse["body"]) => item.deletionDueAt === undefined);
    // AWS's own role for AWS Config, which all regions of an account share.
    expect(left.map(({ type }: TestResponse["body"]) => type)).toEqual([
      "aws:iam/serviceLinkedRole:ServiceLinkedRole",
    ]);
  });
});
