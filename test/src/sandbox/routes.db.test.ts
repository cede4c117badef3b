import {
  CreateModelPackageCommand,
  DeleteModelPackageCommand,
  DescribeModelPackageCommand,
  DescribePipelineCommand,
  DescribePipelineExecutionCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
  ListPipelineExecutionsCommand,
  SageMakerClient,
  StartPipelineExecutionCommand,
  UpdateModelPackageCommand,
} from "@aws-sdk/client-sagemaker";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AuditTrail } from "../../../src/audit/trail.ts";
import { Problem, sendProblem } from "../../../src/http/problem.ts";
import { validatorCompiler } from "../../../src/http/validation.ts";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { FaultInjector } from "../../../src/sandbox/faults.ts";
import { Lifecycle } from "../../../src/sandbox/lifecycle.ts";
import { sandboxRoutes } from "../../../src/sandbox/routes.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const schema = new Schema();
const configuration = parseConfiguration({
  region: "eu-central-1",
  allowedAccountIds: ["111122223333"],
  defaultTags: { tags: { "aidlc:team": "fraud" } },
});

let database: TestDatabase;
let app: FastifyInstance;
let lifecycle: Lifecycle;

beforeAll(async () => {
  database = await createTestDatabase();
  lifecycle = new Lifecycle(database.pool, schema, new FaultInjector(database.pool));
  app = fastify();
  app.setValidatorCompiler(validatorCompiler as Parameters<FastifyInstance["setValidatorCompiler"]>[0]);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.addSchema(Problem);
  await app.register(sandboxRoutes, {
    prefix: "/sandbox",
    pool: database.pool,
    audit: new AuditTrail("a passphrase of the tests"),
    onlyAws: false,
  });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query(
    "truncate sandbox.resources, sandbox.faults, sandbox.model_packages, sandbox.pipeline_executions, sandbox.revisions",
  );
});

async function create(token: string, values: PropertyMap): Promise<string> {
  const { id } = await lifecycle.create(schema.resource(token)!, { values, secrets: [] }, configuration);
  const { rows } = await database.pool.query(
    "select id from sandbox.resources where type = $1 and aws_id = $2",
    [token, id],
  );
  return rows[0].id;
}

async function call(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, payload?: object) {
  const response = await app.inject({ method, url: `/sandbox${path}`, ...(payload && { payload }) });
  return { status: response.statusCode, body: response.body === "" ? undefined : response.json() };
}

const bucket = "aws:s3/bucket:Bucket";
const versioning = "aws:s3/bucketVersioning:BucketVersioning";

describe("the inventory", () => {
  test("pages through everything in the order of creation", async () => {
    for (const name of ["one", "two", "three"]) await create(bucket, { bucket: name });
    const first = await call("GET", "/v1/resources?limit=2");
    expect(first.body.items.map((item: { awsId: string }) => item.awsId)).toEqual(["one", "two"]);
    const second = await call("GET", `/v1/resources?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ awsId: "three" }] });
    expect(second.body.nextCursor).toBeUndefined();
  });

  test("filters by type, account and team; parts of a resource come with the whole", async () => {
    await create(bucket, { bucket: "one" });
    await create(versioning, { bucket: "one", versioningConfiguration: { status: "Enabled" } });
    await create("aws:kms/key:Key", { tags: { "aidlc:team": "ads" } });
    const count = async (query: string) => (await call("GET", `/v1/resources?${query}`)).body.items.length;
    expect(await count(`type=${bucket}`)).toBe(1);
    expect(await count("account=111122223333")).toBe(3);
    expect(await count("account=444455556666")).toBe(0);
    expect(await count("team=fraud")).toBe(2);
    expect(await count("tag=aidlc:team%3Dads")).toBe(1);
  });

  test("masks secrets", async () => {
    const id = await create("aws:ssm/parameter:Parameter", {
      name: "p",
      type: "SecureString",
      value: "hunter2",
    });
    const { body } = await call("GET", `/v1/resources/${id}`);
    expect(body).toMatchObject({ inputs: { value: "[secret]" }, outputs: { value: "[secret]" } });
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  test("answers 404 for what it doesn't hold", async () => {
    const missing = await call("GET", "/v1/resources/00000000-0000-4000-8000-000000000000");
    expect(missing).toMatchObject({ status: 404, body: { code: "sandbox_resource_not_found" } });
  });
});

describe("changing by hand", () => {
  test("a merge patch changes inputs and outputs", async () => {
    await create(bucket, { bucket: "hand" });
    const id = await create(versioning, { bucket: "hand", versioningConfiguration: { status: "Enabled" } });
    const { status, body } = await call("PATCH", `/v1/resources/${id}`, {
      versioningConfiguration: { status: "Suspended" },
    });
    expect(status).toBe(200);
    expect(body.inputs.versioningConfiguration).toEqual({ status: "Suspended" });
    expect(body.outputs.versioningConfiguration).toEqual({ status: "Suspended" });
  });

  test("a tag can be added, changed and removed, the provider's default tags too", async () => {
    const id = await create(bucket, { bucket: "hand", tags: { phase: "x" } });
    const { body } = await call("PATCH", `/v1/resources/${id}`, {
      tags: { phase: "y", rogue: "1", "aidlc:team": null },
    });
    expect(body.outputs.tagsAll).toEqual({ phase: "y", rogue: "1" });
  });

  test("an unknown property is refused by name", async () => {
    const id = await create(bucket, { bucket: "hand" });
    const { status, body } = await call("PATCH", `/v1/resources/${id}`, { forceDestory: true });
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      {
        path: "/forceDestory",
        message: 'is not a property of aws:s3/bucket:Bucket: did you mean "forceDestroy"?',
      },
    ]);
  });

  test("what AWS can't change is refused", async () => {
    const id = await create(bucket, { bucket: "hand" });
    expect(await call("PATCH", `/v1/resources/${id}`, { bucket: "c" })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "/bucket" }] },
    });
  });

  test("a deleted resource takes its parts with it", async () => {
    const id = await create(bucket, { bucket: "hand" });
    await create(versioning, { bucket: "hand", versioningConfiguration: { status: "Enabled" } });
    expect((await call("DELETE", `/v1/resources/${id}`)).status).toBe(204);
    expect((await call("GET", "/v1/resources")).body.items).toEqual([]);
    expect((await call("DELETE", `/v1/resources/${id}`)).status).toBe(404);
  });

  test("a bucket can be told what it holds", async () => {
    const id = await create(bucket, { bucket: "hand" });
    expect((await call("PUT", `/v1/resources/${id}/contents`, { items: 3 })).body.contents).toBe(3);
  });
});

describe("faults", () => {
  test("are ordered, listed and deleted", async () => {
    const fault = {
      kind: "error",
      type: bucket,
      operation: "create",
      code: "AccessDenied",
      message: "no",
      count: 2,
    };
    const ordered = await call("POST", "/v1/faults", fault);
    expect(ordered).toMatchObject({
      status: 201,
      body: { code: "AccessDenied", remaining: 2, probability: 1 },
    });
    expect((await call("GET", "/v1/faults")).body.items).toEqual([ordered.body]);
    expect((await call("DELETE", `/v1/faults/${ordered.body.id}`)).status).toBe(204);
    expect(await call("DELETE", `/v1/faults/${ordered.body.id}`)).toMatchObject({
      status: 404,
      body: { code: "sandbox_fault_not_found" },
    });
    await call("POST", "/v1/faults", { kind: "throttle" });
    expect((await call("DELETE", "/v1/faults")).status).toBe(204);
    expect((await call("GET", "/v1/faults")).body.items).toEqual([]);
  });

  test("a fault that could never strike is refused", async () => {
    const unknown = await call("POST", "/v1/faults", { kind: "throttle", type: "aws:s3/bucket:Buckett" });
    expect(unknown.body.errors).toEqual([
      {
        path: "/type",
        message: '"aws:s3/bucket:Buckett" is no type of the sandbox: did you mean "aws:s3/bucket:Bucket"?',
      },
    ]);
    expect((await call("POST", "/v1/faults", { kind: "latency" })).status).toBe(400);
    const late = await call("POST", "/v1/faults", { kind: "throttle", moment: "after" });
    expect(late).toMatchObject({ status: 400, body: { errors: [{ path: "/moment" }] } });
  });
});

describe("SageMaker's own API", () => {
  let client: SageMakerClient;

  beforeAll(async () => {
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    client = new SageMakerClient({
      region: "eu-central-1",
      endpoint: `${address}/sandbox/aws/sagemaker`,
      credentials: { accessKeyId: "111122223333", secretAccessKey: "none" },
      maxAttempts: 1,
    });
  });
  beforeEach(async () => {
    await create("aws:iam/role:Role", {
      name: "r",
      assumeRolePolicy: '{"Service":"sagemaker.amazonaws.com"}',
    });
    await create("aws:sagemaker/pipeline:Pipeline", {
      pipelineName: "p",
      pipelineDisplayName: "P",
      pipelineDefinition: "{}",
      roleArn: "arn:aws:iam::111122223333:role/r",
    });
    await create("aws:sagemaker/modelPackageGroup:ModelPackageGroup", { modelPackageGroupName: "g" });
  });
  afterAll(() => client.destroy());

  test("a pipeline is described and run", async () => {
    const pipeline = await client.send(new DescribePipelineCommand({ PipelineName: "p" }));
    expect(pipeline).toMatchObject({ PipelineStatus: "Active", PipelineDisplayName: "P" });
    expect(pipeline.CreationTime).toBeInstanceOf(Date);
    const start = new StartPipelineExecutionCommand({
      PipelineName: "p",
      ClientRequestToken: "t".repeat(32),
    });
    const first = await client.send(start);
    const repeated = await client.send(start);
    expect(repeated.PipelineExecutionArn).toBe(first.PipelineExecutionArn);
    const { PipelineExecutionSummaries } = await client.send(
      new ListPipelineExecutionsCommand({ PipelineName: "p" }),
    );
    expect(PipelineExecutionSummaries).toMatchObject([{ PipelineExecutionStatus: "Executing" }]);
    const described = await client.send(
      new DescribePipelineExecutionCommand({ PipelineExecutionArn: first.PipelineExecutionArn! }),
    );
    expect(described.PipelineArn).toBe(pipeline.PipelineArn);
  });

  test("model packages are numbered, approved and deleted", async () => {
    const register = () =>
      client.send(
        new CreateModelPackageCommand({ ModelPackageGroupName: "g", ModelPackageDescription: "d" }),
      );
    const first = await register();
    const second = await register();
    expect(second.ModelPackageArn).toMatch(/:model-package\/g\/2$/);
    await client.send(
      new UpdateModelPackageCommand({
        ModelPackageArn: second.ModelPackageArn!,
        ModelApprovalStatus: "Approved",
      }),
    );
    const described = await client.send(
      new DescribeModelPackageCommand({ ModelPackageName: second.ModelPackageArn! }),
    );
    expect(described).toMatchObject({
      ModelApprovalStatus: "Approved",
      ModelPackageDescription: "d",
      ModelPackageVersion: 2,
    });
    const approved = await client.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: "g", ModelApprovalStatus: "Approved" }),
    );
    expect(approved.ModelPackageSummaryList).toHaveLength(1);
    await client.send(new DeleteModelPackageCommand({ ModelPackageName: first.ModelPackageArn! }));
    await client.send(new DeleteModelPackageCommand({ ModelPackageName: second.ModelPackageArn! }));
    expect((await register()).ModelPackageArn).toMatch(/\/3$/);
  });

  test("lists have pages", async () => {
    for (let index = 0; index < 3; index++) {
      await client.send(new CreateModelPackageCommand({ ModelPackageGroupName: "g" }));
    }
    const list = (token?: string) =>
      client.send(
        new ListModelPackagesCommand({
          ModelPackageGroupName: "g",
          MaxResults: 2,
          ...(token && { NextToken: token }),
        }),
      );
    const first = await list();
    expect(first.ModelPackageSummaryList?.map((item) => item.ModelPackageVersion)).toEqual([3, 2]);
    const second = await list(first.NextToken);
    expect(second.ModelPackageSummaryList?.map((item) => item.ModelPackageVersion)).toEqual([1]);
    expect(second.NextToken).toBeUndefined();
    const groups = await client.send(new ListModelPackageGroupsCommand({}));
    expect(groups.ModelPackageGroupSummaryList).toMatchObject([{ ModelPackageGroupName: "g" }]);
  });

  test("errors are the SDK's own classes", async () => {
    await expect(client.send(new DescribePipelineCommand({ PipelineName: "absent" }))).rejects.toMatchObject({
      name: "ResourceNotFound",
      message: "Pipeline 'absent' does not exist.",
    });
    await expect(
      client.send(new ListModelPackagesCommand({ ModelPackageGroupName: "absent" })),
    ).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("another account's resources are not there", async () => {
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "SageMaker.DescribePipeline",
    };
    const ask = async (extra: Record<string, string>) =>
      (
        await app.inject({
          method: "POST",
          url: "/sandbox/aws/sagemaker",
          headers: { ...headers, ...extra },
          payload: '{"PipelineName":"p"}',
        })
      ).statusCode;
    expect(await ask({})).toBe(200);
    expect(await ask({ "x-aidlc-account": "111122223333" })).toBe(200);
    expect(await ask({ "x-aidlc-account": "444455556666" })).toBe(400);
  });

  test.each(["SageMaker.CreateApp", "SageMaker.__proto__", "constructor", ""])(
    "an operation that it doesn't know is named: %j",
    async (target) => {
      const response = await app.inject({
        method: "POST",
        url: "/sandbox/aws/sagemaker",
        headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
        payload: "{}",
      });
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({
        __type: "UnknownOperationException",
        message: expect.stringContaining(`"${target}"`),
      });
    },
  );
});
