import { CloudControlClient, GetResourceCommand, ListResourcesCommand } from "@aws-sdk/client-cloudcontrol";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AuditTrail } from "../../../src/audit/trail.ts";
import { Problem, sendProblem } from "../../../src/http/problem.ts";
import { validatorCompiler } from "../../../src/http/validation.ts";
import { cloudFormationTypes } from "../../../src/sandbox/cloudcontrol/resource-types.ts";
import { sandboxRoutes } from "../../../src/sandbox/routes.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const account = "111122223333";
const region = "eu-central-1";

let database: TestDatabase;
let app: FastifyInstance;
let client: CloudControlClient;

beforeAll(async () => {
  database = await createTestDatabase();
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
  const endpoint = await app.listen({ host: "127.0.0.1", port: 0 });
  client = new CloudControlClient({
    region,
    endpoint: `${endpoint}/sandbox/aws/cloudcontrol`,
    credentials: { accessKeyId: account, secretAccessKey: "none" },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await app.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query("truncate sandbox.resources, sandbox.faults");
});

async function existing(type: string, inputs: PropertyMap, more: { name?: string; region?: string } = {}) {
  const payload = { type, inputs, account, region, ...more };
  const response = await app.inject({ method: "POST", url: "/sandbox/v1/resources", payload });
  return { status: response.statusCode, body: response.json() };
}

async function list(TypeName: string) {
  const { ResourceDescriptions = [] } = await client.send(new ListResourcesCommand({ TypeName }));
  return ResourceDescriptions.map(({ Identifier, Properties }) => [Identifier, JSON.parse(Properties!)]);
}

const logGroup = "aws:cloudwatch/logGroup:LogGroup";
const trust = JSON.stringify({
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "config.amazonaws.com" } }],
});

describe("what was there before the first stack", () => {
  test("is made by hand and named as AWS names it", async () => {
    const { status, body } = await existing(logGroup, { retentionInDays: 30 }, { name: "/old" });
    expect(status).toBe(201);
    expect(body).toMatchObject({ awsId: "/old", account, region, inputs: { name: "/old" } });
    expect(await list("AWS::Logs::LogGroup")).toEqual([
      [
        "/old",
        expect.objectContaining({
          Arn: `arn:aws:logs:${region}:${account}:log-group:/old:*`,
          LogGroupName: "/old",
          RetentionInDays: 30,
        }),
      ],
    ]);
  });

  test("is refused where a program's resource would be", async () => {
    expect(await existing("aws:x/y:Y", {})).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(await existing(logGroup, { retention: 1 })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "/inputs/retention" }] },
    });
    const twice = [await existing(logGroup, {}, { name: "g" }), await existing(logGroup, {}, { name: "g" })];
    expect(twice.map(({ status }) => status)).toEqual([201, 400]);
    expect(twice[1]?.body.errors[0].message).toMatch("ResourceAlreadyExistsException");
  });

  test("is not struck by faults", async () => {
    await app.inject({ method: "POST", url: "/sandbox/v1/faults", payload: { kind: "error", code: "X" } });
    expect(await existing(logGroup, {}, { name: "g" })).toMatchObject({ status: 201 });
  });
});

describe("Cloud Control API", () => {
  test("finds the account's recorder, channel, detector, hub, analyzer and trail", async () => {
    const role = await existing("aws:iam/role:Role", { assumeRolePolicy: trust }, { name: "config" });
    const roleArn = role.body.arn;
    await existing("aws:s3/bucket:Bucket", {}, { name: "logs" });
    const services = ["config.amazonaws.com", "cloudtrail.amazonaws.com"];
    const statement = {
      Effect: "Allow",
      Action: "s3:PutObject",
      Principal: { Service: services },
      Resource: "*",
    };
    const policy = JSON.stringify({ Statement: [statement] });
    await existing("aws:s3/bucketPolicy:BucketPolicy", { bucket: "logs", policy });
    await existing("aws:cfg/recorder:Recorder", { roleArn }, { name: "default" });
    await existing("aws:cfg/deliveryChannel:DeliveryChannel", { s3BucketName: "logs" }, { name: "channel" });
    const detector = await existing("aws:guardduty/detector:Detector", { tags: { owner: "security" } });
    await existing("aws:securityhub/account:Account", {});
    await existing("aws:accessanalyzer/analyzer:Analyzer", {}, { name: "outside" });
    await existing("aws:cloudtrail/trail:Trail", { s3BucketName: "logs" }, { name: "all" });
    expect(await list("AWS::Config::ConfigurationRecorder")).toEqual([
      ["default", { Name: "default", RoleARN: roleArn }],
    ]);
    expect(await list("AWS::Config::DeliveryChannel")).toEqual([
      ["channel", { Name: "channel", S3BucketName: "logs" }],
    ]);
    expect(await list("AWS::GuardDuty::Detector")).toEqual([
      [
        detector.body.awsId,
        expect.objectContaining({ Id: detector.body.awsId, Tags: [{ Key: "owner", Value: "security" }] }),
      ],
    ]);
    const hub = `arn:aws:securityhub:${region}:${account}:hub/default`;
    expect(await list("AWS::SecurityHub::Hub")).toEqual([[hub, expect.objectContaining({ ARN: hub })]]);
    const analyzer = `arn:aws:access-analyzer:${region}:${account}:analyzer/outside`;
    expect(await list("AWS::AccessAnalyzer::Analyzer")).toEqual([
      [analyzer, { AnalyzerName: "outside", Arn: analyzer, Type: "ACCOUNT" }],
    ]);
    expect(await list("AWS::CloudTrail::Trail")).toEqual([
      ["all", expect.objectContaining({ S3BucketName: "logs", TrailName: "all" })],
    ]);
    expect(await list("AWS::ApiGateway::Account")).toEqual([]);
  });

  test("keeps regions apart", async () => {
    await existing(logGroup, {}, { name: "here" });
    await existing(logGroup, {}, { name: "there", region: "eu-west-1" });
    expect((await list("AWS::Logs::LogGroup")).map(([id]) => id)).toEqual(["here"]);
  });

  test("has pages", async () => {
    for (const name of ["a", "b", "c"]) await existing(logGroup, {}, { name });
    const page = (NextToken?: string) =>
      client.send(
        new ListResourcesCommand({
          TypeName: "AWS::Logs::LogGroup",
          MaxResults: 2,
          ...(NextToken && { NextToken }),
        }),
      );
    const first = await page();
    expect(first.ResourceDescriptions?.map(({ Identifier }) => Identifier)).toEqual(["a", "b"]);
    const second = await page(first.NextToken);
    expect(second.ResourceDescriptions?.map(({ Identifier }) => Identifier)).toEqual(["c"]);
    expect(second.NextToken).toBeUndefined();
  });

  test("reads one resource, and says which it doesn't have or know", async () => {
    await existing(logGroup, {}, { name: "g" });
    const get = (TypeName: string, Identifier: string) =>
      client.send(new GetResourceCommand({ TypeName, Identifier }));
    const { ResourceDescription } = await get("AWS::Logs::LogGroup", "g");
    expect(JSON.parse(ResourceDescription!.Properties!)).toMatchObject({ LogGroupName: "g" });
    await expect(get("AWS::Logs::LogGroup", "h")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    await expect(get("AWS::EC2::Instance", "i-1")).rejects.toMatchObject({
      name: "UnsupportedActionException",
    });
    await expect(get("nonsense", "x")).rejects.toMatchObject({ name: "InvalidRequestException" });
  });

  test("names properties that the types have", () => {
    const schema = new Schema();
    const wrong = Object.values(cloudFormationTypes).flatMap(({ type, properties }) => {
      const { inputs, outputs } = schema.resource(type)!;
      // Every resource has an id, which is neither.
      return Object.values(properties).filter(
        (name) => name !== "id" && !inputs.has(name) && !outputs.has(name),
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe("the list of types", () => {
  test("tells how long a creation typically takes", async () => {
    const response = await app.inject({ url: "/sandbox/v1/types" });
    const { items } = response.json();
    expect(items).toContainEqual({ type: "aws:kms/key:Key", typicalCreateMs: 12_000 });
    expect(items.length).toBeGreaterThan(280);
  });
});
