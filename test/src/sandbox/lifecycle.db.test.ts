import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { FaultInjector } from "../../../src/sandbox/faults.ts";
import { type Created, Lifecycle, type Target } from "../../../src/sandbox/lifecycle.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { Path, PropertyMap } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const schema = new Schema();
const main = parseConfiguration({ region: "eu-central-1", allowedAccountIds: ["111122223333"] });
const other = parseConfiguration({ region: "eu-central-1", allowedAccountIds: ["444455556666"] });

let database: TestDatabase;
let lifecycle: Lifecycle;

beforeAll(async () => {
  database = await createTestDatabase();
  lifecycle = new Lifecycle(database.pool, schema, new FaultInjector(database.pool));
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("truncate sandbox.resources, sandbox.faults, sandbox.model_packages");
});

const bucket = "aws:s3/bucket:Bucket";
const versioning = "aws:s3/bucketVersioning:BucketVersioning";
const key = "aws:kms/key:Key";
const role = "aws:iam/role:Role";

function create(
  token: string,
  values: PropertyMap,
  configuration = main,
  secrets: Path[] = [],
): Promise<Created> {
  return lifecycle.create(schema.resource(token)!, { values, secrets }, configuration);
}

function target(token: string, created: Created, configuration = main): Target {
  return { type: schema.resource(token)!, configuration, id: created.id, state: created.outputs.values };
}

const read = (token: string, created: Created, inputs: PropertyMap) =>
  lifecycle.read(target(token, created), { values: inputs, secrets: [] });

async function bucketNames(): Promise<string[]> {
  const { rows } = await database.pool.query<{ aws_id: string }>(
    "select aws_id from sandbox.resources where type = $1",
    [bucket],
  );
  return rows.map((row) => row.aws_id);
}

/** A pool whose connection breaks right after the first statement of this name was carried out. */
function losingTheAnswerTo(statement: string, pool: pg.Pool): pg.Pool {
  let isLost = false;
  return new Proxy(pool, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== "query") return typeof value === "function" ? value.bind(target) : value;
      return async (query: { name?: string }) => {
        const result = await target.query(query as pg.QueryConfig);
        if (isLost || query.name !== statement) return result;
        isLost = true;
        throw new Error("Connection terminated unexpectedly");
      };
    },
  });
}

describe("a database that goes away", () => {
  test("after it has made what was asked for costs nothing: it is made once, and nobody else's", async () => {
    const pool = losingTheAnswerTo("sandbox-create", database.pool);
    const shaky = new Lifecycle(pool, schema, new FaultInjector(database.pool));
    const inputs = { values: { bucket: "once" }, secrets: [] };
    expect(await shaky.create(schema.resource(bucket)!, inputs, main)).toMatchObject({ id: "once" });
    expect(await bucketNames()).toEqual(["once"]);
    await expect(shaky.create(schema.resource(bucket)!, inputs, main)).rejects.toThrow(/AlreadyOwnedByYou/);
  });

  test("after that, while the answer is held back, costs nothing either", async () => {
    const pool = losingTheAnswerTo("sandbox-faults", database.pool);
    const faults = new FaultInjector(pool);
    const late = { strike: () => Promise.resolve(), delayAnswer: faults.delayAnswer.bind(faults) };
    const shaky = new Lifecycle(database.pool, schema, late);
    const inputs = { values: { bucket: "once" }, secrets: [] };
    expect(await shaky.create(schema.resource(bucket)!, inputs, main)).toMatchObject({ id: "once" });
  });

  test("while the list of faults is read doesn't leave it unreadable", async () => {
    const faults = new FaultInjector(losingTheAnswerTo("sandbox-faults", database.pool));
    await faults.listen();
    const struck = { type: bucket, operation: "create", account: "111122223333" } as const;
    await expect(faults.strike(struck)).rejects.toThrow("Connection terminated unexpectedly");
    await expect(faults.strike(struck)).resolves.toBeUndefined();
    faults.close();
  });
});

describe("creating", () => {
  test("what was made is there while its answer is late", async () => {
    await database.pool.query(
      "insert into sandbox.faults (kind, moment, type, operation, latency_ms) values ('latency', 'after', '*', '*', 60000)",
    );
    const engine = new AbortController();
    const creating = create(bucket, { bucket: "late" }, { ...main, cancelled: engine.signal });
    await expect.poll(() => bucketNames()).toEqual(["late"]);
    engine.abort();
    expect((await creating).id).toBe("late");
  });

  test("a bucket's name is taken for every account", async () => {
    await create(bucket, { bucket: "shared" });
    await expect(create(bucket, { bucket: "shared" })).rejects.toThrow(
      'creating S3 Bucket (shared): BucketAlreadyOwnedByYou: S3 Bucket "shared" already exists: import it or choose another name',
    );
    await expect(create(bucket, { bucket: "shared" }, other)).rejects.toThrow(
      'creating S3 Bucket (shared): BucketAlreadyExists: The requested bucket name "shared" is not available',
    );
  });

  test("a role's name is taken in its own account only", async () => {
    await create(role, { name: "r", assumeRolePolicy: "{}" });
    await create(role, { name: "r", assumeRolePolicy: "{}" }, other);
    await expect(create(role, { name: "r", assumeRolePolicy: "{}" })).rejects.toThrow("EntityAlreadyExists");
  });

  test("of two at the same time one wins", async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => create(bucket, { bucket: "raced" })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("a reference to nothing is refused and named", async () => {
    await expect(
      create(versioning, { bucket: "absent", versioningConfiguration: { status: "Enabled" } }),
    ).rejects.toThrow(
      'creating S3 Bucket Versioning (absent): NoSuchBucket: bucket refers to "absent", but there is no such S3 Bucket',
    );
    const arn = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    await expect(create("aws:cloudwatch/logGroup:LogGroup", { name: "g", kmsKeyId: arn })).rejects.toThrow(
      "NotFoundException",
    );
    expect((await database.pool.query("select from sandbox.resources")).rowCount).toBe(0);
  });

  test("references are found by id, ARN and name", async () => {
    const made = await create(key, {});
    await create("aws:sns/topic:Topic", { name: "t", kmsMasterKeyId: made.outputs.values.arn ?? "" });
    await create("aws:kms/alias:Alias", { name: "alias/a", targetKeyId: made.id });
    await create(role, { name: "r", assumeRolePolicy: "{}" });
    await create("aws:iam/rolePolicy:RolePolicy", { role: "r", name: "p", policy: "{}" });
  });

  test("what a VPC brings with it can be referred to, and its default group adopted", async () => {
    const vpc = await create("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" });
    const group = vpc.outputs.values.defaultSecurityGroupId ?? "";
    const adopted = await create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", { vpcId: vpc.id });
    expect(adopted.id).toBe(group);
    await create("aws:ec2/vpcEndpoint:VpcEndpoint", {
      vpcId: vpc.id,
      serviceName: "s",
      securityGroupIds: [group],
    });
    await expect(
      create("aws:ec2/vpcEndpoint:VpcEndpoint", {
        vpcId: vpc.id,
        serviceName: "s",
        securityGroupIds: ["sg-1"],
      }),
    ).rejects.toThrow("InvalidGroup.NotFound");
  });

  test("a second setting of the same bucket takes the place of the first", async () => {
    await create(bucket, { bucket: "b" });
    await create(versioning, { bucket: "b", versioningConfiguration: { status: "Enabled" } });
    const second = await create(versioning, {
      bucket: "b",
      versioningConfiguration: { status: "Suspended" },
    });
    const found = await read(versioning, second, {});
    expect(found?.outputs.values.versioningConfiguration).toEqual({ status: "Suspended" });
  });

  test("revisions are counted for ever", async () => {
    const task = "aws:ecs/taskDefinition:TaskDefinition";
    const inputs = { family: "f", containerDefinitions: "[]" };
    const first = await create(task, inputs);
    await lifecycle.delete(target(task, first));
    const second = await create(task, inputs);
    expect([first, second].map(({ outputs }) => outputs.values.revision)).toEqual([1, 2]);
    expect(second.outputs.values.arn).toMatch(/:task-definition\/f:2$/);
  });
});

describe("reading", () => {
  test("an unchanged resource gives back what the program and the provider know", async () => {
    const inputs = { bucket: "b", tags: { a: "1" } };
    const made = await create(bucket, inputs);
    const found = await read(bucket, made, inputs);
    expect(found).toEqual({ id: "b", inputs: { values: inputs, secrets: [] }, outputs: made.outputs });
  });

  test("what is gone is not found", async () => {
    const made = await create(bucket, { bucket: "b" });
    await lifecycle.delete(target(bucket, made));
    expect(await read(bucket, made, {})).toBeUndefined();
  });

  test("an import needs only the id", async () => {
    await create(bucket, { bucket: "b" });
    const blank = { id: "b", outputs: { values: {}, secrets: [] } };
    expect((await read(bucket, blank, {}))?.inputs.values).toEqual({ bucket: "b" });
  });

  test("secrets stay secret", async () => {
    const token = "aws:lambda/layerVersion:LayerVersion";
    const made = await create(token, { layerName: "l", description: "hidden" }, main, [["description"]]);
    expect(made.outputs.secrets).toEqual([["description"]]);
    expect((await read(token, made, {}))?.outputs.secrets).toEqual([["description"]]);
    const parameter = await create("aws:ssm/parameter:Parameter", {
      name: "p",
      type: "SecureString",
      value: "v",
    });
    expect(parameter.outputs.secrets).toContainEqual(["value"]);
  });
});

describe("updating", () => {
  test("changes the inputs and keeps what was generated", async () => {
    const made = await create(key, { description: "a" });
    const updated = await lifecycle.update(
      target(key, made),
      { values: { description: "b" }, secrets: [] },
      { description: "a" },
    );
    expect(updated.values).toMatchObject({ description: "b", arn: made.outputs.values.arn });
    expect((await read(key, made, {}))?.outputs.values.description).toBe("b");
  });

  test("of what is gone fails and says so", async () => {
    const made = await create(bucket, { bucket: "b" });
    await lifecycle.delete(target(bucket, made));
    const update = lifecycle.update(
      target(bucket, made),
      { values: { bucket: "b", forceDestroy: true }, secrets: [] },
      {},
    );
    await expect(update).rejects.toThrow(
      "updating S3 Bucket (b): ResourceNotFoundException: S3 Bucket b no longer exists",
    );
  });

  test("a new reference must exist, an old one is not looked up again", async () => {
    const made = await create(key, {});
    const topic = "aws:sns/topic:Topic";
    const inputs = { name: "t", kmsMasterKeyId: made.outputs.values.arn ?? "" };
    const created = await create(topic, inputs);
    await lifecycle.delete(target(key, made));
    const change = (values: PropertyMap) =>
      lifecycle.update(target(topic, created), { values, secrets: [] }, inputs);
    await change({ ...inputs, displayName: "x" });
    await expect(change({ ...inputs, kmsMasterKeyId: `${inputs.kmsMasterKeyId}0` })).rejects.toThrow(
      "NotFoundException",
    );
  });
});

describe("deleting", () => {
  test("what tells no ARN goes like anything else", async () => {
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "fis.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const { outputs } = await create(role, { name: "drills", assumeRolePolicy: trust });
    const template = "aws:fis/experimentTemplate:ExperimentTemplate";
    const inputs = {
      description: "wait",
      roleArn: outputs.values.arn!,
      stopConditions: [{ source: "none" }],
      actions: [{ name: "wait", actionId: "aws:fis:wait", parameters: [{ key: "duration", value: "PT1M" }] }],
    };
    const created = await create(template, inputs);
    expect(await read(template, created, inputs)).toBeDefined();
    await lifecycle.delete(target(template, created));
    expect(await read(template, created, inputs)).toBeUndefined();
    const { rows } = await database.pool.query("select 1 from sandbox.resources where type = $1", [template]);
    expect(rows).toEqual([]);
  });

  test("leaves alone what took its place in the meantime, with an id of its own", async () => {
    const rule = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
    const network = await create("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" });
    const group = await create("aws:ec2/securityGroup:SecurityGroup", { vpcId: network.id, name: "jobs" });
    const inputs = {
      securityGroupId: group.id,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "10.0.0.0/8",
    };
    const first = await create(rule, inputs);
    await lifecycle.delete(target(rule, first));
    const second = await create(rule, inputs);
    await lifecycle.delete(target(rule, first));
    expect(await read(rule, second, inputs)).toMatchObject({ id: second.id });
    await lifecycle.delete(target(rule, second));
    expect(await read(rule, second, inputs)).toBeUndefined();
  });

  test("is idempotent", async () => {
    const made = await create(bucket, { bucket: "b" });
    await lifecycle.delete(target(bucket, made));
    await lifecycle.delete(target(bucket, made));
  });

  test("a bucket goes with its settings", async () => {
    const made = await create(bucket, { bucket: "b" });
    await create(versioning, { bucket: "b", versioningConfiguration: { status: "Enabled" } });
    await lifecycle.delete(target(bucket, made));
    expect((await database.pool.query("select from sandbox.resources")).rowCount).toBe(0);
  });

  test("a bucket that holds objects stays, unless the program wants it destroyed", async () => {
    const made = await create(bucket, { bucket: "b" });
    const object = "aws:s3/bucketObjectv2:BucketObjectv2";
    await create(object, { bucket: "b", key: "k", content: "x" });
    await expect(lifecycle.delete(target(bucket, made))).rejects.toThrow(
      "deleting S3 Bucket (b): BucketNotEmpty:",
    );
    const forced = await lifecycle.update(
      target(bucket, made),
      { values: { bucket: "b", forceDestroy: true }, secrets: [] },
      {},
    );
    await lifecycle.delete({ ...target(bucket, made), state: forced.values });
  });

  test("a network in use stays", async () => {
    const vpc = await create("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" });
    const subnet = await create("aws:ec2/subnet:Subnet", { vpcId: vpc.id, cidrBlock: "10.0.1.0/24" });
    await expect(lifecycle.delete(target("aws:ec2/vpc:Vpc", vpc))).rejects.toThrow("DependencyViolation");
    const endpoint = await create("aws:ec2/vpcEndpoint:VpcEndpoint", {
      vpcId: vpc.id,
      serviceName: "s",
      subnetIds: [subnet.id],
    });
    await expect(lifecycle.delete(target("aws:ec2/subnet:Subnet", subnet))).rejects.toThrow(
      "DependencyViolation",
    );
    await lifecycle.delete(target("aws:ec2/vpcEndpoint:VpcEndpoint", endpoint));
    await lifecycle.delete(target("aws:ec2/subnet:Subnet", subnet));
    await lifecycle.delete(target("aws:ec2/vpc:Vpc", vpc));
  });

  test("a model package group with versions stays", async () => {
    const token = "aws:sagemaker/modelPackageGroup:ModelPackageGroup";
    const group = await create(token, { modelPackageGroupName: "g" });
    await database.pool.query(
      `insert into sandbox.model_packages (arn, account, region, group_name, version, approval_status)
       values ('a', '111122223333', 'eu-central-1', 'g', 1, 'Approved')`,
    );
    await expect(lifecycle.delete(target(token, group))).rejects.toThrow(
      /^deleting SageMaker AI Model Package Group \(g\): /,
    );
  });

  test("a key waits for its deletion and is gone for programs", async () => {
    const made = await create(key, {});
    await create("aws:kms/alias:Alias", { name: "alias/a", targetKeyId: made.id });
    await lifecycle.delete(target(key, made));
    const { rows } = await database.pool.query("select type, deletion_due_at from sandbox.resources");
    expect(rows).toEqual([{ type: key, deletion_due_at: expect.any(Date) }]);
    expect(await read(key, made, {})).toBeUndefined();
    await expect(create("aws:kms/alias:Alias", { name: "alias/b", targetKeyId: made.id })).rejects.toThrow(
      "NotFoundException",
    );
  });

  test("a secret's name stays taken for its recovery window", async () => {
    const secret = "aws:secretsmanager/secret:Secret";
    const made = await create(secret, { name: "s" });
    await lifecycle.delete(target(secret, made));
    await expect(create(secret, { name: "s" })).rejects.toThrow("already scheduled for deletion");
    const atOnce = await create(secret, { name: "t", recoveryWindowInDays: 0 });
    await lifecycle.delete(target(secret, atOnce));
    await create(secret, { name: "t" });
  });
});

describe("planning", () => {
  test("a preview knows inputs, defaults and tags, and nothing that AWS generates", () => {
    const tagged = parseConfiguration({ region: "eu-central-1", defaultTags: { tags: { team: "a" } } });
    const { values } = lifecycle.plan(
      schema.resource(bucket)!,
      { values: { bucket: "b" }, secrets: [] },
      tagged,
    );
    expect(values).toEqual({
      bucket: "b",
      bucketNamespace: "global",
      forceDestroy: false,
      region: "eu-central-1",
      tagsAll: { team: "a" },
    });
  });
});
