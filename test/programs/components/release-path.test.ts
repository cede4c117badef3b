import { describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { RELEASE_GUARD } from "../../../programs/serving/alarms.ts";
import { ACCOUNT, PRODUCTION_FOUNDATION } from "../support/inputs.ts";
import { actionsOf, grantOf, learningRun, productionRun } from "../support/pipeline-runs.ts";
import { ofType, type Run, resource } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const patternOf = (run: Run, rule: string) =>
  JSON.parse(String(resource(run, "cloudwatch/eventRule:EventRule", rule).inputs.eventPattern));
const targetOf = (run: Run, name: string) => resource(run, "cloudwatch/eventTarget:EventTarget", name).inputs;

describe("the release path", () => {
  it("starts when a version is approved, with that version", async () => {
    const run = await learningRun();
    expect(patternOf(run, "approved").detail).toEqual({
      ModelPackageGroupName: [names.named("models")],
      ModelApprovalStatus: ["Approved"],
    });
    expect(targetOf(run, "approved-release")).toMatchObject({
      arn: "arn:aws:test:::release-machine",
      roleArn: "arn:aws:test:::starts-role",
      inputTransformer: {
        inputPaths: { model: "$.detail.ModelPackageArn" },
        inputTemplate: '{"trigger":"approval","modelPackageArn":"<model>"}',
      },
    });
  });

  it("goes back when the alarm that guards releases rings", async () => {
    const run = await learningRun();
    const alarm = names.named(RELEASE_GUARD);
    expect(patternOf(run, "serving-alarm").detail).toEqual({
      alarmName: [alarm],
      state: { value: ["ALARM"] },
    });
    expect(
      ofType(run, "cloudwatch/compositeAlarm:CompositeAlarm").map(({ inputs }) => inputs.alarmName),
    ).toContain(alarm);
    expect(targetOf(run, "serving-alarm-release")).toMatchObject({ arn: "arn:aws:test:::release" });
  });

  it("logs every step without data into an encrypted group, and traces", async () => {
    const run = await learningRun();
    const { inputs } = resource(run, "sfn/stateMachine:StateMachine", "release-machine");
    expect(inputs).toMatchObject({
      type: "STANDARD",
      loggingConfiguration: { level: "ALL", includeExecutionData: false },
      tracingConfiguration: { enabled: true },
    });
    expect(resource(run, "cloudwatch/logGroup:LogGroup", "release-machine-logs").inputs).toMatchObject({
      name: "/aws/vendedlogs/aidlc/fraud/churn/release",
      kmsKeyId: "arn:aws:test:::logs-key",
    });
  });

  it("tells when a release fails, runs out of time or is stopped", async () => {
    const run = await learningRun();
    expect(patternOf(run, "release-failed").detail).toEqual({
      stateMachineArn: ["arn:aws:test:::release-machine"],
      status: ["FAILED", "TIMED_OUT", "ABORTED"],
    });
    expect(targetOf(run, "release-failed-target").arn).toBe("arn:aws:test:::critical");
  });

  it("keeps no release in the stack, where every release would read as drift", async () => {
    const run = await learningRun();
    const parameters = ofType(run, "ssm/parameter:Parameter").map(({ inputs }) => inputs.name);
    expect(parameters).toContain("/aidlc/fraud/churn/release/rollout");
    expect(parameters.filter((name) => /release\/(current|recorded)/.test(String(name)))).toEqual([]);
    expect(run.outputs.delivery).toMatchObject({ releasesUri: `s3://${names.bucket("models")}/releases/` });
  });
});

describe("the role of releases", () => {
  it("manages this pipeline's endpoints and asks only those that try a version", async () => {
    const run = await learningRun();
    const arn = (kind: string, name: string) => `arn:aws:sagemaker:eu-west-1:111122223333:${kind}/${name}`;
    const endpoint = (name: string) => arn("endpoint", names.named(name));
    expect(grantOf(run, "release", "ManageEndpoints")?.Resource).toEqual([
      ...["dev", "staging", "blue", "green"].map(endpoint),
      arn("endpoint-config", `${names.prefix}-*`),
    ]);
    expect(grantOf(run, "release", "TryVersions")).toMatchObject({
      Action: "sagemaker:InvokeEndpoint",
      Resource: ["dev", "staging"].map(endpoint),
    });
  });

  it("passes the serving role to SageMaker only", async () => {
    expect(grantOf(await learningRun(), "release", "PassServingRole")).toMatchObject({
      Resource: `arn:aws:iam::111122223333:role/aidlc/${names.named("inference")}`,
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    });
  });

  it("makes models of real-time endpoints in production only isolated and on the private subnets", async () => {
    const run = await productionRun({
      serving: { mode: "realtime" },
      dataset: { replicaRegion: "eu-central-1" },
    });
    expect(grantOf(run, "release", "CreateModels")?.Condition).toMatchObject({
      Bool: { "sagemaker:NetworkIsolation": "true" },
      "ForAllValues:StringEquals": {
        "sagemaker:VpcSubnets": PRODUCTION_FOUNDATION.network.privateSubnetIds,
      },
    });
    expect(grantOf(await learningRun(), "release", "CreateModels")?.Condition).toBeUndefined();
  });

  it.each([
    ["serverless", []],
    ["lambda", ["codedeploy:CreateDeployment", "lambda:PublishVersion"]],
  ] as const)("may deploy in mode %s by %j only", async (mode, expected) => {
    const found = actionsOf(await learningRun({ serving: { mode } }), "release");
    const deploying = ["codedeploy:CreateDeployment", "ecs:RegisterTaskDefinition", "lambda:PublishVersion"];
    expect(deploying.filter((action) => found.includes(action))).toEqual(expected);
  });

  it("neither signs nor approves what it releases", async () => {
    const found = actionsOf(await learningRun(), "release");
    expect(found.filter((action) => /kms:Sign|UpdateModelPackage|CreateModelPackage/.test(action))).toEqual(
      [],
    );
  });
});

describe("the role of the release machine", () => {
  it("leads by invoking two functions and starting one training", async () => {
    const run = await learningRun();
    expect(grantOf(run, "releasing", "RunTasks")?.Resource).toEqual(
      ["release", "verify-model"].map(
        (name) => `arn:aws:lambda:eu-west-1:111122223333:function:${names.named(name)}`,
      ),
    );
    expect(actionsOf(run, "releasing").filter((action) => action.startsWith("sagemaker:"))).toEqual([
      "sagemaker:StartPipelineExecution",
    ]);
  });
});
