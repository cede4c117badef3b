import { describe, expect, it } from "vitest";
import { ofType, type Run, resource } from "../support/run-program.ts";
import { learning, names, production, RELEASE } from "../support/serving.ts";

const LAMBDA = { mode: "lambda", memoryMb: 3008, rollout: { canaryPercent: 20, bakeMinutes: 5 } } as const;

const functions = (run: Run) => ofType(run, "lambda/function:Function").map(({ name }) => name);

describe("a model that answers from a function", () => {
  it("has all but the function and its alias before there is an image", async () => {
    const run = await learning(LAMBDA);
    expect(functions(run)).toContain("gate");
    expect(functions(run)).not.toContain("predict");
    expect(ofType(run, "lambda/alias:Alias")).toEqual([]);
    expect(run.outputs.serving).toMatchObject({
      functionName: names.named("predict"),
      functionAlias: "live",
      codeDeploy: { applicationName: names.named("serving"), deploymentGroupName: names.named("serving") },
    });
  });

  it("runs the released image, by digest, under an alias", async () => {
    const run = await learning(LAMBDA, RELEASE);
    expect(resource(run, "lambda/function:Function", "predict").inputs).toMatchObject({
      name: names.named("predict"),
      packageType: "Image",
      imageUri: `repository.test/inference-images@${RELEASE.imageDigest}`,
      memorySize: 3008,
      publish: true,
      role: "arn:aws:test:::inference-role",
      loggingConfig: { logFormat: "JSON", logGroup: names.logGroup("inference") },
      tracingConfig: { mode: "Active" },
      deadLetterConfig: { targetArn: "arn:aws:test:::dead-letters" },
      environment: { variables: { AIDLC_MODEL_PACKAGE: RELEASE.modelPackageArn } },
    });
    expect(resource(run, "lambda/alias:Alias", "predict-alias").inputs).toMatchObject({
      name: "live",
      functionName: names.named("predict"),
      functionVersion: "1",
    });
  });

  it("is tried when the program has brought it up, which a setting of its own tells", async () => {
    const [before, after] = [await learning(LAMBDA), await learning(LAMBDA, RELEASE)];
    const name = names.parameter("release/brought-up");
    const settings = (run: Run) => ofType(run, "ssm/parameter:Parameter").map(({ inputs }) => inputs.name);
    expect(settings(before)).not.toContain(name);
    expect(resource(after, "ssm/parameter:Parameter", "release-brought-up").inputs).toMatchObject({
      name,
      insecureValue: RELEASE.modelPackageArn,
    });
    const places = after.resources.map((each) => each.name);
    expect(places.indexOf("release-brought-up")).toBeGreaterThan(places.indexOf("predict-alias"));
    const rule = resource(before, "cloudwatch/eventRule:EventRule", "brought-up").inputs;
    expect(JSON.parse(String(rule.eventPattern))).toEqual({
      source: ["aws.ssm"],
      "detail-type": ["Parameter Store Change"],
      detail: { name: [name], operation: ["Create", "Update"] },
    });
    expect(resource(before, "cloudwatch/eventTarget:EventTarget", "brought-up-release").inputs).toMatchObject(
      { arn: "arn:aws:test:::release", inputTransformer: { inputTemplate: '{"task":"try"}' } },
    );
  });

  it("is shifted to a new version by the canary's share at a time, and back when an alarm rings", async () => {
    const run = await learning(LAMBDA);
    expect(resource(run, "codedeploy/deploymentConfig:DeploymentConfig", "shift-steps").inputs).toMatchObject(
      {
        computePlatform: "Lambda",
        trafficRoutingConfig: {
          type: "TimeBasedLinear",
          timeBasedLinear: { percentage: 20, interval: 5 },
        },
      },
    );
    expect(resource(run, "codedeploy/deploymentGroup:DeploymentGroup", "shift-group").inputs).toMatchObject({
      serviceRoleArn: "arn:aws:test:::rollout-role",
      deploymentStyle: { deploymentOption: "WITH_TRAFFIC_CONTROL", deploymentType: "BLUE_GREEN" },
      autoRollbackConfiguration: { enabled: true },
      alarmConfiguration: {
        enabled: true,
        ignorePollAlarmFailure: false,
        alarms: ["api-errors", "api-slow", "predict-errors", "predict-slow"].map(names.named),
      },
    });
  });

  it("gets its image from Lambda itself, for functions of this pipeline only", async () => {
    const { policy } = resource(
      await learning(LAMBDA),
      "ecr/repositoryPolicy:RepositoryPolicy",
      "inference-images-policy",
    ).inputs;
    expect(JSON.parse(String(policy)).Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: "lambda.amazonaws.com" },
        Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Condition: {
          StringEquals: { "aws:SourceAccount": "111122223333" },
          ArnLike: {
            "aws:SourceArn": `arn:aws:lambda:eu-west-1:111122223333:function:${names.prefix}-*`,
          },
        },
      }),
    ]);
  });

  it("stays warm in production, inside the network, and in learning costs nothing while it rests", async () => {
    expect(ofType(await learning(LAMBDA, RELEASE), "appautoscaling/target:Target")).toEqual([]);
    const run = await production(LAMBDA, RELEASE);
    expect(resource(run, "appautoscaling/target:Target", "function-capacity").inputs).toMatchObject({
      serviceNamespace: "lambda",
      scalableDimension: "lambda:function:ProvisionedConcurrency",
      resourceId: `function:${names.named("predict")}:live`,
    });
    expect(resource(run, "lambda/function:Function", "predict").inputs.vpcConfig).toMatchObject({
      securityGroupIds: ["functions-id"],
    });
  });
});
