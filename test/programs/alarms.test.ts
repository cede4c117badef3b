import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "./support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const WARNING = "arn:aws:test:::warning";
const CRITICAL = "arn:aws:test:::critical";

describe("alarms", () => {
  let run: Run;
  beforeAll(async () => {
    const spec = aSpec({
      dataset: { quality: { driftThreshold: 0.2 } },
      training: { qualityGate: { metric: "rmse", threshold: 3, direction: "atMost" } },
      monitoring: {
        alarms: {
          failedExecutions: 2,
          executionMinutes: 90,
          quarantinedFraction: 0.1,
          predictionBandWidth: 4,
          waitingMinutes: 45,
          qualityLoss: 0.2,
          biasGap: 0.3,
        },
        segments: ["species"],
      },
    });
    run = await runProgram(pipelineProgram(anInput({ spec })));
  });

  const alarm = (name: string) => resource(run, "cloudwatch/metricAlarm:MetricAlarm", name).inputs;

  it.each([
    [
      "run-failed",
      CRITICAL,
      { metricName: "ExecutionFailed", threshold: 2, comparisonOperator: "GreaterThanOrEqualToThreshold" },
    ],
    ["run-slow", WARNING, { metricName: "ExecutionDuration", threshold: 5_400_000, statistic: "Maximum" }],
    ["undelivered", CRITICAL, { metricName: "ApproximateNumberOfMessagesVisible", threshold: 0 }],
    ["data-drift", WARNING, { metricName: "DriftScore", threshold: 0.2 }],
    ["prediction-drift", WARNING, { metricName: "PredictionDrift", threshold: 0.2, statistic: "Maximum" }],
    [
      "attribution-drift",
      WARNING,
      {
        metricName: "AttributionNdcg",
        threshold: 0.9,
        statistic: "Minimum",
        comparisonOperator: "LessThanThreshold",
      },
    ],
    ["ingest-waiting", WARNING, { metricName: "ApproximateAgeOfOldestMessage", threshold: 2700 }],
    ["unprocessed", CRITICAL, { metricName: "ApproximateNumberOfMessagesVisible", threshold: 0 }],
    ["quality-loss", WARNING, { metricName: "QualityLoss", threshold: 0.2 }],
    ["bias", WARNING, { metricName: "BiasGap", threshold: 0.3 }],
    [
      "model-quality",
      WARNING,
      { metricName: "ModelQuality", threshold: 3, comparisonOperator: "GreaterThanThreshold" },
    ],
  ])("%s watches its metric and tells %s", (name, topic, expected) => {
    expect(alarm(name)).toMatchObject({
      ...expected,
      alarmActions: [topic],
      treatMissingData: "notBreaching",
    });
  });

  it.each([
    ["data-rejected", "RowsQuarantined", "RowsValidated"],
    ["input-violations", "InputViolations", "ConformingInputs"],
  ])("%s counts the share of all rows, also where none is good", (name, part, rest) => {
    const { metricQueries, ...inputs } = alarm(name);
    expect(inputs).toMatchObject({
      threshold: 0.1,
      alarmActions: [CRITICAL],
      treatMissingData: "notBreaching",
    });
    const measured = (id: string, metricName: string) =>
      expect.objectContaining({ id, metric: expect.objectContaining({ metricName, stat: "Sum" }) });
    expect(metricQueries).toContainEqual(measured("part", part));
    expect(metricQueries).toContainEqual(measured("rest", rest));
    expect(metricQueries).toContainEqual(
      expect.objectContaining({
        expression: "FILL(part, 0) / (FILL(part, 0) + FILL(rest, 0))",
        returnData: true,
      }),
    );
  });

  it("compares predictions with the band that they usually keep to", () => {
    const inputs = alarm("output-shift");
    expect(inputs).toMatchObject({
      comparisonOperator: "LessThanLowerOrGreaterThanUpperThreshold",
      thresholdMetricId: "band",
    });
    expect(inputs).not.toHaveProperty("threshold");
    expect(inputs.metricQueries).toContainEqual(
      expect.objectContaining({ id: "band", expression: "ANOMALY_DETECTION_BAND(value, 4)" }),
    );
  });

  it("calls a model degraded when it is worse and its data or its output moved", () => {
    expect(resource(run, "cloudwatch/compositeAlarm:CompositeAlarm", "model-degraded").inputs).toMatchObject({
      alarmActions: [CRITICAL],
      alarmRule:
        `(ALARM("${names.named("model-quality")}") OR ALARM("${names.named("quality-loss")}")) AND ` +
        `(${["data-drift", "prediction-drift", "attribution-drift", "output-shift"]
          .map((part) => `ALARM("${names.named(part)}")`)
          .join(" OR ")})`,
    });
  });

  it("are few", () => {
    const own = ofType(run, "cloudwatch/metricAlarm:MetricAlarm").filter(({ typeChain }) =>
      typeChain.includes("aidlc:component:PipelineAlarms"),
    );
    expect(own).toHaveLength(14);
  });

  it("leave violations of the schema to Model Monitor where it watches the quality of requests", async () => {
    const watched = await runProgram(
      pipelineProgram(
        anInput({
          spec: aSpec({ serving: { mode: "realtime" }, monitoring: { engine: "model-monitor" } }),
        }),
      ),
    );
    const found = ofType(watched, "cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name);
    expect(found).toContain("prediction-drift");
    expect(found).not.toContain("input-violations");
  });
});

describe("events", () => {
  it("tell of changes to protections by anybody but the provisioning role, through a role and with a dead-letter queue", async () => {
    const account = { ...ACCOUNT, roleArn: "arn:aws:iam::111122223333:role/provision" };
    const run = await runProgram(pipelineProgram(anInput({ account })));
    const pattern = JSON.parse(
      String(resource(run, "cloudwatch/eventRule:EventRule", "guard-tampering").inputs.eventPattern),
    );
    expect(pattern.detail).toMatchObject({
      requestParameters: {
        bucketName: expect.arrayContaining([names.bucket("raw"), names.bucket("access-logs")]),
      },
      $or: [
        {
          userIdentity: {
            sessionContext: { sessionIssuer: { arn: [{ "anything-but": [account.roleArn] }] } },
          },
        },
        { userIdentity: { sessionContext: { sessionIssuer: { arn: [{ exists: false }] } } } },
      ],
    });
    const targets = ofType(run, "cloudwatch/eventTarget:EventTarget").map(({ inputs }) => inputs);
    for (const target of targets) {
      expect(target).toMatchObject({ deadLetterConfig: { arn: "arn:aws:test:::dead-letters" } });
      if (target.arn === WARNING || target.arn === CRITICAL) {
        expect(target.roleArn).toBe("arn:aws:test:::alerts-role");
      }
    }
    expect(targets.map(({ arn }) => arn)).toEqual(expect.arrayContaining([WARNING, CRITICAL]));
  });
});
