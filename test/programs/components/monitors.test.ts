import { describe, expect, it } from "vitest";
import type { PipelineInput } from "../../../programs/inputs.ts";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "../support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const run = (change: Parameters<typeof aSpec>[0], more: Partial<PipelineInput> = {}) =>
  runProgram(pipelineProgram(anInput({ spec: aSpec(change), ...more })));

const schedules = (of: Run) =>
  ofType(of, "scheduler/schedule:Schedule").filter(({ name }) =>
    /^(data-quality|model-quality|bias|drift)-schedule$/.test(name),
  );

const MODEL_MONITOR = { serving: { mode: "realtime" }, monitoring: { engine: "model-monitor" } } as const;

const RELEASE = {
  modelPackageArn: "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/1",
  imageDigest: `sha256:${"0".repeat(64)}`,
  endpoint: { name: "aidlc-fraud-churn", variantName: "live" },
};

describe("monitors", () => {
  it("run at the spec's time, each told its kind, through the schedules' role", async () => {
    const found = schedules(await run({ monitoring: { schedule: "cron(0 6 * * ? *)" } }));
    expect(found.map(({ inputs }) => (inputs.target as { input: string }).input)).toEqual(
      ["data-quality", "model-quality", "drift"].map((kind) => JSON.stringify({ kind })),
    );
    for (const { inputs } of found) {
      expect(inputs).toMatchObject({
        scheduleExpression: "cron(0 6 * * ? *)",
        target: {
          arn: "arn:aws:test:::monitor",
          roleArn: "arn:aws:test:::schedule-role",
          deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
        },
      });
    }
  });

  it("look for bias where segments are named", async () => {
    const found = schedules(await run({ monitoring: { segments: ["species"] } }));
    expect(found.map(({ name }) => name)).toContain("bias-schedule");
  });

  it("leave the quality of data to Model Monitor where the spec says so", async () => {
    const found = schedules(await run(MODEL_MONITOR));
    expect(found.map(({ name }) => name)).toEqual(["model-quality-schedule", "drift-schedule"]);
  });
});

describe("Model Monitor", () => {
  it("waits for a living endpoint", async () => {
    const before = await run(MODEL_MONITOR);
    expect(ofType(before, "sagemaker/monitoringSchedule:MonitoringSchedule")).toEqual([]);
    const after = await run(MODEL_MONITOR, { release: RELEASE });
    expect(
      resource(after, "sagemaker/monitoringSchedule:MonitoringSchedule", "model-monitor-schedule").inputs,
    ).toMatchObject({
      monitoringScheduleConfig: {
        monitoringType: "DataQuality",
        scheduleConfig: { scheduleExpression: "cron(0 0 ? * * *)" },
      },
    });
    const definition = resource(
      after,
      "sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
      "model-monitor",
    ).inputs;
    expect(definition).toMatchObject({
      dataQualityJobInput: { endpointInput: { endpointName: "aidlc-fraud-churn" } },
      dataQualityAppSpecification: {
        imageUri: "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer",
      },
      networkConfig: { enableNetworkIsolation: true },
      jobResources: { clusterConfig: { volumeKmsKeyId: "arn:aws:test:::data-key" } },
    });
    expect(String(definition.name).length).toBeLessThanOrEqual(63);
  });

  it("gets a definition of another name for another endpoint: definitions can't be changed", async () => {
    const nameFor = async (endpoint: string) =>
      resource(
        await run(MODEL_MONITOR, {
          release: { ...RELEASE, endpoint: { name: endpoint, variantName: "live" } },
        }),
        "sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
        "model-monitor",
      ).inputs.name;
    expect(await nameFor("one")).not.toBe(await nameFor("two"));
  });

  it("is not asked for where the pipeline's own monitors do it all", async () => {
    const after = await run({ serving: { mode: "realtime" } }, { release: RELEASE });
    expect(ofType(after, "sagemaker/monitoringSchedule:MonitoringSchedule")).toEqual([]);
    expect(ofType(after, "iam/role:Role").map(({ inputs }) => inputs.name)).not.toContain(
      names.named("model-monitor"),
    );
  });
});

describe("captured requests", () => {
  it("expire when the spec says, whatever is kept of other predictions", async () => {
    const { inputs } = resource(
      await run({ monitoring: { capture: { retentionDays: 14 } } }),
      "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "predictions-lifecycle",
    );
    expect(inputs.rules).toContainEqual({
      id: "expire-captures",
      status: "Enabled",
      filter: { prefix: "captures/" },
      expiration: { days: 14 },
    });
  });
});
