import type { Drift } from "./store.ts";

/** How a found value is written into the spec; undefined where the spec can't say it. */
type Converted = string | number | undefined;

interface Field {
  readonly type: string;
  /** The resource's name in the program. */
  readonly name?: RegExp;
  readonly property: string;
  readonly spec: readonly string[];
  readonly convert: (value: unknown) => Converted;
}

const number = (value: unknown): Converted => {
  const found = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
};
const text = (value: unknown): Converted => (typeof value === "string" ? value : undefined);
const divided = (by: number) => (value: unknown) => {
  const found = number(value);
  return typeof found === "number" ? found / by : undefined;
};

const alarm = (name: RegExp, field: string, convert: Field["convert"] = number): Field => ({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  name,
  property: "threshold",
  spec: ["monitoring", "alarms", field],
  convert,
});
const plan = (property: string, field: string): Field => ({
  type: "aws:apigateway/usagePlan:UsagePlan",
  property,
  spec: ["serving", "throttle", field],
  convert: number,
});
const method = (property: string, field: string): Field => ({
  type: "aws:apigateway/methodSettings:MethodSettings",
  property,
  spec: ["serving", "throttle", field],
  convert: number,
});
const capacity = (property: string): Field => ({
  type: "aws:appautoscaling/target:Target",
  property,
  spec: ["serving", "autoscaling", property],
  convert: number,
});
const schedule = (name: RegExp, spec: readonly string[]): Field => ({
  type: "aws:scheduler/schedule:Schedule",
  name,
  property: "scheduleExpression",
  spec,
  convert: text,
});
const notebook = (property: string, field: string, convert: Field["convert"]): Field => ({
  type: "aws:sagemaker/notebookInstance:NotebookInstance",
  property,
  spec: ["notebook", field],
  convert,
});

/** Which field of the spec a resource's property comes from, in the form that the program gives it. */
const fields: readonly Field[] = [
  {
    type: "aws:cloudwatch/logGroup:LogGroup",
    // Those of incidents are kept for a year at least, whatever the spec says.
    name: /^(?!incidents-logs$)/,
    property: "retentionInDays",
    spec: ["monitoring", "logRetentionDays"],
    convert: number,
  },
  {
    type: "aws:budgets/budget:Budget",
    property: "limitAmount",
    spec: ["budget", "monthlyUsd"],
    convert: number,
  },
  {
    type: "aws:lambda/function:Function",
    name: /^predict$/,
    property: "memorySize",
    spec: ["serving", "memoryMb"],
    convert: number,
  },
  plan("throttleSettings.rateLimit", "ratePerSecond"),
  plan("throttleSettings.burstLimit", "burst"),
  plan("quotaSettings.limit", "dailyQuota"),
  method("settings.throttlingRateLimit", "ratePerSecond"),
  method("settings.throttlingBurstLimit", "burst"),
  capacity("minCapacity"),
  capacity("maxCapacity"),
  notebook("instanceType", "instanceType", text),
  notebook("volumeSize", "volumeGb", number),
  schedule(/^(data-quality|model-quality|drift|bias)-schedule$/, ["monitoring", "schedule"]),
  schedule(/^retraining$/, ["training", "schedule"]),
  schedule(/^stop-notebooks$/, ["notebook", "stopSchedule"]),
  alarm(/^run-failed$/, "failedExecutions"),
  alarm(/^run-slow$/, "executionMinutes", divided(60_000)),
  alarm(/^ingest-waiting$/, "waitingMinutes", divided(60)),
  alarm(/^data-rejected$/, "quarantinedFraction"),
  alarm(/^quality-loss$/, "qualityLoss"),
  alarm(/^bias$/, "biasGap"),
  alarm(/^probing$/, "suspiciousRequests"),
  alarm(/^api-errors$/, "apiErrorFraction"),
  alarm(/^api-slow$/, "apiLatencyMs"),
];

/**
 * The JSON merge patch of a spec that says what was found, for a property that comes from one field of the spec; undefined for any
 * other. Whether the spec takes the value is for its own rules to say.
 */
export function adoptionOf({
  type,
  name,
  path,
  after,
}: Pick<Drift, "type" | "name" | "path" | "after">): object | undefined {
  const field = fields.find(
    (candidate) =>
      candidate.type === type && candidate.property === path && (candidate.name?.test(name) ?? true),
  );
  const value = field?.convert(after);
  if (field === undefined || value === undefined) return undefined;
  return field.spec.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}
