import {
  CreateModelPackageCommand,
  CreateProcessingJobCommand,
  DeleteEndpointCommand,
  DescribePipelineExecutionCommand,
  DescribeProcessingJobCommand,
  ListModelPackagesCommand,
  ListProcessingJobsCommand,
  type ListProcessingJobsCommandInput,
  SageMakerClient,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
  StopProcessingJobCommand,
} from "@aws-sdk/client-sagemaker";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { AuditTrail } from "../../../src/audit/trail.ts";
import { Problem, sendProblem } from "../../../src/http/problem.ts";
import { validatorCompiler } from "../../../src/http/validation.ts";
import { assertDeletable } from "../../../src/sandbox/deletions.ts";
import { sandboxRoutes } from "../../../src/sandbox/routes.ts";
import { type QuiesceEvent, quiesce } from "../../../src/teardown/quiesce.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const accountId = "111122223333";
const region = "eu-central-1";
const namesOf = (pipeline: string) => pipelineNames({ account: { accountId, region }, team: "ml", pipeline });

let database: TestDatabase;
let app: FastifyInstance;
let client: SageMakerClient;

beforeAll(async () => {
  database = await createTestDatabase();
  app = fastify();
  app.setValidatorCompiler(validatorCompiler as Parameters<FastifyInstance["setValidatorCompiler"]>[0]);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.addSchema(Problem);
  const audit = new AuditTrail("a passphrase of the tests");
  await app.register(sandboxRoutes, { prefix: "/sandbox", pool: database.pool, audit, onlyAws: false });
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  client = new SageMakerClient({
    region,
    endpoint: `${endpoint}/sandbox/aws/sagemaker`,
    credentials: { accessKeyId: accountId, secretAccessKey: "none" },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await app.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query(
    "truncate sandbox.resources, sandbox.pipeline_executions, sandbox.model_packages, sandbox.processing_jobs",
  );
});

const types = {
  pipeline: "aws:sagemaker/pipeline:Pipeline",
  "model-package-group": "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  endpoint: "aws:sagemaker/endpoint:Endpoint",
  "endpoint-config": "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
  model: "aws:sagemaker/model:Model",
  "monitoring-schedule": "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
  "data-quality": "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
  "security-group": "aws:ec2/securityGroup:SecurityGroup",
  subnet: "aws:ec2/subnet:Subnet",
} as const;

async function exists(kind: keyof typeof types, name: string, outputs: object = {}): Promise<void> {
  await database.pool.query(
    `insert into sandbox.resources (type, account, region, identity, aws_id, arn, name, inputs, outputs)
     values ($1, $2, $3, $4, $5, $6, $5, '{}', $7)`,
    [
      types[kind],
      accountId,
      region,
      `${kind}|${name}`,
      name,
      `arn:aws:sagemaker:${region}:${accountId}:${kind}/${name}`,
      JSON.stringify(outputs),
    ],
  );
}

/** A pipeline that trains, serves and has two versions of a model. */
async function livingPipeline(pipeline: string) {
  const { named } = namesOf(pipeline);
  await exists("pipeline", named("training"));
  await exists("model-package-group", named("models"));
  for (const stage of ["blue", "green"]) await exists("endpoint", named(stage));
  await exists("endpoint-config", named("blue-1"));
  await exists("model", named("blue-1"));
  const { PipelineExecutionArn: execution } = await client.send(
    new StartPipelineExecutionCommand({
      PipelineName: named("training"),
      ClientRequestToken: "a".repeat(32),
    }),
  );
  for (let version = 1; version <= 2; version += 1)
    await client.send(new CreateModelPackageCommand({ ModelPackageGroupName: named("models") }));
  return { named, execution: execution as string };
}

/** As the function `validate` begins one for a large file. */
async function livingJob(ProcessingJobName: string): Promise<string> {
  await client.send(
    new CreateProcessingJobCommand({
      ProcessingJobName,
      RoleArn: `arn:aws:iam::${accountId}:role/aidlc/validation-job`,
      AppSpecification: { ImageUri: "image" },
      ProcessingResources: {
        ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.xlarge", VolumeSizeInGB: 20 },
      },
      NetworkConfig: { VpcConfig: { Subnets: ["subnet-1"], SecurityGroupIds: ["sg-1"] } },
    }),
  );
  return ProcessingJobName;
}

async function run(pipeline: string, data: "retain" | "delete" = "retain", signal?: AbortSignal) {
  const told: QuiesceEvent[] = [];
  const { prefix, named, jobPrefix } = namesOf(pipeline);
  await quiesce({
    client,
    prefix,
    trainingPipeline: named("training"),
    validationJobs: jobPrefix("validate"),
    modelPackageGroup: named("models"),
    data,
    tell: (event) => told.push(event),
    signal: signal ?? new AbortController().signal,
    pollMs: 1,
    patienceMs: 60_000,
  });
  return told;
}

const statusOf = async (execution: string) =>
  (await client.send(new DescribePipelineExecutionCommand({ PipelineExecutionArn: execution })))
    .PipelineExecutionStatus;
const jobStatus = async (ProcessingJobName: string) =>
  (await client.send(new DescribeProcessingJobCommand({ ProcessingJobName }))).ProcessingJobStatus;
const versions = async (group: string) =>
  (await client.send(new ListModelPackagesCommand({ ModelPackageGroupName: group }))).ModelPackageSummaryList;
const left = async () =>
  (await database.pool.query("select name from sandbox.resources order by number")).rows.map(
    ({ name }) => name,
  );

describe("a pipeline that is torn down", () => {
  it("has its executions stopped and what its releases made deleted, each told", async () => {
    const { named, execution } = await livingPipeline("churn");
    const told = await run("churn");
    expect(await statusOf(execution)).toBe("Stopped");
    expect(await left()).toEqual([named("training"), named("models")]);
    expect(told.filter(({ status }) => status === "done").map(({ what, name }) => [what, name])).toEqual(
      expect.arrayContaining([
        ["execution", execution],
        ["endpoint", named("blue")],
        ["endpoint", named("green")],
        ["endpoint configuration", named("blue-1")],
        ["model", named("blue-1")],
      ]),
    );
    expect(told).toHaveLength(10);
  });

  it("has nothing more to be ended the second time, nor when it never came so far", async () => {
    await livingPipeline("churn");
    await run("churn");
    expect(await run("churn")).toEqual([]);
    expect(await run("never-made", "delete")).toEqual([]);
  });

  it("is completed by a second run where the first one was interrupted", async () => {
    const { named, execution } = await livingPipeline("churn");
    await client.send(
      new StopPipelineExecutionCommand({
        PipelineExecutionArn: execution,
        ClientRequestToken: "b".repeat(32),
      }),
    );
    await client.send(new DeleteEndpointCommand({ EndpointName: named("blue") }));
    await run("churn");
    expect(await left()).toEqual([named("training"), named("models")]);
    expect(await statusOf(execution)).toBe("Stopped");
  });

  it("has the jobs stopped that validate its large files, each told, whoever had asked them to stop", async () => {
    const { jobPrefix } = namesOf("churn");
    const one = await livingJob(`${jobPrefix("validate")}-1`);
    const other = await livingJob(`${jobPrefix("validate")}-2`);
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: other }));
    const told = await run("churn");
    expect(told.filter(({ status }) => status === "done")).toEqual(
      expect.arrayContaining(
        [one, other].map((name) => ({ type: "quiesce", status: "done", what: "processing job", name })),
      ),
    );
    expect([await jobStatus(one), await jobStatus(other)]).toEqual(["Stopped", "Stopped"]);
    expect(await run("churn")).toEqual([]);
  });

  it("has more jobs stopped than AWS tells of at once", async () => {
    const { jobPrefix } = namesOf("churn");
    for (let number = 1; number <= 12; number += 1) await livingJob(`${jobPrefix("validate")}-${number}`);
    expect((await run("churn")).filter(({ status }) => status === "done")).toHaveLength(12);
  });

  it("leaves jobs alone that are another pipeline's, or whose name only contains its own", async () => {
    const jobs = [
      await livingJob(`${namesOf("churn-b").jobPrefix("validate")}-1`),
      await livingJob(`x-${namesOf("churn").jobPrefix("validate")}-1`),
      await livingJob(`${namesOf("churn").jobPrefix("validate")}2-1`),
    ];
    expect(await run("churn")).toEqual([]);
    for (const job of jobs) expect(await jobStatus(job)).toBe("InProgress");
  });

  it("keeps the versions of its models, or loses them with its data", async () => {
    const { named } = await livingPipeline("churn");
    await run("churn");
    expect(await versions(named("models"))).toHaveLength(2);
    const told = await run("churn", "delete");
    expect(told.filter(({ what }) => what === "model version")).toHaveLength(4);
    expect(await versions(named("models"))).toEqual([]);
  });

  it("leaves a pipeline alone whose name begins alike", async () => {
    await livingPipeline("churn");
    const other = await livingPipeline("churn-b");
    await run("churn");
    expect(await statusOf(other.execution)).toBe("Executing");
    expect(await left()).toEqual(expect.arrayContaining(["blue", "green", "blue-1"].map(other.named)));
  });

  it("has the schedules of its endpoints deleted first, without which AWS keeps these", async () => {
    const { named } = namesOf("churn");
    await exists("endpoint", named("live"));
    await exists("data-quality", "definition", {
      dataQualityJobInput: { endpointInput: { endpointName: named("live") } },
    });
    await exists("monitoring-schedule", named("data-quality"), {
      monitoringScheduleConfig: { monitoringJobDefinitionName: "definition" },
    });
    await expect(client.send(new DeleteEndpointCommand({ EndpointName: named("live") }))).rejects.toThrow(
      "attached monitoring schedule",
    );
    await run("churn");
    expect(await left()).toEqual(["definition"]);
  });

  it("isn't touched any more once the operation was cancelled", async () => {
    const { execution } = await livingPipeline("churn");
    const before = await left();
    await expect(run("churn", "retain", AbortSignal.abort())).rejects.toThrow();
    expect(await statusOf(execution)).toBe("Executing");
    expect(await left()).toEqual(before);
  });
});

describe("SageMaker in the sandbox", () => {
  it("keeps a pipeline while an execution of it runs", async () => {
    const { named } = await livingPipeline("churn");
    const deletable = () => assertDeletable(database.pool, types.pipeline, `pipeline|${named("training")}`);
    await expect(deletable()).rejects.toMatchObject({ code: "ConflictException" });
    await run("churn");
    await deletable();
  });

  it("keeps the security group and subnets of a job while it runs", async () => {
    await livingJob(`${namesOf("churn").jobPrefix("validate")}-1`);
    const deletable = (kind: keyof typeof types, id: string) =>
      assertDeletable(database.pool, types[kind], `${kind}|${id}`);
    const own = [
      ["security-group", "sg-1"],
      ["subnet", "subnet-1"],
    ] as const;
    await exists("security-group", "sg-2");
    await deletable("security-group", "sg-2");
    for (const [kind, id] of own) {
      await exists(kind, id);
      await expect(deletable(kind, id)).rejects.toMatchObject({ code: "DependencyViolation" });
    }
    await run("churn");
    for (const [kind, id] of own) await deletable(kind, id);
  });

  it("gives a job's name once, and lists jobs by name and status", async () => {
    const job = await livingJob("aidlc-a-validate-1");
    await livingJob("aidlc-b-validate-1");
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: job }));
    expect(await jobStatus(job)).toBe("Stopping");
    expect(await jobStatus(job)).toBe("Stopped");
    await expect(livingJob(job)).rejects.toMatchObject({ name: "ResourceInUse" });
    await expect(client.send(new StopProcessingJobCommand({ ProcessingJobName: job }))).rejects.toMatchObject(
      { name: "ValidationException" },
    );
    const list = async (wanted: ListProcessingJobsCommandInput) =>
      (await client.send(new ListProcessingJobsCommand(wanted))).ProcessingJobSummaries?.map(
        ({ ProcessingJobName }) => ProcessingJobName,
      );
    expect(await list({ NameContains: "AIDLC-A" })).toEqual([job]);
    expect(await list({ StatusEquals: "InProgress" })).toEqual(["aidlc-b-validate-1"]);
    expect(await list({})).toHaveLength(2);
    await expect(jobStatus("aidlc-c-validate-1")).rejects.toMatchObject({ name: "ValidationException" });
  });

  it("stops an execution by and by, and only one that runs", async () => {
    const { execution } = await livingPipeline("churn");
    const stop = () =>
      client.send(
        new StopPipelineExecutionCommand({
          PipelineExecutionArn: execution,
          ClientRequestToken: "b".repeat(32),
        }),
      );
    expect((await stop()).PipelineExecutionArn).toBe(execution);
    expect(await statusOf(execution)).toBe("Stopping");
    expect(await statusOf(execution)).toBe("Stopped");
    await expect(stop()).rejects.toMatchObject({ name: "ValidationException" });
  });
});
