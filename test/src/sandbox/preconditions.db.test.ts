import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { FaultInjector } from "../../../src/sandbox/faults.ts";
import { Lifecycle } from "../../../src/sandbox/lifecycle.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const schema = new Schema();
const configuration = parseConfiguration({ region: "eu-central-1", allowedAccountIds: ["111122223333"] });

let database: TestDatabase;
let lifecycle: Lifecycle;

beforeAll(async () => {
  database = await createTestDatabase();
  lifecycle = new Lifecycle(database.pool, schema, new FaultInjector(database.pool));
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("truncate sandbox.resources");
});

function create(token: string, values: PropertyMap) {
  return lifecycle.create(schema.resource(token)!, { values, secrets: [] }, configuration);
}

const allow = (principal: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Principal: { Service: principal } }],
  });

async function role(name: string, service: string): Promise<string> {
  const made = await create("aws:iam/role:Role", { name, assumeRolePolicy: allow(service) });
  return String(made.outputs.values.arn);
}

const versioned = async (bucket: string) => {
  await create("aws:s3/bucket:Bucket", { bucket });
  await create("aws:s3/bucketVersioning:BucketVersioning", {
    bucket,
    versioningConfiguration: { status: "Enabled" },
  });
};

describe("what must be in place first", () => {
  test("replication needs versioning on both sides", async () => {
    const replication = {
      role: await role("r", "s3.amazonaws.com"),
      bucket: "from",
      rules: [{ destination: { bucket: "arn:aws:s3:::to" } }],
    };
    const token = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
    await versioned("from");
    await create("aws:s3/bucket:Bucket", { bucket: "to" });
    await expect(create(token, replication)).rejects.toThrow(
      `InvalidRequest: Versioning must be 'Enabled' on the bucket "to"`,
    );
    await create("aws:s3/bucketVersioning:BucketVersioning", {
      bucket: "to",
      versioningConfiguration: { status: "Enabled" },
    });
    await create(token, replication);
  });

  test("a notification needs the queue's consent", async () => {
    await create("aws:s3/bucket:Bucket", { bucket: "b" });
    const queue = await create("aws:sqs/queue:Queue", { name: "q" });
    const arn = String(queue.outputs.values.arn);
    const token = "aws:s3/bucketNotification:BucketNotification";
    const notification = { bucket: "b", queues: [{ queueArn: arn, events: ["s3:ObjectCreated:*"] }] };
    await expect(create(token, notification)).rejects.toThrow(
      `Unable to validate the following destination configurations: ${arn}`,
    );
    await create("aws:sqs/queuePolicy:QueuePolicy", {
      queueUrl: queue.id,
      policy: allow("s3.amazonaws.com"),
    });
    await create(token, notification);
  });

  test("a trail needs its bucket's policy", async () => {
    await create("aws:s3/bucket:Bucket", { bucket: "logs" });
    const trail = { name: "t", s3BucketName: "logs" };
    await expect(create("aws:cloudtrail/trail:Trail", trail)).rejects.toThrow(
      "InsufficientS3BucketPolicyException",
    );
    await create("aws:s3/bucketPolicy:BucketPolicy", {
      bucket: "logs",
      policy: allow("cloudtrail.amazonaws.com"),
    });
    await create("aws:cloudtrail/trail:Trail", trail);
  });

  test("a log group needs a key that lets the logs service in", async () => {
    const plain = await create("aws:kms/key:Key", {});
    const group = "aws:cloudwatch/logGroup:LogGroup";
    const withKey = (arn: unknown) => create(group, { name: "g", kmsKeyId: String(arn) });
    await expect(withKey(plain.outputs.values.arn)).rejects.toThrow("AccessDeniedException");
    const key = await create("aws:kms/key:Key", { policy: allow("logs.eu-central-1.amazonaws.com") });
    await withKey(key.outputs.values.arn);
  });

  test("a public policy is refused where such policies are blocked", async () => {
    await create("aws:s3/bucket:Bucket", { bucket: "b" });
    await create("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {
      bucket: "b",
      blockPublicPolicy: true,
    });
    const open = JSON.stringify({
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Principal: "*", Resource: "*" }],
    });
    const token = "aws:s3/bucketPolicy:BucketPolicy";
    await expect(create(token, { bucket: "b", policy: open })).rejects.toThrow("AccessDenied");
    await create(token, { bucket: "b", policy: open.replace("Allow", "Deny") });
  });

  test("a role must trust the service that is to use it", async () => {
    const pipeline = (roleArn: string) =>
      create("aws:sagemaker/pipeline:Pipeline", {
        pipelineName: "p",
        pipelineDisplayName: "p",
        pipelineDefinition: "{}",
        roleArn,
      });
    await expect(pipeline(await role("a", "lambda.amazonaws.com"))).rejects.toThrow(
      "cannot be assumed by sagemaker.amazonaws.com",
    );
    await pipeline(await role("b", "sagemaker.amazonaws.com"));
  });

  test("Config's recorder comes before its channel, and that before its start", async () => {
    await create("aws:s3/bucket:Bucket", { bucket: "b" });
    const channel = () => create("aws:cfg/deliveryChannel:DeliveryChannel", { name: "d", s3BucketName: "b" });
    const start = () => create("aws:cfg/recorderStatus:RecorderStatus", { name: "rec", isEnabled: true });
    await expect(channel()).rejects.toThrow("NoAvailableConfigurationRecorderException");
    await create("aws:cfg/recorder:Recorder", {
      name: "rec",
      roleArn: await role("r", "config.amazonaws.com"),
    });
    await expect(start()).rejects.toThrow("NoAvailableDeliveryChannelException");
    await expect(channel()).rejects.toThrow("InsufficientDeliveryPolicyException");
    await create("aws:s3/bucketPolicy:BucketPolicy", { bucket: "b", policy: allow("config.amazonaws.com") });
    await channel();
    await start();
  });

  test("a subnet lies inside its VPC and beside the other subnets", async () => {
    const vpc = await create("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" });
    const subnet = (cidrBlock: string) => create("aws:ec2/subnet:Subnet", { vpcId: vpc.id, cidrBlock });
    await subnet("10.0.0.0/24");
    await subnet("10.0.1.0/24");
    await expect(subnet("10.0.0.128/25")).rejects.toThrow("InvalidSubnet.Conflict");
    await expect(subnet("10.1.0.0/24")).rejects.toThrow("InvalidSubnet.Range");
  });

  test("a role takes ten managed policies", async () => {
    await role("r", "lambda.amazonaws.com");
    const attach = (n: number) =>
      create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
        role: "r",
        policyArn: `arn:aws:iam::aws:policy/P${n}`,
      });
    for (let n = 0; n < 10; n++) await attach(n);
    await attach(3);
    await expect(attach(10)).rejects.toThrow("LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10");
  });
});
