import { describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "../support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const run = (change: Parameters<typeof aSpec>[0]) =>
  runProgram(pipelineProgram(anInput({ spec: aSpec(change) })));

const patternOf = (of: Run, rule: string) =>
  JSON.parse(String(resource(of, "cloudwatch/eventRule:EventRule", rule).inputs.eventPattern));

describe("retraining on an alarm", () => {
  it.each([
    ["drift", ["data-drift", "prediction-drift", "attribution-drift", "output-shift"]],
    ["degradation", ["model-quality", "quality-loss"]],
  ] as const)("is started by %s", async (cause, alarms) => {
    const of = await run({ training: { retrainOn: [cause] } });
    expect(patternOf(of, "retraining-on-alarm")).toMatchObject({
      "detail-type": ["CloudWatch Alarm State Change"],
      resources: alarms.map(
        (alarm) => `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${names.named(alarm)}`,
      ),
      detail: { state: { value: ["ALARM"] } },
    });
    const existing = ofType(of, "cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs.name);
    for (const alarm of alarms) expect(existing).toContain(names.named(alarm));
  });

  it("reaches its function by this rule only, and waits among the dead letters otherwise", async () => {
    const of = await run({ training: { retrainOn: ["drift"] } });
    expect(
      resource(of, "lambda/permission:Permission", "retraining-on-alarm-permission").inputs,
    ).toMatchObject({ principal: "events.amazonaws.com", sourceArn: "arn:aws:test:::retraining-on-alarm" });
    expect(
      resource(of, "cloudwatch/eventTarget:EventTarget", "retraining-on-alarm-target").inputs,
    ).toMatchObject({
      arn: "arn:aws:test:::start-training",
      deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
    });
  });

  it("doesn't exist unless it is asked for", async () => {
    const of = await run({});
    expect(ofType(of, "lambda/function:Function").map(({ name }) => name)).not.toContain("start-training");
  });
});

describe("a training that fails", () => {
  it("is told with its execution or job, of this pipeline only", async () => {
    const of = await run({});
    expect(patternOf(of, "run-failure").detail).toEqual({
      pipelineArn: ["arn:aws:test:::training"],
      currentPipelineExecutionStatus: ["Failed"],
    });
    expect(patternOf(of, "training-failed").detail).toEqual({
      TrainingJobName: [{ prefix: `${names.jobPrefix("train")}-` }],
      TrainingJobStatus: ["Failed"],
    });
  });
});
