import { describe, expect, it } from "vitest";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { adoptionOf } from "../../../src/drift/adoption.ts";
import { valueAtPath } from "../../../src/engine/property-path.ts";
import { mergePatch, parseSpec } from "../../../src/pipelines/spec.ts";
import { anInput, aRelease, aSpec, PRODUCTION_FOUNDATION } from "../../programs/support/inputs.ts";
import { runProgram } from "../../programs/support/run-program.ts";

const alarm = "aws:cloudwatch/metricAlarm:MetricAlarm";
const plan = "aws:apigateway/usagePlan:UsagePlan";
const schedule = "aws:scheduler/schedule:Schedule";
const notebook = "aws:sagemaker/notebookInstance:NotebookInstance";

/** What AWS may be found to have: type, name in the program, path, value. */
const found: readonly (readonly [type: string, name: string, path: string, value: unknown])[] = [
  ["aws:cloudwatch/logGroup:LogGroup", "release-machine-logs", "retentionInDays", 60],
  ["aws:budgets/budget:Budget", "budget", "limitAmount", "40.00"],
  ["aws:lambda/function:Function", "predict", "memorySize", 4096],
  [plan, "plan", "throttleSettings.rateLimit", 25],
  [plan, "plan", "throttleSettings.burstLimit", 50],
  [plan, "plan", "quotaSettings.limit", 7_000],
  ["aws:apigateway/methodSettings:MethodSettings", "settings", "settings.throttlingRateLimit", 26],
  ["aws:apigateway/methodSettings:MethodSettings", "settings", "settings.throttlingBurstLimit", 51],
  ["aws:appautoscaling/target:Target", "capacity", "minCapacity", 3],
  ["aws:appautoscaling/target:Target", "capacity", "maxCapacity", 9],
  [notebook, "notebook", "instanceType", "ml.t3.large"],
  [notebook, "notebook", "volumeSize", 50],
  [schedule, "data-quality-schedule", "scheduleExpression", "cron(0 5 * * ? *)"],
  [schedule, "retraining", "scheduleExpression", "cron(0 6 * * ? *)"],
  [schedule, "stop-notebooks", "scheduleExpression", "cron(0 19 * * ? *)"],
  [alarm, "run-failed", "threshold", 2],
  [alarm, "run-slow", "threshold", 200 * 60_000],
  [alarm, "ingest-waiting", "threshold", 90 * 60],
  [alarm, "data-rejected", "threshold", 0.1],
  [alarm, "quality-loss", "threshold", 0.2],
  [alarm, "bias", "threshold", 0.3],
  [alarm, "probing", "threshold", 70],
  [alarm, "api-errors", "threshold", 0.2],
  [alarm, "api-slow", "threshold", 4_000],
];

const spec = aSpec({
  profile: "production",
  dataset: { replicaRegion: "eu-central-1" },
  serving: { mode: "lambda" },
  notebook: {},
  monitoring: { segments: ["species"] },
  alerts: { emails: ["ada@example.com"] },
  training: { schedule: "cron(0 3 * * ? *)" },
});
const resourcesOf = async (given: typeof spec) =>
  (
    await runProgram(
      pipelineProgram(
        anInput({ spec: given, foundation: PRODUCTION_FOUNDATION, release: aRelease("lambda") }),
      ),
    )
  ).resources;

describe("what is adopted", () => {
  it("is what the program then gives the resource, for every property that can be", async () => {
    const before = await resourcesOf(spec);
    const patches = found.map(([type, name, path, after]) => {
      const resource = before.find(
        (each) =>
          each.type === type &&
          (each.name === name ||
            path.endsWith("Capacity") ||
            type === plan ||
            type.includes("methodSettings")),
      );
      expect(resource, `${type} ${name}`).toBeDefined();
      const was = valueAtPath(resource?.inputs, path);
      expect(was, `${type} ${name} ${path}`).toBeDefined();
      expect(was, `${type} ${name} ${path}`).not.toEqual(after);
      const patch = adoptionOf({ type, name: resource?.name ?? "", path, after });
      expect(patch, `${type} ${name} ${path}`).toBeDefined();
      return { type, name: resource?.name, path, after, patch };
    });
    for (const { type, name, path, after, patch } of patches) {
      const adopted = parseSpec(mergePatch(spec, patch));
      const resource = (await resourcesOf(adopted)).find((each) => each.type === type && each.name === name);
      expect(valueAtPath(resource?.inputs, path), `${type} ${name} ${path}`).toEqual(after);
    }
  }, 180_000);

  it("is nothing that the spec can't say", () => {
    const drift = { type: alarm, name: "run-failed", path: "threshold", after: 2 };
    expect(adoptionOf({ ...drift, path: "alarmActions" })).toBeUndefined();
    expect(adoptionOf({ ...drift, name: "undelivered" })).toBeUndefined();
    expect(adoptionOf({ ...drift, path: "" })).toBeUndefined();
    expect(adoptionOf({ ...drift, after: "many" })).toBeUndefined();
    expect(adoptionOf({ ...drift, after: null })).toBeUndefined();
    expect(
      adoptionOf({
        ...drift,
        type: "aws:cloudwatch/logGroup:LogGroup",
        name: "incidents-logs",
        path: "retentionInDays",
      }),
    ).toBeUndefined();
  });
});
