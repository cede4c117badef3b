import { readFile } from "node:fs/promises";
import {
  CreateModelPackageCommand,
  CreateProcessingJobCommand,
  SageMakerClient,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-sagemaker";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pipelineNames } from "../../programs/names.ts";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const spec = await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8");
const team = "/v1/teams/research";
const account = `${team}/accounts/${parse(spec).account}`;
const awsAccount = { accountId: "123456789012", region: "eu-central-1" };

let service: TestService;
const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);

beforeAll(async () => {
  service = await startTestService();
  await send("POST", "/v1/teams", { name: "research" });
  await ended(service, await send("PUT", account, awsAccount));
});
afterEach(async () => {
  await send("DELETE", "/sandbox/v1/faults");
});
afterAll(() => service?.remove());

/** What there is of a pipeline on AWS but for what only waits to be deleted. */
async function left(pipeline: string): Promise<readonly string[]> {
  const { body } = await send("GET", `/sandbox/v1/resources?limit=200&pipeline=${pipeline}`);
  return body.items
    .filter((item: TestResponse["body"]) => item.deletionDueAt === undefined)
    .map((item: TestResponse["body"]) => item.type);
}

async function fault(type: string, operation: "create" | "delete", remaining?: number): Promise<void> {
  const code = "InternalFailure";
  const body = {
    kind: "error",
    type,
    operation,
    code,
    message: "out of order",
    ...(remaining && { remaining }),
  };
  expect((await send("POST", "/sandbox/v1/faults", body)).status).toBe(201);
}

describe("a pipeline whose creation failed", { timeout: 300_000 }, () => {
  it.each([
    ["bucket", "aws:s3/bucket:Bucket"],
    ["function", "aws:lambda/function:Function"],
  ])("at a %s can be removed, and leaves nothing", async (name, type) => {
    const pipeline = `${team}/pipelines/partial-${name}`;
    await fault(type, "create");
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({ state: "failed" });
    await send("DELETE", "/sandbox/v1/faults");
    const path = `${pipeline}?data=delete&confirm=research/partial-${name}`;
    expect(await ended(service, await send("DELETE", path))).toMatchObject({ state: "succeeded" });
    expect(await left(`partial-${name}`)).toEqual([]);
    expect((await send("GET", pipeline)).status).toBe(404);
  });

  it("and whose removal failed too is removed by the next try", async () => {
    const pipeline = `${team}/pipelines/twice`;
    await fault("aws:sns/topicSubscription:TopicSubscription", "create");
    expect(await ended(service, await send("PUT", pipeline, spec))).toMatchObject({ state: "failed" });
    await fault("aws:sqs/queue:Queue", "delete");
    const path = `${pipeline}?data=delete&confirm=research/twice`;
    const failed = await ended(service, await send("DELETE", path));
    expect(failed).toMatchObject({ state: "failed", error: { resource: { type: "aws:sqs/queue:Queue" } } });
    await send("DELETE", "/sandbox/v1/faults");
    expect(await ended(service, await send("DELETE", path))).toMatchObject({ state: "succeeded" });
    expect(await left("twice")).toEqual([]);
  });
});

describe("a pipeline that lives", { timeout: 300_000 }, () => {
  const pipeline = `${team}/pipelines/penguins`;

  it("goes back to an earlier revision, and its history tells what was done on AWS", async () => {
    await ended(service, await send("PUT", pipeline, spec));
    const patch = { budget: { monthlyUsd: 77 } };
    const changed = await ended(service, await send("PATCH", `${pipeline}?reason=more`, patch));
    const body = { revision: 1, reason: "less" };
    const back = await ended(service, await send("POST", `${pipeline}/rollbacks`, body));
    expect([changed.state, back.state]).toEqual(["succeeded", "succeeded"]);
    expect((await send("GET", pipeline)).body).toMatchObject({ state: "ready", appliedRevision: 3 });
    const [rollback, update, creation] = (await send("GET", `${pipeline}/history`)).body.items;
    expect(rollback).toMatchObject({ kind: "rollback", restores: 1, reason: "less", from: 2, revision: 3 });
    expect(update).toMatchObject({
      reason: "more",
      specChanges: [{ path: "/budget/monthlyUsd", after: 77 }],
    });
    const budget = { type: "aws:budgets/budget:Budget", action: "update", result: "done" };
    expect(update.resources).toContainEqual(expect.objectContaining(budget));
    expect(rollback.resources).toEqual(
      update.resources.map(({ urn }: TestResponse["body"]) =>
        expect.objectContaining({ urn, result: "done" }),
      ),
    );
    expect(creation.resources.every(({ action }: TestResponse["body"]) => action === "create")).toBe(true);
    expect(creation.resources).toHaveLength(creation.changes.create);
  });

  it("is quiet before it is destroyed: no schedule, execution, job or endpoint outlives it", async () => {
    const { outputs } = (await send("GET", `${pipeline}/outputs`)).body;
    const client = new SageMakerClient({
      region: awsAccount.region,
      endpoint: `${service.url}/sandbox/aws/sagemaker`,
      credentials: { accessKeyId: awsAccount.accountId, secretAccessKey: "none" },
    });
    withToken(client, service.token);
    await client.send(new StartPipelineExecutionCommand({ PipelineName: outputs.training.pipelineName }));
    await client.send(
      new CreateModelPackageCommand({ ModelPackageGroupName: outputs.training.modelPackageGroupName }),
    );
    await client.send(await validationJob(outputs));
    await release(outputs);
    const destroyed = await ended(
      service,
      await send("DELETE", `${pipeline}?data=delete&confirm=research/penguins`),
    );
    expect(destroyed).toMatchObject({ state: "succeeded" });
    const { items } = (await send("GET", `/v1/operations/${destroyed.id}/events?limit=1000`)).body;
    const order = items
      .filter(({ body }: TestResponse["body"]) => body.status === "done")
      .map(({ type, body }: TestResponse["body"]) => (type === "quiesce" ? body.what : body.resourceType));
    const schedules = order.lastIndexOf("aws:scheduler/schedule:Schedule");
    expect(schedules).toBeGreaterThanOrEqual(0);
    expect(schedules).toBeLessThan(order.indexOf("execution"));
    const messages = order.lastIndexOf("aws:lambda/eventSourceMapping:EventSourceMapping");
    expect(messages).toBeGreaterThanOrEqual(0);
    expect(messages).toBeLessThan(order.indexOf("processing job"));
    expect(order.indexOf("processing job")).toBeLessThan(
      order.indexOf("aws:ec2/securityGroup:SecurityGroup"),
    );
    expect(order.indexOf("endpoint")).toBeLessThan(order.indexOf("aws:sagemaker/pipeline:Pipeline"));
    expect(order).toEqual(expect.arrayContaining(["endpoint configuration", "model", "model version"]));
    expect(await left("penguins")).toEqual([]);
    const { body } = await send(
      "GET",
      "/sandbox/v1/resources?limit=200&type=aws:sagemaker/endpoint:Endpoint",
    );
    expect(body.items).toEqual([]);
    client.destroy();
  });
});

/** What the function `validate` asks for where a file is large, in the group of the pipeline's jobs. */
async function validationJob(outputs: TestResponse["body"]): Promise<CreateProcessingJobCommand> {
  const { jobPrefix } = pipelineNames({ account: awsAccount, team: "research", pipeline: "penguins" });
  const groups = "/sandbox/v1/resources?limit=200&pipeline=penguins&type=aws:ec2/securityGroup:SecurityGroup";
  const { items } = (await send("GET", groups)).body;
  return new CreateProcessingJobCommand({
    ProcessingJobName: `${jobPrefix("validate")}-1`,
    RoleArn: outputs.roles.processing,
    AppSpecification: { ImageUri: `${awsAccount.accountId}.dkr.ecr.eu-central-1.amazonaws.com/job:1` },
    ProcessingResources: {
      ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.xlarge", VolumeSizeInGB: 20 },
    },
    NetworkConfig: {
      VpcConfig: {
        Subnets: ["subnet-1"],
        SecurityGroupIds: items.map(({ awsId }: TestResponse["body"]) => awsId),
      },
    },
  });
}

/** Plays the release path's part: makes the endpoint. */
async function release(outputs: TestResponse["body"]): Promise<void> {
  const [name] = outputs.serving.endpointNames;
  const variant = {
    modelName: name,
    variantName: outputs.serving.variantName,
    serverlessConfig: { maxConcurrency: 5, memorySizeInMb: 2048 },
  };
  const image = `${awsAccount.accountId}.dkr.ecr.${awsAccount.region}.amazonaws.com/model:1`;
  const parts = {
    "model:Model": { executionRoleArn: outputs.roles.inference, primaryContainer: { image } },
    "endpointConfiguration:EndpointConfiguration": { productionVariants: [variant] },
    "endpoint:Endpoint": { endpointConfigName: name },
  };
  for (const [kind, inputs] of Object.entries(parts)) {
    const { accountId, region } = awsAccount;
    const body = { type: `aws:sagemaker/${kind}`, account: accountId, region, inputs: { name, ...inputs } };
    const created = await send("POST", "/sandbox/v1/resources", body);
    expect([created.status, created.body.detail]).toEqual([201, undefined]);
  }
}

/** The sandbox asks for an administrator where AWS asks for a signature. */
function withToken(client: SageMakerClient, token: string): void {
  client.middlewareStack.add(
    (next) => (args: { readonly request?: unknown }) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      headers.authorization = `Bearer ${token}`;
      headers["x-aidlc-account"] = awsAccount.accountId;
      headers["x-aidlc-region"] = awsAccount.region;
      return next(args as never);
    },
    { step: "finalizeRequest", priority: "low", name: "sandboxToken" },
  );
}
