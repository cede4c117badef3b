import { describe, expect, it } from "vitest";
import { ofType, type Run, resource } from "../support/run-program.ts";
import { LIVE, learning, names, production } from "../support/serving.ts";

const REALTIME = {
  mode: "realtime" as const,
  autoscaling: {
    minCapacity: 2,
    maxCapacity: 6,
    targetInvocationsPerMinute: 300,
    schedules: [{ name: "night", expression: "cron(0 20 ? * * *)", minCapacity: 2, maxCapacity: 2 }],
  },
};

const parameter = (run: Run, name: string) =>
  JSON.parse(String(resource(run, "ssm/parameter:Parameter", name).inputs.insecureValue));

describe("serverless endpoints", () => {
  it("take turns under two names, whose log groups wait for them, encrypted and with an end", async () => {
    const run = await learning({});
    for (const slot of ["blue", "green"]) {
      expect(resource(run, "cloudwatch/logGroup:LogGroup", `${slot}-endpoint-logs`).inputs).toMatchObject({
        name: `/aws/sagemaker/Endpoints/${names.named(slot)}`,
        kmsKeyId: "arn:aws:test:::logs-key",
        retentionInDays: 30,
      });
    }
    expect(run.outputs.serving).toMatchObject({
      mode: "serverless",
      endpointNames: [names.named("blue"), names.named("green")],
      variantName: "primary",
    });
  });

  it("are divided by weights that belong to releases", async () => {
    const run = await learning({});
    expect(parameter(run, "serving-backend")).toEqual({
      mode: "serverless",
      endpoints: [names.named("blue"), names.named("green")],
      variant: "primary",
    });
    const gate = resource(run, "lambda/function:Function", "gate").inputs as {
      environment: { variables: Record<string, string> };
    };
    expect(gate.environment.variables.AIDLC_TRAFFIC_URI).toBe(
      `s3://${names.bucket("models")}/releases/traffic.json`,
    );
  });

  it("scale themselves, also after a release", async () => {
    const endpoint = { name: names.named("blue"), variantName: "primary" };
    const run = await learning({}, { ...LIVE, endpoint });
    expect(ofType(run, "appautoscaling/target:Target")).toEqual([]);
  });
});

describe("a real-time endpoint", () => {
  it("is there before its first model in all but its scaling, which needs something to scale", async () => {
    const run = await production(REALTIME);
    expect(run.outputs.serving).toMatchObject({ endpointNames: [names.named("live")] });
    expect(ofType(run, "appautoscaling/target:Target")).toEqual([]);
  });

  it("follows its requests within its bounds, and known times, once it lives", async () => {
    const run = await production(REALTIME, LIVE);
    expect(resource(run, "appautoscaling/target:Target", "endpoint-capacity").inputs).toMatchObject({
      serviceNamespace: "sagemaker",
      resourceId: `endpoint/${names.named("live")}/variant/primary`,
      scalableDimension: "sagemaker:variant:DesiredInstanceCount",
      minCapacity: 2,
      maxCapacity: 6,
    });
    expect(resource(run, "appautoscaling/policy:Policy", "endpoint-capacity-load").inputs).toMatchObject({
      policyType: "TargetTrackingScaling",
      targetTrackingScalingPolicyConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: "SageMakerVariantInvocationsPerInstance" },
        targetValue: 300,
      },
    });
    expect(
      resource(run, "appautoscaling/scheduledAction:ScheduledAction", "endpoint-capacity-night").inputs,
    ).toMatchObject({
      schedule: "cron(0 20 ? * * *)",
      timezone: "UTC",
      scalableTargetAction: { minCapacity: 2, maxCapacity: 2 },
    });
  });
});
