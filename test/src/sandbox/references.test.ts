import { describe, expect, test } from "vitest";
import { referencesOf } from "../../../src/sandbox/references.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import { type PropertyMap, unknownValue } from "../../../src/sandbox/values.ts";

const schema = new Schema();
const where = { account: "111122223333", region: "eu-central-1" };

function references(token: string, inputs: PropertyMap): string[] {
  return referencesOf(schema, schema.resource(token)!, inputs, where).map(
    ({ property, value }) => `${property} ${value}`,
  );
}

describe("references that AWS looks up", () => {
  test("names and ids of known types", () => {
    expect(references("aws:s3/bucketPolicy:BucketPolicy", { bucket: "b" })).toEqual(["bucket b"]);
    expect(references("aws:ec2/subnet:Subnet", { vpcId: "vpc-1" })).toEqual(["vpcId vpc-1"]);
  });

  test("ARNs of the own account, without their qualifiers", () => {
    const trail = "aws:cloudtrail/trail:Trail";
    const group = "arn:aws:logs:eu-central-1:111122223333:log-group:g";
    expect(references(trail, { cloudWatchLogsGroupArn: `${group}:*` })).toEqual([
      `cloudWatchLogsGroupArn ${group}`,
    ]);
    const alias = "aws:lambda/eventSourceMapping:EventSourceMapping";
    const fn = "arn:aws:lambda:eu-central-1:111122223333:function:f";
    expect(references(alias, { functionName: `${fn}:live` })).toEqual([`functionName ${fn}`]);
  });

  test("not what other accounts or AWS own", () => {
    const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    expect(references(attachment, { policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" })).toEqual([]);
    expect(references(attachment, { policyArn: "arn:aws:iam::999999999999:policy/x" })).toEqual([]);
    expect(references("aws:sns/topic:Topic", { kmsMasterKeyId: "alias/aws/sns" })).toEqual([]);
    expect(references("aws:scheduler/schedule:Schedule", { groupName: "default" })).toEqual([]);
  });

  test("not what AWS takes as it is", () => {
    const query = { logGroupNames: ["g"] };
    expect(references("aws:cloudwatch/queryDefinition:QueryDefinition", query)).toEqual([]);
    expect(references("aws:sns/topicSubscription:TopicSubscription", { endpoint: "a@example.com" })).toEqual(
      [],
    );
  });

  test("not what isn't known yet", () => {
    expect(references("aws:s3/bucketPolicy:BucketPolicy", { bucket: unknownValue })).toEqual([]);
  });
});

describe("references within texts", () => {
  const account = "111122223333";
  const arn = (service: string, rest: string) => `arn:aws:${service}:eu-central-1:${account}:${rest}`;
  const fn = arn("lambda", "function:f");
  const cases: readonly (readonly [token: string, inputs: PropertyMap, references: readonly string[]])[] = [
    [
      "aws:apigateway/integration:Integration",
      { uri: `arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${fn}/invocations` },
      [`uri ${fn}`],
    ],
    [
      "aws:apigateway/integration:Integration",
      { uri: "arn:aws:apigateway:eu-central-1:runtime.sagemaker:path/endpoints/e/invocations" },
      ["uri e"],
    ],
    [
      "aws:appautoscaling/target:Target",
      { serviceNamespace: "lambda", resourceId: "function:f:live" },
      ["resourceId f"],
    ],
    [
      "aws:codepipeline/pipeline:Pipeline",
      {
        stages: [
          {
            actions: [
              { provider: "CodeBuild", configuration: { ProjectName: "p" } },
              {
                provider: "StepFunctions",
                configuration: { StateMachineArn: arn("states", "stateMachine:s") },
              },
            ],
          },
        ],
      },
      [
        "stages.actions.configuration.ProjectName p",
        `stages.actions.configuration.StateMachineArn ${arn("states", "stateMachine:s")}`,
      ],
    ],
    [
      "aws:sfn/stateMachine:StateMachine",
      {
        definition: JSON.stringify({
          States: {
            A: { Resource: "arn:aws:states:::lambda:invoke", Parameters: { FunctionName: `${fn}:live` } },
          },
        }),
      },
      [`definition ${fn}`],
    ],
    [
      "aws:sagemaker/pipeline:Pipeline",
      {
        pipelineDefinition: JSON.stringify({
          Steps: [
            {
              Arguments: {
                ModelPackageGroupName: "g",
                RoleArn: `arn:aws:iam::${account}:role/r`,
                Uri: "s3://b/x",
              },
            },
          ],
        }),
      },
      ["pipelineDefinition g", `pipelineDefinition arn:aws:iam::${account}:role/r`, "pipelineDefinition b"],
    ],
    [
      "aws:ecs/taskDefinition:TaskDefinition",
      {
        containerDefinitions: JSON.stringify([
          {
            image: `${account}.dkr.ecr.eu-central-1.amazonaws.com/team/app:1`,
            logConfiguration: { options: { "awslogs-group": "g" } },
            secrets: [{ valueFrom: `${arn("secretsmanager", "secret:s-AbCdEf")}:key::` }],
          },
        ]),
      },
      [
        `containerDefinitions.image ${arn("ecr", "repository/team/app")}`,
        "containerDefinitions.logConfiguration g",
        `containerDefinitions.secrets ${arn("secretsmanager", "secret:s-AbCdEf")}`,
      ],
    ],
    [
      "aws:lambda/function:Function",
      { imageUri: "763104351884.dkr.ecr.eu-central-1.amazonaws.com/pytorch:2" },
      [],
    ],
    [
      "aws:cloudwatch/compositeAlarm:CompositeAlarm",
      { alarmRule: `ALARM("a") OR (ALARM(b) AND NOT OK(${arn("cloudwatch", "alarm:c")}))` },
      ["alarmRule a", "alarmRule b", `alarmRule ${arn("cloudwatch", "alarm:c")}`],
    ],
    [
      "aws:codebuild/project:Project",
      {
        logsConfig: { s3Logs: { status: "ENABLED", location: "logs/builds" } },
        environment: { environmentVariables: [{ name: "A", type: "PARAMETER_STORE", value: "/a/b" }] },
      },
      ["logsConfig.s3Logs.location logs", "environment.environmentVariables /a/b"],
    ],
    [
      "aws:sqs/queue:Queue",
      { redrivePolicy: JSON.stringify({ deadLetterTargetArn: arn("sqs", "dead") }) },
      [`redrivePolicy ${arn("sqs", "dead")}`],
    ],
    [
      "aws:cloudfront/distribution:Distribution",
      {
        origins: [
          { domainName: "web.s3.eu-central-1.amazonaws.com" },
          { domainName: "abcdefghij.execute-api.eu-central-1.amazonaws.com" },
        ],
      },
      ["origins.domainName web", "origins.domainName abcdefghij"],
    ],
    ["aws:glue/crawler:Crawler", { s3Targets: [{ path: "s3://data/raw/" }] }, ["s3Targets.path data"]],
    ["aws:glue/crawler:Crawler", { s3Targets: [{ path: "s3://aws-samples/x" }] }, []],
    ["aws:sns/topicSubscription:TopicSubscription", { protocol: "lambda", endpoint: fn }, [`endpoint ${fn}`]],
    ["aws:cfg/rule:Rule", { source: { sourceIdentifier: "S3_BUCKET_VERSIONING_ENABLED" } }, []],
  ];

  test.each(cases)("%s %j", (token, inputs, expected) => {
    expect(references(token, inputs)).toEqual(expected);
  });

  test("an ARN of another kind than the property takes names nothing", () => {
    const user = `arn:aws:iam::${account}:user/admin`;
    expect(references("aws:lakeformation/dataLakeSettings:DataLakeSettings", { admins: [user] })).toEqual([]);
  });
});
