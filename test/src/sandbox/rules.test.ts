import { describe, expect, test } from "vitest";
import { ruleFailures } from "../../../src/sandbox/rules/all.ts";
import { type PropertyMap, type PropertyValue, pathText, unknownValue } from "../../../src/sandbox/values.ts";

/** What is said against the inputs, one line each. */
function failures(kind: string, inputs: PropertyMap): string {
  return ruleFailures(`aws:${kind}:X`, inputs)
    .map(({ path, message }) => `${pathText(path)} ${message}`)
    .join("\n");
}

type Case = readonly [kind: string, good: PropertyMap, change: PropertyMap, failure: RegExp];

const account = "111122223333";
const arn = (service: string, rest: string) => `arn:aws:${service}:eu-central-1:${account}:${rest}`;
const fn = arn("lambda", "function:f");
const invoke = `arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${fn}/invocations`;

const method: PropertyMap = { authorization: "NONE" };
const integration: PropertyMap = { type: "AWS_PROXY", uri: invoke, integrationHttpMethod: "POST" };
const lambda: PropertyMap = { handler: "index.handler", runtime: "nodejs24.x" };
const mapping: PropertyMap = { eventSourceArn: arn("sqs", "q"), functionName: "f" };
const alarm: PropertyMap = {
  metricName: "Errors",
  namespace: "AWS/Lambda",
  period: 60,
  evaluationPeriods: 5,
  statistic: "Sum",
  threshold: 1,
};
const rule: PropertyMap = { eventPattern: JSON.stringify({ source: ["aws.s3"] }) };
const budget: PropertyMap = {
  limitAmount: "10",
  limitUnit: "USD",
  notifications: [{ subscriberEmailAddresses: ["a@example.com"] }],
};
const source = {
  name: "Source",
  actions: [
    {
      name: "S3",
      category: "Source",
      provider: "S3",
      outputArtifacts: ["code"],
      configuration: { S3Bucket: "b", S3ObjectKey: "k" },
    },
  ],
};
const build = {
  name: "Build",
  actions: [
    {
      name: "Build",
      category: "Build",
      provider: "CodeBuild",
      inputArtifacts: ["code"],
      outputArtifacts: ["image"],
      configuration: { ProjectName: "p" },
    },
  ],
};
const pipeline: PropertyMap = {
  pipelineType: "V2",
  stages: [source, build],
  artifactStores: [{ type: "S3" }],
};
const project: PropertyMap = {
  source: {
    type: "CODEPIPELINE",
    buildspec: "version: 0.2\nphases:\n  build:\n    commands:\n      - npm test\n",
  },
  artifacts: { type: "CODEPIPELINE" },
};
const blueGreen: PropertyMap = {
  deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
  ecsService: { clusterName: "c", serviceName: "s" },
  blueGreenDeploymentConfig: {},
  loadBalancerInfo: {
    targetGroupPairInfo: {
      prodTrafficRoute: { listenerArns: ["l"] },
      targetGroups: [{ name: "blue" }, { name: "green" }],
    },
  },
};
const machine: PropertyMap = {
  definition: JSON.stringify({
    StartAt: "Check",
    States: {
      Check: {
        Type: "Choice",
        Choices: [{ Variable: "$.ok", BooleanEquals: true, Next: "Release" }],
        Default: "Stop",
      },
      Release: { Type: "Task", Resource: "arn:aws:states:::lambda:invoke", End: true },
      Stop: { Type: "Fail" },
    },
  }),
};
const states = (change: object) => ({
  definition: JSON.stringify({
    StartAt: "A",
    States: { A: { Type: "Task", Resource: fn, End: true, ...change } },
  }),
});
const training: PropertyMap = {
  pipelineDefinition: JSON.stringify({
    Version: "2020-12-01",
    Parameters: [{ Name: "Input", Type: "String" }],
    Steps: [
      { Name: "Process", Type: "Processing", Arguments: { Uri: { Get: "Parameters.Input" } } },
      {
        Name: "Train",
        Type: "Training",
        DependsOn: ["Process"],
        Arguments: { S3: { Get: "Steps.Process.Out" } },
      },
    ],
  }),
};
const steps = (...Steps: object[]) => ({
  pipelineDefinition: JSON.stringify({ Version: "2020-12-01", Steps }),
});
const step = (Name: string, more: object = {}) => ({ Name, Type: "Training", Arguments: {}, ...more });
const dashboard = (...widgets: object[]) => ({ dashboardBody: JSON.stringify({ widgets }) });
const widget = (metrics: number, more: object = {}) => ({
  type: "metric",
  width: 6,
  properties: { region: "eu-central-1", metrics: Array.from({ length: metrics }, (_, n) => ["NS", `m${n}`]) },
  ...more,
});
const acl = (statement: object, action: object) => ({
  defaultAction: { allow: {} },
  rules: [{ name: "r", priority: 1, statement, ...action } as PropertyMap],
});
const notification: PropertyMap = {
  queues: [{ queueArn: "q", events: ["s3:ObjectCreated:*"], filterPrefix: "raw/" }],
};
const lifecycle = (one: object) => ({ rules: [{ id: "r", status: "Enabled", ...one }] }) as PropertyMap;
const grant: PropertyMap = { principal: "p", permissions: ["DESCRIBE"], database: { name: "d" } };
const template: PropertyMap = {
  actions: [{ name: "stop", actionId: "aws:ecs:stop-task", target: { key: "Tasks", value: "tasks" } }],
  targets: [{ name: "tasks", selectionMode: "PERCENT(50)", resourceArns: ["t"] }],
  stopConditions: [{ source: "aws:cloudwatch:alarm", value: arn("cloudwatch", "alarm:a") }],
};
const plan = (one: object) =>
  ({ rules: [{ ruleName: "daily", targetVaultName: "v", ...one }] }) as PropertyMap;
const features = [
  { featureName: "id", featureType: "String" },
  { featureName: "at", featureType: "Fractional" },
];
const group: PropertyMap = {
  recordIdentifierFeatureName: "id",
  eventTimeFeatureName: "at",
  featureDefinitions: features,
  offlineStoreConfig: {},
};
const variant = (more: object) => ({ productionVariants: [{ variantName: "a", ...more }] }) as PropertyMap;
const serverless = variant({ serverlessConfig: { memorySizeInMb: 2048, maxConcurrency: 10 } });
const task: PropertyMap = {
  requiresCompatibilities: ["FARGATE"],
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  executionRoleArn: "r",
  containerDefinitions: JSON.stringify([{ name: "app", image: "i" }]),
};
const trail: PropertyMap = {};
const distribution: PropertyMap = {
  origins: [{ originId: "api" }],
  defaultCacheBehavior: { targetOriginId: "api" },
  viewerCertificate: { cloudfrontDefaultCertificate: true },
};
const groupRule: PropertyMap = { ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "10.0.0.0/16" };
const table: PropertyMap = { attributes: [{ name: "id", type: "S" }], hashKey: "id" };

const cases: readonly Case[] = [
  [
    "apigateway/method",
    method,
    { authorization: "CUSTOM" },
    /authorizerId is required by the authorization CUSTOM/,
  ],
  [
    "apigateway/authorizer",
    { type: "TOKEN", authorizerUri: invoke },
    { authorizerUri: null },
    /authorizerUri is required/,
  ],
  ["apigateway/integration", integration, { uri: fn }, /must be the function's invokeArn/],
  ["apigateway/integration", integration, { integrationHttpMethod: "GET" }, /must be "POST"/],
  ["apigateway/integration", integration, { connectionType: "VPC_LINK" }, /connectionId is required/],
  ["apigateway/model", { schema: "{}" }, { schema: "{" }, /Invalid model schema/],
  ["apigateway/restApi", {}, { endpointConfiguration: { types: "PRIVATE" } }, /resource policy/],
  ["apigateway/stage", {}, { accessLogSettings: { format: "hello" } }, /context variables/],
  [
    "cloudfront/distribution",
    distribution,
    { defaultCacheBehavior: { targetOriginId: "web" } },
    /none of the origins: api/,
  ],
  [
    "cloudfront/distribution",
    distribution,
    { viewerCertificate: { acmCertificateArn: arn("acm", "certificate/x"), sslSupportMethod: "sni-only" } },
    /certificate of us-east-1/,
  ],
  [
    "cloudfront/distribution",
    distribution,
    { webAclId: arn("wafv2", "regional/webacl/x/y") },
    /scope CLOUDFRONT in us-east-1/,
  ],
  [
    "wafv2/webAcl",
    acl({ rateBasedStatement: {} }, { action: { block: {} } }),
    acl({ rateBasedStatement: {} }, {}),
    /action is required by rule "r"/,
  ],
  [
    "wafv2/webAcl",
    acl({ managedRuleGroupStatement: {} }, { overrideAction: { none: {} } }),
    acl({ managedRuleGroupStatement: {} }, { action: { block: {} } }),
    /use overrideAction/,
  ],
  ["wafv2/webAcl", { defaultAction: { allow: {} } }, { defaultAction: {} }, /either allow or block/],
  [
    "wafv2/webAclLoggingConfiguration",
    { logDestinationConfigs: [arn("logs", "log-group:aws-waf-logs-x")] },
    { logDestinationConfigs: [arn("logs", "log-group:x")] },
    /begin with "aws-waf-logs-"/,
  ],
  ["lambda/function", lambda, { runtime: null }, /runtime is required/],
  [
    "lambda/function",
    { packageType: "Image", imageUri: "i" },
    { handler: "h" },
    /handler is not for functions of packageType Image/,
  ],
  ["lambda/function", lambda, { environment: { variables: { AWS_REGION: "x" } } }, /reserved by Lambda/],
  [
    "lambda/function",
    lambda,
    { environment: { variables: { BIG: "x".repeat(4090) } } },
    /AWS allows 4096: keep settings in a parameter/,
  ],
  ["lambda/function", lambda, { layers: ["1", "2", "3", "4", "5", "6"] }, /has 6 layers, AWS allows 5/],
  ["lambda/eventSourceMapping", mapping, { batchSize: 100 }, /at least 1 for a batchSize of 100/],
  ["lambda/eventSourceMapping", mapping, { startingPosition: "LATEST" }, /not for queues/],
  ["lambda/eventSourceMapping", mapping, { scalingConfig: { maximumConcurrency: 1 } }, /between 2 and 1000/],
  ["ecs/taskDefinition", task, { memory: "4096" }, /No Fargate configuration exists/],
  ["ecs/taskDefinition", task, { networkMode: "bridge" }, /only supports network mode 'awsvpc'/],
  [
    "ecs/taskDefinition",
    task,
    {
      executionRoleArn: null,
      containerDefinitions: JSON.stringify([{ name: "a", image: "i", secrets: [] }]),
    },
    /execution role/,
  ],
  [
    "ecs/service",
    { launchType: "FARGATE", taskDefinition: "t", networkConfiguration: {} },
    { networkConfiguration: null },
    /Network Configuration must be provided/,
  ],
  [
    "ecs/service",
    { taskDefinition: "t" },
    { deploymentController: { type: "CODE_DEPLOY" } },
    /exactly one target group/,
  ],
  ["lb/loadBalancer", { subnets: ["a", "b"] }, { subnets: ["a"] }, /At least two subnets/],
  ["lb/loadBalancer", { name: "a" }, { name: "internal-a" }, /must not begin with "internal-"/],
  [
    "lb/targetGroup",
    { targetType: "ip", port: 80, protocol: "HTTP", vpcId: "v" },
    { vpcId: null },
    /vpcId is required/,
  ],
  [
    "lb/listener",
    { protocol: "HTTPS", certificateArn: "c" },
    { certificateArn: null },
    /A certificate must be specified/,
  ],
  [
    "lb/listener",
    { defaultActions: [{ type: "forward", targetGroupArn: "t" }] },
    { defaultActions: [{ type: "forward" }] },
    /of type forward needs/,
  ],
  ["lb/listenerRule", { priority: 1 }, { priority: 60_000 }, /between 1 and 50000/],
  [
    "appautoscaling/target",
    { minCapacity: 1, maxCapacity: 2 },
    { minCapacity: 3 },
    /must not exceed maxCapacity/,
  ],
  [
    "appautoscaling/target",
    { serviceNamespace: "ecs", scalableDimension: "ecs:service:DesiredCount" },
    { serviceNamespace: "lambda" },
    /Unsupported service namespace/,
  ],
  [
    "appautoscaling/policy",
    { policyType: "TargetTrackingScaling", targetTrackingScalingPolicyConfiguration: {} },
    { policyType: "StepScaling" },
    /stepScalingPolicyConfiguration is required/,
  ],
  [
    "s3/bucketNotification",
    notification,
    { topics: [{ topicArn: "t", events: ["s3:ObjectCreated:Put"], filterPrefix: "raw/a" }] },
    /Cannot have overlapping suffixes .* \(s3:ObjectCreated:\*\): merge it with queues 0/,
  ],
  [
    "s3/bucketNotification",
    notification,
    { topics: [{ topicArn: "t", events: ["created"] }] },
    /no valid event "created"/,
  ],
  [
    "s3/bucketLifecycleConfiguration",
    lifecycle({ expiration: { days: 400 } }),
    lifecycle({}),
    /At least one action/,
  ],
  [
    "s3/bucketLifecycleConfiguration",
    lifecycle({ transitions: [{ days: 90, storageClass: "GLACIER" }] }),
    lifecycle({ transitions: [{ days: 5, storageClass: "STANDARD_IA" }] }),
    /greater than or equal to 30/,
  ],
  [
    "s3/bucketLifecycleConfiguration",
    lifecycle({ transitions: [{ days: 90, storageClass: "GLACIER" }], expiration: { days: 365 } }),
    lifecycle({ transitions: [{ days: 90, storageClass: "GLACIER" }], expiration: { days: 30 } }),
    /30 is not more than 90/,
  ],
  [
    "s3/bucketLifecycleConfiguration",
    {},
    { rules: Array.from({ length: 1001 }, (_, n) => ({ id: `r${n}`, expiration: { days: 1 } })) },
    /has 1001 rules, AWS allows 1000/,
  ],
  [
    "s3/bucketReplicationConfig",
    { rules: [{ destination: {} }] },
    {
      rules: [
        { destination: {}, sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } } },
      ],
    },
    /EncryptionConfiguration must be specified/,
  ],
  [
    "s3/bucketReplicationConfig",
    { rules: [{ filter: {}, deleteMarkerReplication: {} }] },
    { rules: [{ filter: {} }] },
    /DeleteMarkerReplication must be specified/,
  ],
  ["sqs/queue", { name: "q" }, { name: "q.fifo" }, /must not end with "\.fifo"/],
  [
    "sqs/queue",
    { redrivePolicy: JSON.stringify({ deadLetterTargetArn: "a", maxReceiveCount: 5 }) },
    { redrivePolicy: JSON.stringify({ deadLetterTargetArn: "a", maxReceiveCount: 0 }) },
    /between 1 and 1000/,
  ],
  [
    "sns/topicSubscription",
    { protocol: "email", endpoint: "a@example.com" },
    { endpoint: "a" },
    /no endpoint of email/,
  ],
  [
    "secretsmanager/secretVersion",
    { secretString: "x" },
    { secretString: "x".repeat(65_537) },
    /AWS allows 65536/,
  ],
  [
    "secretsmanager/secretRotation",
    { rotationRules: { automaticallyAfterDays: 30 } },
    { rotationRules: { automaticallyAfterDays: 2000 } },
    /between 1 and 1000/,
  ],
  [
    "ssm/parameter",
    { name: "/a", value: "x" },
    { value: "x".repeat(4097) },
    /has 4097 bytes, AWS allows 4096: use the Advanced tier/,
  ],
  [
    "ssm/parameter",
    { name: "/a", tier: "Advanced", value: "x".repeat(5000) },
    { value: "x".repeat(8193) },
    /AWS allows 8192/,
  ],
  ["ssm/parameter", { name: "/a" }, { name: "/aws/x" }, /must not begin with "aws"/],
  ["dynamodb/table", table, { rangeKey: "at" }, /at is not defined/],
  [
    "dynamodb/table",
    table,
    { attributes: [{ name: "id" }, { name: "at" }] },
    /all attributes must be indexed: at/,
  ],
  [
    "kms/key",
    { customerMasterKeySpec: "RSA_3072", keyUsage: "SIGN_VERIFY" },
    { enableKeyRotation: true },
    /can't rotate/,
  ],
  [
    "kms/key",
    { customerMasterKeySpec: "ECC_NIST_P384", keyUsage: "SIGN_VERIFY" },
    { keyUsage: "ENCRYPT_DECRYPT" },
    /use SIGN_VERIFY or KEY_AGREEMENT/,
  ],
  ["kms/alias", { name: "alias/a" }, { name: "a" }, /must begin with "alias\/"/],
  [
    "cloudwatch/metricAlarm",
    alarm,
    { alarmActions: ["1", "2", "3", "4", "5", "6"] },
    /has 6 actions, AWS allows 5/,
  ],
  ["cloudwatch/metricAlarm", alarm, { period: 45 }, /10, 20, 30 or a multiple of 60/],
  ["cloudwatch/metricAlarm", alarm, { period: 300, evaluationPeriods: 300 }, /more than 86400 seconds/],
  ["cloudwatch/metricAlarm", alarm, { datapointsToAlarm: 6 }, /must not exceed evaluationPeriods/],
  ["cloudwatch/metricAlarm", alarm, { statistic: null }, /statistic or extendedStatistic is required/],
  ["cloudwatch/compositeAlarm", { alarmRule: 'ALARM("a")' }, { alarmRule: 'ALARM("a"' }, /unbalanced/],
  [
    "cloudwatch/dashboard",
    dashboard(widget(500)),
    dashboard(widget(501)),
    /has 501 metrics in widget 0, AWS allows 500/,
  ],
  [
    "cloudwatch/dashboard",
    dashboard(widget(1)),
    dashboard(...Array.from({ length: 6 }, () => widget(450))),
    /has 2700 metrics in all, AWS allows 2500/,
  ],
  [
    "cloudwatch/dashboard",
    dashboard(widget(1)),
    dashboard(widget(1, { x: 20, width: 6 })),
    /reaches column 26/,
  ],
  [
    "cloudwatch/dashboard",
    dashboard(widget(1)),
    dashboard({ type: "text", properties: { markdown: "x".repeat(1_048_576) } }),
    /AWS allows 1048576/,
  ],
  [
    "cloudwatch/eventRule",
    rule,
    { eventPattern: JSON.stringify({ source: "aws.s3" }) },
    /"source" must be an object or an array/,
  ],
  [
    "cloudwatch/eventRule",
    rule,
    { eventPattern: JSON.stringify({ source: Array.from({ length: 300 }, (_, n) => `aws.s${n}`) }) },
    /AWS allows 2048/,
  ],
  [
    "cloudwatch/eventRule",
    { scheduleExpression: "rate(1 day)" },
    { scheduleExpression: "rate(2 day)" },
    /the unit of 2 is plural/,
  ],
  [
    "cloudwatch/eventRule",
    { scheduleExpression: "cron(0 3 * * ? *)" },
    { scheduleExpression: "cron(0 3 * * *)" },
    /has 6 fields/,
  ],
  [
    "cloudwatch/eventTarget",
    { arn: fn },
    { arn: arn("states", "stateMachine:s") },
    /roleArn is required for target/,
  ],
  ["cloudwatch/eventTarget", { arn: fn }, { input: "{}", inputPath: "$.a" }, /conflicts with inputPath/],
  [
    "scheduler/schedule",
    { scheduleExpression: "at(2030-01-01T00:00:00)" },
    { flexibleTimeWindow: { mode: "FLEXIBLE" } },
    /maximumWindowInMinutes is required/,
  ],
  [
    "budgets/budget",
    budget,
    { notifications: Array.from({ length: 6 }, () => ({ subscriberEmailAddresses: ["a"] })) },
    /has 6 notifications, AWS allows 5/,
  ],
  [
    "budgets/budget",
    budget,
    { notifications: [{ subscriberSnsTopicArns: ["a", "b"] }] },
    /has 2 topics, AWS allows 1/,
  ],
  [
    "budgets/budget",
    budget,
    { notifications: [{ subscriberEmailAddresses: Array.from({ length: 11 }, () => "a") }] },
    /AWS allows 10/,
  ],
  ["xray/samplingRule", { version: 1 }, { version: 2 }, /must be 1/],
  ["codepipeline/pipeline", pipeline, { stages: [source] }, /minimum of 2 stages/],
  [
    "codepipeline/pipeline",
    pipeline,
    { stages: [build, source] },
    /first stage may contain only source actions/,
  ],
  [
    "codepipeline/pipeline",
    pipeline,
    { stages: [source, { ...build, actions: [{ ...build.actions[0]!, inputArtifacts: ["other"] }] }] },
    /"other" of "Build" is made by no earlier action/,
  ],
  [
    "codepipeline/pipeline",
    pipeline,
    { stages: [source, { ...build, actions: [{ ...build.actions[0]!, configuration: {} }] }] },
    /missing required configuration 'ProjectName'/,
  ],
  ["codepipeline/pipeline", pipeline, { pipelineType: "V1", triggers: [{}] }, /needs the pipelineType V2/],
  [
    "codebuild/project",
    project,
    { artifacts: { type: "NO_ARTIFACTS" } },
    /must be CODEPIPELINE if the source's is/,
  ],
  [
    "codebuild/project",
    project,
    { source: { type: "CODEPIPELINE", buildspec: "version: 0.2\nphases:\n  test:\n    commands: []\n" } },
    /unknown phase "test"/,
  ],
  [
    "codebuild/project",
    project,
    { source: { type: "CODEPIPELINE", buildspec: "version: 0.2\nphases: [\n" } },
    /YAML_FILE_ERROR/,
  ],
  [
    "codebuild/project",
    project,
    { environment: { environmentVariables: [{ name: "CODEBUILD_X" }] } },
    /rename "CODEBUILD_X"/,
  ],
  [
    "codedeploy/deploymentGroup",
    blueGreen,
    {
      loadBalancerInfo: {
        targetGroupPairInfo: { targetGroups: [{ name: "a" }], prodTrafficRoute: { listenerArns: ["l"] } },
      },
    },
    /exactly two target groups for ECS, not 1/,
  ],
  [
    "codedeploy/deploymentGroup",
    blueGreen,
    { deploymentStyle: { deploymentType: "IN_PLACE" } },
    /must be BLUE_GREEN/,
  ],
  [
    "codedeploy/deploymentGroup",
    blueGreen,
    { autoRollbackConfiguration: { events: ["DEPLOYMENT_STOP_ON_ALARM"] } },
    /alarmConfiguration is required/,
  ],
  [
    "codedeploy/deploymentConfig",
    { computePlatform: "Lambda", trafficRoutingConfig: {} },
    { minimumHealthyHosts: {} },
    /not for the platform Lambda/,
  ],
  ["sfn/stateMachine", machine, states({ End: undefined, Next: "B" }), /goes on to "B", which is no state/],
  ["sfn/stateMachine", machine, states({ Next: "A" }), /either Next or End/],
  ["sfn/stateMachine", machine, states({ Resource: undefined }), /must name its Resource/],
  [
    "sfn/stateMachine",
    machine,
    { definition: JSON.stringify({ StartAt: "Z", States: { A: { Type: "Succeed" } } }) },
    /StartAt names "Z"/,
  ],
  [
    "sfn/stateMachine",
    machine,
    {
      definition: JSON.stringify({
        StartAt: "A",
        States: { A: { Type: "Succeed" }, B: { Type: "Succeed" } },
      }),
    },
    /"B" is not reachable/,
  ],
  [
    "sfn/stateMachine",
    machine,
    {
      definition: JSON.stringify({
        StartAt: "A",
        States: {
          A: { Type: "Map", ItemProcessor: { StartAt: "X", States: { Y: { Type: "Succeed" } } }, End: true },
        },
      }),
    },
    /StartAt names "X", which is no state at A\[0\]/,
  ],
  [
    "sfn/stateMachine",
    machine,
    { loggingConfiguration: { level: "ALL", logDestination: arn("logs", "log-group:g") } },
    /must end with ":\*"/,
  ],
  ["fis/experimentTemplate", template, { targets: [] }, /names the target "tasks", which is none of/],
  [
    "fis/experimentTemplate",
    template,
    { stopConditions: [{ source: "aws:cloudwatch:alarm" }] },
    /value is required/,
  ],
  [
    "sagemaker/pipeline",
    training,
    { pipelineDefinition: JSON.stringify({ Version: "2019", Steps: [step("A")] }) },
    /Version must be "2020-12-01"/,
  ],
  ["sagemaker/pipeline", training, steps(step("A"), step("A")), /Two steps have the name "A"/],
  [
    "sagemaker/pipeline",
    training,
    steps(step("A", { DependsOn: ["B"] })),
    /depends on "B", which is no step/,
  ],
  [
    "sagemaker/pipeline",
    training,
    steps(step("A", { Arguments: { X: { Get: "Parameters.P" } } })),
    /no such parameter/,
  ],
  [
    "sagemaker/pipeline",
    training,
    steps(step("A", { Arguments: { X: { Get: "Steps.B.Y" } } })),
    /no such step/,
  ],
  [
    "sagemaker/pipeline",
    training,
    steps(step("A", { DependsOn: ["B"] }), step("B", { DependsOn: ["A"] })),
    /depend on each other: A → B → A/,
  ],
  ["sagemaker/pipeline", training, steps(step("A", { Type: "Tune" })), /has the type "Tune"/],
  [
    "sagemaker/pipeline",
    training,
    { pipelineDefinition: `{"a":"${"x".repeat(1_048_576)}"}` },
    /AWS allows 1048576/,
  ],
  [
    "sagemaker/endpointConfiguration",
    serverless,
    variant({ serverlessConfig: { memorySizeInMb: 2000, maxConcurrency: 10 } }),
    /must be one of 1024/,
  ],
  [
    "sagemaker/endpointConfiguration",
    serverless,
    { dataCaptureConfig: {} },
    /not supported by serverless endpoints/,
  ],
  [
    "sagemaker/endpointConfiguration",
    variant({ instanceType: "ml.m5.large" }),
    variant({}),
    /a serverlessConfig or an instanceType/,
  ],
  [
    "sagemaker/featureGroup",
    group,
    { recordIdentifierFeatureName: "key" },
    /"key", which is not among the featureDefinitions/,
  ],
  [
    "sagemaker/featureGroup",
    group,
    {
      featureDefinitions: [
        { featureName: "id", featureType: "String" },
        { featureName: "at", featureType: "Integral" },
      ],
    },
    /"at" is Integral/,
  ],
  ["sagemaker/notebookInstance", {}, { directInternetAccess: "Disabled" }, /subnetId is required/],
  [
    "sagemaker/notebookInstanceLifecycleConfiguration",
    { onStart: "YQ==" },
    { onStart: "#!/bin/bash" },
    /must be base64/,
  ],
  [
    "sagemaker/monitoringSchedule",
    {
      monitoringScheduleConfig: {
        monitoringJobDefinitionName: "d",
        scheduleConfig: { scheduleExpression: "cron(0 * ? * * *)" },
      },
    },
    {
      monitoringScheduleConfig: {
        monitoringJobDefinitionName: "d",
        scheduleConfig: { scheduleExpression: "cron(5 * ? * * *)" },
      },
    },
    /hourly or daily/,
  ],
  [
    "sagemaker/model",
    { primaryContainer: { image: "i" } },
    { primaryContainer: { modelDataUrl: "u" } },
    /an image or a modelPackageName/,
  ],
  ["glue/catalogDatabase", { name: "team_db" }, { name: "Team-DB" }, /lower-case letters, digits and _/],
  [
    "glue/catalogTable",
    { name: "t" },
    { storageDescriptor: { columns: [{ name: "a" }, { name: "A" }] } },
    /two columns "a"/,
  ],
  [
    "glue/crawler",
    { s3Targets: [{ path: "s3://b" }] },
    { s3Targets: null },
    /or another kind of target is required/,
  ],
  ["glue/job", { workerType: "G.1X", numberOfWorkers: 2 }, { maxCapacity: 2 }, /conflicts with workerType/],
  ["glue/job", { command: { name: "pythonshell" } }, { maxRetries: 11 }, /between 0 and 10/],
  ["lakeformation/permissions", grant, { permissions: ["SELECT"] }, /database takes ALL, ALTER/],
  [
    "lakeformation/permissions",
    grant,
    { table: { databaseName: "d", name: "t" } },
    /exactly one of .* must be set, 2 is/,
  ],
  [
    "lakeformation/permissions",
    grant,
    { permissionsWithGrantOptions: ["ALTER"] },
    /ALTER must be among the permissions too/,
  ],
  [
    "backup/plan",
    plan({}),
    plan({ lifecycle: { coldStorageAfter: 30, deleteAfter: 60 } }),
    /at least 90 days after/,
  ],
  [
    "backup/plan",
    plan({}),
    plan({ enableContinuousBackup: true, lifecycle: { deleteAfter: 90 } }),
    /kept 1 to 35 days/,
  ],
  ["backup/plan", plan({}), plan({ startWindow: 60, completionWindow: 60 }), /at least 60 minutes more/],
  ["backup/selection", { resources: ["*"] }, { resources: null }, /or selectionTags is required/],
  [
    "cfg/rule",
    { source: { owner: "AWS", sourceIdentifier: "X" } },
    { source: { owner: "AWS" } },
    /needs a sourceIdentifier/,
  ],
  ["cfg/rule", { inputParameters: '{"a":"1"}' }, { inputParameters: '{"a":1}' }, /"a" must be text/],
  [
    "cloudtrail/trail",
    trail,
    {
      eventSelectors: [{}],
      advancedEventSelectors: [{ fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] }],
    },
    /conflicts with advancedEventSelectors/,
  ],
  [
    "cloudtrail/trail",
    trail,
    { advancedEventSelectors: [{ fieldSelectors: [{ field: "eventCategory", equals: ["Data"] }] }] },
    /field selector for resources\.type/,
  ],
  ["cloudtrail/trail", trail, { cloudWatchLogsGroupArn: arn("logs", "log-group:g") }, /belong together/],
  [
    "ecr/lifecyclePolicy",
    {},
    {
      policy: JSON.stringify({
        rules: [
          { rulePriority: 1, selection: { tagStatus: "any" } },
          { rulePriority: 2, selection: { tagStatus: "untagged" } },
        ],
      }),
    },
    /must have the highest priority number/,
  ],
  [
    "ecr/registryScanningConfiguration",
    { scanType: "BASIC" },
    { rules: [{ scanFrequency: "CONTINUOUS_SCAN" }] },
    /BASIC scanning takes/,
  ],
  ["ec2/vpc", { cidrBlock: "10.0.0.0/16" }, { cidrBlock: "10.0.0.0/8" }, /range of \/16 to \/28/],
  [
    "ec2/securityGroup",
    {},
    { ingress: Array.from({ length: 61 }, () => ({ self: true })) },
    /has 61 rules, AWS allows 60/,
  ],
  [
    "ec2/vpcEndpoint",
    { vpcEndpointType: "Gateway", serviceName: "com.amazonaws.eu-central-1.s3" },
    { serviceName: "com.amazonaws.eu-central-1.logs" },
    /has no gateway endpoint: use Interface/,
  ],
  ["ec2/vpcEndpoint", { vpcEndpointType: "Gateway" }, { subnetIds: ["s"] }, /not for gateway endpoints/],
  ["ec2/networkAcl", {}, { ingress: [{ ruleNo: 1 }, { ruleNo: 1 }] }, /two rules of the number 1/],
  ["ec2/flowLog", { iamRoleArn: "r" }, { iamRoleArn: null }, /iamRoleArn is required/],
  ["vpc/securityGroupIngressRule", groupRule, { prefixListId: "pl-1" }, /exactly one of cidrIpv4/],
  ["vpc/securityGroupEgressRule", groupRule, { ipProtocol: "-1" }, /mean nothing with all protocols/],
  [
    "iam/role",
    {},
    { managedPolicyArns: Array.from({ length: 11 }, (_, n) => `p${n}`) },
    /has 11 policies, AWS allows 10/,
  ],
];

describe("what AWS refuses about inputs", () => {
  test.each(cases)("%s %j", (kind, good, change, failure) => {
    expect(failures(kind, good)).toBe("");
    expect(failures(kind, { ...good, ...change } as PropertyMap)).toMatch(failure);
  });

  const distinct = new Map(
    cases.map(([kind, good]) => [`${kind} ${JSON.stringify(good)}`, [kind, good] as const]),
  );

  test.each([...distinct.values()])("%s passes what isn't known yet in %j", (kind, good) => {
    const complaints = withUnknowns(good).map((inputs) => failures(kind, inputs));
    expect(complaints.filter((one) => one !== "")).toEqual([]);
  });
});

/** The value with each of its parts in turn replaced by the unknown. */
function withUnknowns(inputs: PropertyMap): PropertyMap[] {
  return Object.entries(inputs).flatMap(([name, value]) =>
    variants(value).map((variant) => ({ ...inputs, [name]: variant })),
  );
}

function variants(value: PropertyValue): PropertyValue[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item, index) => variants(item).map((variant) => value.with(index, variant)));
    return [unknownValue, ...items];
  }
  return typeof value === "object" && value !== null
    ? [unknownValue, ...withUnknowns(value)]
    : [unknownValue];
}
