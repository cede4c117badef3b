import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { Lifecycle } from "../../../src/sandbox/lifecycle.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const schema = new Schema();
const account = "111122223333";
const region = "eu-central-1";
const configuration = parseConfiguration({ region, allowedAccountIds: [account] });

let database: TestDatabase;
let lifecycle: Lifecycle;

beforeAll(async () => {
  database = await createTestDatabase();
  lifecycle = new Lifecycle(database.pool, schema, { strike: async () => {}, delayAnswer: async () => {} });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("truncate sandbox.resources, sandbox.revisions");
});

interface Made {
  readonly id: string;
  readonly arn: string;
  readonly outputs: PropertyMap;
}

function tokenOf(kind: string): string {
  const [, name = ""] = kind.split("/");
  return `aws:${kind}:${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

async function create(kind: string, values: PropertyMap): Promise<Made> {
  const { id, outputs } = await lifecycle.create(
    schema.resource(tokenOf(kind))!,
    { values, secrets: [] },
    configuration,
  );
  return { id, arn: String(outputs.values.arn), outputs: outputs.values };
}

function destroy(kind: string, { id, outputs }: Made): Promise<void> {
  return lifecycle.delete({ type: schema.resource(tokenOf(kind))!, configuration, id, state: outputs });
}

const allow = (principal: string, action = "*"): string =>
  JSON.stringify({
    Statement: [{ Effect: "Allow", Action: action, Principal: { Service: principal }, Resource: "*" }],
  });

const role = (name: string, service: string) =>
  create("iam/role", { name, assumeRolePolicy: allow(service) });
const permit = (name: string, action: string) =>
  create("iam/rolePolicy", { role: name, name: action.replace(":", "-"), policy: allow("x", action) });

async function lambda(name: string, more: PropertyMap = {}): Promise<Made> {
  const { arn } = await role(`${name}-role`, "lambda.amazonaws.com");
  return create("lambda/function", { name, role: arn, ...more });
}

/** Fails with `code` and `text` before `step`, succeeds after it. */
async function needs(
  attempt: () => Promise<unknown>,
  error: string | RegExp,
  step: () => Promise<unknown>,
): Promise<void> {
  await expect(attempt()).rejects.toThrow(error);
  await step();
  await attempt();
}

async function network(): Promise<{ vpc: Made; a: Made; b: Made }> {
  const vpc = await create("ec2/vpc", { cidrBlock: "10.0.0.0/16", enableDnsHostnames: true });
  const subnet = (n: number, zone: string) =>
    create("ec2/subnet", {
      vpcId: vpc.id,
      cidrBlock: `10.0.${n}.0/24`,
      availabilityZone: `${region}${zone}`,
    });
  return { vpc, a: await subnet(0, "a"), b: await subnet(1, "b") };
}

describe("what a function needs first", () => {
  test("its role's permissions for its network, its dead letters and its traces", async () => {
    const { a } = await network();
    const queue = await create("sqs/queue", { name: "dead" });
    const { arn } = await role("r", "lambda.amazonaws.com");
    let n = 0;
    const attempt = (more: PropertyMap) => () =>
      create("lambda/function", { name: `f${++n}`, role: arn, ...more });
    const group = await create("ec2/securityGroup", { name: "g", vpcId: a.outputs.vpcId! });
    const inVpc = { vpcConfig: { subnetIds: [a.id], securityGroupIds: [group.id] } };
    await needs(attempt(inVpc), "CreateNetworkInterface on EC2", () =>
      permit("r", "ec2:CreateNetworkInterface"),
    );
    await needs(attempt({ deadLetterConfig: { targetArn: queue.arn } }), "SendMessage on SQS", () =>
      permit("r", "sqs:SendMessage"),
    );
    await needs(attempt({ tracingConfig: { mode: "Active" } }), "PutTraceSegments on XRAY", () =>
      create("iam/rolePolicyAttachment", {
        role: "r",
        policyArn: "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
      }),
    );
  });

  test("a queue that outlasts it and a role that may read the queue", async () => {
    const fn = await lambda("f", { timeout: 60 });
    const [short, long] = [
      await create("sqs/queue", { name: "short", visibilityTimeoutSeconds: 30 }),
      await create("sqs/queue", { name: "long", visibilityTimeoutSeconds: 360 }),
    ];
    const map = (queue: Made) => () =>
      create("lambda/eventSourceMapping", { functionName: fn.arn, eventSourceArn: queue.arn });
    await expect(map(short)()).rejects.toThrow("Queue visibility timeout: 30 seconds is less than");
    await needs(map(long), "ReceiveMessage on SQS", () => permit("f-role", "sqs:*"));
  });

  test("room in the account's concurrency", async () => {
    await lambda("a", { reservedConcurrentExecutions: 600 });
    await expect(lambda("b", { reservedConcurrentExecutions: 400 })).rejects.toThrow(
      "below its minimum value of [100]: 600 are reserved, 400 more",
    );
  });
});

describe("what needs a function's permission", () => {
  test.each([
    ["s3.amazonaws.com", "s3/bucketNotification", "Unable to validate"],
    ["secretsmanager.amazonaws.com", "secretsmanager/secretRotation", "Secrets Manager cannot invoke"],
    ["logs.amazonaws.com", "cloudwatch/logSubscriptionFilter", "permission to execute your function"],
    ["config.amazonaws.com", "cfg/rule", "does not have permission to invoke"],
  ])("%s for %s", async (principal, kind, error) => {
    const fn = await lambda("f");
    await create("s3/bucket", { bucket: "bucket" });
    await create("cloudwatch/logGroup", { name: "g" });
    const secret = await create("secretsmanager/secret", { name: "s" });
    const config = await role("config", "config.amazonaws.com");
    await create("cfg/recorder", { name: "r", roleArn: config.arn });
    const inputs: Record<string, PropertyMap> = {
      "cfg/rule": { name: "r", source: { owner: "CUSTOM_LAMBDA", sourceIdentifier: fn.arn } },
      "cloudwatch/logSubscriptionFilter": {
        name: "x",
        logGroup: "g",
        filterPattern: "",
        destinationArn: fn.arn,
      },
      "s3/bucketNotification": {
        bucket: "bucket",
        lambdaFunctions: [{ lambdaFunctionArn: fn.arn, events: ["s3:ObjectCreated:*"] }],
      },
      "secretsmanager/secretRotation": { secretId: secret.id, rotationLambdaArn: fn.arn },
    };
    await needs(
      () => create(kind, inputs[kind]!),
      error,
      () => create("lambda/permission", { function: "f", principal, action: "lambda:InvokeFunction" }),
    );
  });
});

describe("what a REST API needs first", () => {
  async function api(): Promise<{ api: string; root: string }> {
    const { id, outputs } = await create("apigateway/restApi", { name: "api" });
    return { api: id, root: String(outputs.rootResourceId) };
  }

  test("a deployment needs a method, and that an integration", async () => {
    const { api: restApi, root: resourceId } = await api();
    const deploy = () => create("apigateway/deployment", { restApi });
    const part = { restApi, resourceId, httpMethod: "POST" };
    await expect(deploy()).rejects.toThrow("doesn't contain any methods");
    await create("apigateway/method", { ...part, authorization: "NONE" });
    await needs(deploy, "No integration defined for method POST", () =>
      create("apigateway/integration", { ...part, type: "MOCK" }),
    );
  });

  test("an integration needs its function, and a method a resource of its API", async () => {
    const { api: restApi, root: resourceId } = await api();
    const arn = `arn:aws:lambda:${region}:${account}:function:f`;
    const uri = `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
    await needs(
      () =>
        create("apigateway/integration", { restApi, resourceId, httpMethod: "POST", type: "AWS_PROXY", uri }),
      `uri refers to "${arn}", but there is no such Lambda Function`,
      () => lambda("f"),
    );
    await expect(
      create("apigateway/method", {
        restApi,
        resourceId: "zzzzzz",
        httpMethod: "GET",
        authorization: "NONE",
      }),
    ).rejects.toThrow('resourceId refers to "zzzzzz"');
  });

  test("logs need the account's role, and that role its permission", async () => {
    const { api: restApi, root: resourceId } = await api();
    await create("apigateway/method", { restApi, resourceId, httpMethod: "GET", authorization: "NONE" });
    await create("apigateway/integration", { restApi, resourceId, httpMethod: "GET", type: "MOCK" });
    const deployment = await create("apigateway/deployment", { restApi });
    const group = await create("cloudwatch/logGroup", { name: "access" });
    const stage = () =>
      create("apigateway/stage", {
        restApi,
        deployment: deployment.id,
        stageName: "live",
        accessLogSettings: { destinationArn: group.arn, format: "$context.requestId" },
      });
    const { arn } = await role("logs", "apigateway.amazonaws.com");
    const settings = () => create("apigateway/account", { cloudwatchRoleArn: arn });
    await expect(stage()).rejects.toThrow("CloudWatch Logs role ARN");
    await needs(settings, "does not have required permissions", () => permit("logs", "logs:*"));
    await stage();
    await create("apigateway/usagePlan", { name: "p", apiStages: [{ apiId: restApi, stage: "live" }] });
    await expect(
      create("apigateway/usagePlan", { name: "q", apiStages: [{ apiId: restApi, stage: "dev" }] }),
    ).rejects.toThrow(/dev/);
  });
});

describe("what containers and load balancers need first", () => {
  async function balancer(): Promise<{
    subnets: string[];
    group: Made;
    other: Made;
    listen: () => Promise<Made>;
  }> {
    const { vpc, a, b } = await network();
    const groupOf = (name: string) =>
      create("lb/targetGroup", { name, targetType: "ip", port: 80, protocol: "HTTP", vpcId: vpc.id });
    const [group, other] = [await groupOf("blue"), await groupOf("green")];
    const alb = await create("lb/loadBalancer", { name: "alb", internal: true, subnets: [a.id, b.id] });
    const listen = () =>
      create("lb/listener", {
        loadBalancerArn: alb.arn,
        port: 80,
        defaultActions: [{ type: "forward", targetGroupArn: group.arn }],
      });
    return { subnets: [a.id, b.id], group, other, listen };
  }

  test("a service needs its target group behind a listener and a container of that name", async () => {
    const { subnets, group, listen } = await balancer();
    const cluster = await create("ecs/cluster", { name: "c" });
    const task = await create("ecs/taskDefinition", {
      family: "f",
      networkMode: "awsvpc",
      containerDefinitions: JSON.stringify([{ name: "app", image: "public.ecr.aws/x" }]),
    });
    const service = (containerName: string) => () =>
      create("ecs/service", {
        name: "s",
        cluster: cluster.arn,
        taskDefinition: task.arn,
        networkConfiguration: { subnets },
        loadBalancers: [{ targetGroupArn: group.arn, containerName, containerPort: 80 }],
      });
    await expect(service("app")()).rejects.toThrow("does not have an associated load balancer");
    await listen();
    await expect(service("web")()).rejects.toThrow("The container web does not exist");
    await service("app")();
  });

  test("CodeDeploy needs an application of its platform and a service that it controls", async () => {
    const { subnets, group, other, listen } = await balancer();
    const listener = await listen();
    const cluster = await create("ecs/cluster", { name: "c" });
    const task = await create("ecs/taskDefinition", {
      family: "f",
      containerDefinitions: JSON.stringify([{ name: "app", image: "i" }]),
    });
    const service = (controller: string) =>
      create("ecs/service", {
        name: controller.toLowerCase(),
        cluster: cluster.arn,
        taskDefinition: task.arn,
        networkConfiguration: { subnets },
        deploymentController: { type: controller },
        loadBalancers: [{ targetGroupArn: group.arn, containerName: "app", containerPort: 80 }],
      });
    await service("ECS");
    await service("CODE_DEPLOY");
    for (const [name, computePlatform] of [
      ["fns", "Lambda"],
      ["tasks", "ECS"],
    ] as const)
      await create("codedeploy/application", { name, computePlatform });
    const { arn: serviceRoleArn } = await role("deploy", "codedeploy.amazonaws.com");
    const deploy = (appName: string, serviceName: string) =>
      create("codedeploy/deploymentGroup", {
        appName,
        deploymentGroupName: "g",
        serviceRoleArn,
        ecsService: { clusterName: "c", serviceName },
        loadBalancerInfo: {
          targetGroupPairInfo: {
            prodTrafficRoute: { listenerArns: [listener.arn] },
            targetGroups: [{ name: String(group.outputs.name) }, { name: String(other.outputs.name) }],
          },
        },
      });
    await expect(deploy("fns", "code_deploy")).rejects.toThrow("is of the platform Lambda");
    await expect(deploy("tasks", "ecs")).rejects.toThrow("CODE_DEPLOY deployment controller");
    await deploy("tasks", "code_deploy");
  });

  test("a public balancer needs a gateway, and zones of its own for its subnets", async () => {
    const { vpc, a, b } = await network();
    const twin = await create("ec2/subnet", {
      vpcId: vpc.id,
      cidrBlock: "10.0.9.0/24",
      availabilityZone: `${region}a`,
    });
    const make = (name: string, subnets: string[]) => create("lb/loadBalancer", { name, subnets });
    await expect(make("x", [a.id, twin.id])).rejects.toThrow("same Availability Zone");
    await needs(
      () => make("x", [a.id, b.id]),
      "has no Internet gateway attached",
      () => create("ec2/internetGateway", { vpcId: vpc.id }),
    );
  });

  test("scaling needs a living resource", async () => {
    const scale = (values: PropertyMap) =>
      create("appautoscaling/target", { minCapacity: 1, maxCapacity: 2, ...values });
    await expect(
      scale({
        serviceNamespace: "sagemaker",
        scalableDimension: "sagemaker:variant:DesiredInstanceCount",
        resourceId: "endpoint/e/variant/v",
      }),
    ).rejects.toThrow('resourceId refers to "e", but there is no such SageMaker AI Endpoint');
    await expect(
      scale({
        serviceNamespace: "ecs",
        scalableDimension: "ecs:service:DesiredCount",
        resourceId: "service/c/s",
      }),
    ).rejects.toThrow('resourceId refers to "s", but there is no such ECS Service');
  });
});

describe("web ACLs", () => {
  const acl = (scope: string, more: PropertyMap = {}) =>
    create("wafv2/webAcl", { name: scope.toLowerCase(), scope, defaultAction: { allow: {} }, ...more });

  test("of CloudFront are made in us-east-1 and associated by the distribution itself", async () => {
    await expect(acl("CLOUDFRONT")).rejects.toThrow("give it the region us-east-1, not eu-central-1");
    const global = await acl("CLOUDFRONT", { region: "us-east-1" });
    const regional = await acl("REGIONAL");
    const associate = (webAclArn: string, resourceArn: string) =>
      create("wafv2/webAclAssociation", { webAclArn, resourceArn, region: webAclArn.split(":")[3]! });
    const { id } = await create("apigateway/restApi", { name: "api" });
    const stage = `arn:aws:apigateway:${region}::/restapis/${id}/stages/live`;
    await expect(associate(global.arn, stage)).rejects.toThrow("both must be in one region");
    await expect(
      associate(regional.arn, `arn:aws:apigateway:${region}::/apis/${id}/stages/live`),
    ).rejects.toThrow("stages of REST APIs");
    await expect(associate(regional.arn, stage)).rejects.toThrow(/there is no such/);
  });
});

describe("regions", () => {
  test("a resource names keys and topics of its own region", async () => {
    const key = await create("kms/key", { region: "eu-west-1" });
    await expect(create("secretsmanager/secret", { name: "s", kmsKeyId: key.arn })).rejects.toThrow(
      `kmsKeyId refers to ${key.arn}, but this resource is in eu-central-1`,
    );
    await expect(create("secretsmanager/secret", { name: "s", kmsKeyId: key.id })).rejects.toThrow(
      "there is no such KMS Key",
    );
    await create("secretsmanager/secret", { name: "s", kmsKeyId: key.arn, region: "eu-west-1" });
  });

  test("parts of a bucket go through the bucket's region", async () => {
    await create("s3/bucket", { bucket: "replica", region: "eu-west-1" });
    const versioning = (more: PropertyMap) =>
      create("s3/bucketVersioning", {
        bucket: "replica",
        versioningConfiguration: { status: "Enabled" },
        ...more,
      });
    await expect(versioning({})).rejects.toThrow('PermanentRedirect: The bucket "replica" is in eu-west-1');
    await versioning({ region: "eu-west-1" });
  });

  test("a replica key is of another region than its multi-region primary", async () => {
    const plain = await create("kms/key", {});
    const primary = await create("kms/key", { multiRegion: true });
    const replica = (primaryKeyArn: string, where: string) =>
      create("kms/replicaKey", { primaryKeyArn, region: where });
    await expect(replica(plain.arn, "eu-west-1")).rejects.toThrow("not a multi-Region primary key");
    await expect(replica(primary.arn, region)).rejects.toThrow("can't be in its primary's region");
    await replica(primary.arn, "eu-west-1");
  });
});

describe("the account's services", () => {
  test("CloudTrail needs a key that lets it in", async () => {
    await create("s3/bucket", { bucket: "logs" });
    await create("s3/bucketPolicy", { bucket: "logs", policy: allow("cloudtrail.amazonaws.com") });
    const closed = await create("kms/key", {});
    const open = await create("kms/key", { policy: allow("cloudtrail.amazonaws.com") });
    const trail = (kmsKeyId: string) =>
      create("cloudtrail/trail", { name: "t", s3BucketName: "logs", kmsKeyId });
    await expect(trail(closed.arn)).rejects.toThrow("InsufficientEncryptionPolicyException");
    await trail(open.arn);
  });

  test("there is one recorder, one detector, one hub and one analyzer of a type", async () => {
    const { arn: roleArn } = await role("config", "config.amazonaws.com");
    await create("cfg/recorder", { name: "a", roleArn });
    await create("guardduty/detector", {});
    await create("securityhub/account", {});
    await create("accessanalyzer/analyzer", { analyzerName: "a", type: "ACCOUNT" });
    await expect(create("cfg/recorder", { name: "b", roleArn })).rejects.toThrow(
      "MaxNumberOfConfigurationRecordersExceededException",
    );
    await expect(create("guardduty/detector", {})).rejects.toThrow("BadRequestException");
    await expect(create("securityhub/account", {})).rejects.toThrow("ResourceConflictException");
    await expect(create("accessanalyzer/analyzer", { analyzerName: "b", type: "ACCOUNT" })).rejects.toThrow(
      "ServiceQuotaExceededException",
    );
  });

  test("conformance packs and rules need a recorder", async () => {
    await expect(create("cfg/conformancePack", { name: "p", templateBody: "x" })).rejects.toThrow(
      "NoAvailableConfigurationRecorderException",
    );
  });

  test("a location needs its registration before it is granted", async () => {
    await create("s3/bucket", { bucket: "data" });
    const { arn: principal } = await role("reader", "glue.amazonaws.com");
    await needs(
      () =>
        create("lakeformation/permissions", {
          principal,
          permissions: ["DATA_LOCATION_ACCESS"],
          dataLocation: { arn: "arn:aws:s3:::data/raw" },
        }),
      "is not registered with Lake Formation",
      () => create("lakeformation/resource", { arn: "arn:aws:s3:::data" }),
    );
  });
});

describe("quotas", () => {
  test("five targets for a rule", async () => {
    await create("cloudwatch/eventRule", { name: "r", scheduleExpression: "rate(1 day)" });
    const fn = await lambda("f");
    const target = (n: number) =>
      create("cloudwatch/eventTarget", { rule: "r", targetId: `t${n}`, arn: fn.arn });
    for (let n = 0; n < 5; n++) await target(n);
    await expect(target(5)).rejects.toThrow('the rule "r" has 5 targets, AWS allows 5');
  });

  test("10,240 characters of a role's inline policies in all", async () => {
    await role("r", "lambda.amazonaws.com");
    const policy = (name: string) =>
      create("iam/rolePolicy", { role: "r", name, policy: JSON.stringify({ Sid: "x".repeat(6000) }) });
    await policy("a");
    await policy("a");
    await expect(policy("b")).rejects.toThrow("Maximum policy size of 10240 bytes exceeded for role r");
  });

  test("five VPCs of a region", async () => {
    const vpc = (more: PropertyMap = {}) => create("ec2/vpc", { cidrBlock: "10.0.0.0/16", ...more });
    for (let n = 0; n < 5; n++) await vpc();
    await expect(vpc()).rejects.toThrow("VpcLimitExceeded: eu-central-1 of 111122223333 has 5 VPCs");
    await vpc({ region: "eu-west-1" });
  });

  test("one interface endpoint with private DNS for a service", async () => {
    const { vpc, a, b } = await network();
    const endpoint = () =>
      create("ec2/vpcEndpoint", {
        vpcId: vpc.id,
        vpcEndpointType: "Interface",
        serviceName: `com.amazonaws.${region}.logs`,
        privateDnsEnabled: true,
        subnetIds: [a.id, b.id],
      });
    await endpoint();
    await expect(endpoint()).rejects.toThrow("conflicting DNS domain");
  });
});

describe("what stands in the way of a deletion", () => {
  test("an API whose stage is in a usage plan", async () => {
    const api = await create("apigateway/restApi", { name: "api" });
    const resourceId = String(api.outputs.rootResourceId);
    const part = { restApi: api.id, resourceId, httpMethod: "GET" };
    await create("apigateway/method", { ...part, authorization: "NONE" });
    await create("apigateway/integration", { ...part, type: "MOCK" });
    const deployment = await create("apigateway/deployment", { restApi: api.id });
    await create("apigateway/stage", { restApi: api.id, deployment: deployment.id, stageName: "live" });
    const plan = await create("apigateway/usagePlan", {
      name: "p",
      apiStages: [{ apiId: api.id, stage: "live" }],
    });
    await expect(destroy("apigateway/restApi", api)).rejects.toThrow("its stages are in a usage plan");
    await destroy("apigateway/usagePlan", plan);
    await destroy("apigateway/restApi", api);
  });

  test("an alarm within a composite alarm", async () => {
    const alarm = await create("cloudwatch/metricAlarm", { name: "errors" });
    const whole = await create("cloudwatch/compositeAlarm", {
      alarmName: "any",
      alarmRule: 'ALARM("errors")',
    });
    await expect(destroy("cloudwatch/metricAlarm", alarm)).rejects.toThrow(
      "composite alarm(s) depending on it",
    );
    await destroy("cloudwatch/compositeAlarm", whole);
    await destroy("cloudwatch/metricAlarm", alarm);
  });

  test("a delivery channel under a running recorder", async () => {
    await create("s3/bucket", { bucket: "b" });
    await create("s3/bucketPolicy", { bucket: "b", policy: allow("config.amazonaws.com") });
    const { arn: roleArn } = await role("config", "config.amazonaws.com");
    await create("cfg/recorder", { name: "r", roleArn });
    const channel = await create("cfg/deliveryChannel", { name: "c", s3BucketName: "b" });
    const status = await create("cfg/recorderStatus", { name: "r", isEnabled: true });
    await expect(destroy("cfg/deliveryChannel", channel)).rejects.toThrow(
      "LastDeliveryChannelDeleteFailedException",
    );
    await destroy("cfg/recorderStatus", status);
    await destroy("cfg/deliveryChannel", channel);
  });

  test("a policy that bounds a role, and an IP set in a web ACL's rule", async () => {
    const policy = await create("iam/policy", { name: "boundary", policy: allow("x") });
    await create("iam/role", { name: "r", assumeRolePolicy: allow("x"), permissionsBoundary: policy.arn });
    await expect(destroy("iam/policy", policy)).rejects.toThrow("DeleteConflict");
    const set = await create("wafv2/ipSet", { name: "s", scope: "REGIONAL", ipAddressVersion: "IPV4" });
    await create("wafv2/webAcl", {
      name: "acl",
      scope: "REGIONAL",
      rules: [{ name: "a", statement: { ipSetReferenceStatement: { arn: set.arn } } }],
    });
    await expect(destroy("wafv2/ipSet", set)).rejects.toThrow("WAFAssociatedItemException");
  });
});
