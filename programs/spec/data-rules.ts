import { OWN_METRICS } from "../metrics.ts";
import { modelMonitorSchedule } from "../model-monitor-schedule.ts";
import { scheduleProblem } from "../schedule-expression.ts";
import type { DatasetColumn, PipelineSpec } from "../spec.ts";
import { pointer, type SpecProblem } from "./problem.ts";

/** Feature Store adds columns of these names to the offline store. */
const RESERVED_FEATURES = ["is_deleted", "write_time", "api_invocation_time", "year", "month", "day", "hour"];

const FEATURE_NAME = /^[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}$/;

/** Glue knows no rate(…) and starts a trigger at most every five minutes, which scheduleProblem's hour exceeds. */
export function* catalogProblems({ dataset: { catalog } }: PipelineSpec): Iterable<SpecProblem> {
  const message = catalog.schedule.startsWith("cron(")
    ? scheduleProblem(catalog.schedule)
    : "must be cron(…): AWS Glue has no rate(…)";
  if (message !== undefined) yield { path: "/dataset/catalog/schedule", message };
}

/** What validation looks at must be there, and of a type that it can look at. */
export function* qualityProblems({
  dataset: { schema, keys, quality },
}: PipelineSpec): Iterable<SpecProblem> {
  const columnProblem = (name: string, types?: readonly DatasetColumn["type"][]): string | undefined => {
    const column = schema.find((candidate) => candidate.name === name);
    if (column === undefined) return `"${name}" is not a column of dataset.schema`;
    if (types === undefined || types.includes(column.type)) return undefined;
    return `column "${name}" must be a ${types.join(" or ")}, not a ${column.type}`;
  };
  for (const [index, key] of (keys ?? []).entries()) {
    for (const [place, name] of key.entries()) {
      const message = columnProblem(name);
      if (message !== undefined) yield { path: pointer("dataset", "keys", index, place), message };
    }
  }
  const { freshness, volume, anomalies = [] } = quality;
  if (freshness !== undefined) {
    const message = columnProblem(freshness.column, ["date", "timestamp"]);
    if (message !== undefined) yield { path: "/dataset/quality/freshness/column", message };
  }
  const { minRows, maxRows } = volume ?? {};
  if (minRows !== undefined && maxRows !== undefined && minRows > maxRows) {
    yield { path: "/dataset/quality/volume/minRows", message: `is more than maxRows (${maxRows})` };
  }
  for (const [index, { column, maxRobustZ, lower, upper }] of anomalies.entries()) {
    const at = pointer("dataset", "quality", "anomalies", index);
    const message = columnProblem(column, ["integer", "number"]);
    if (message !== undefined) yield { path: `${at}/column`, message };
    if (maxRobustZ === undefined && lower === undefined && upper === undefined) {
      yield { path: at, message: "needs maxRobustZ, lower or upper" };
    }
    if (lower !== undefined && upper !== undefined && lower > upper) {
      yield { path: `${at}/lower`, message: `is more than upper (${upper})` };
    }
  }
}

export function* featureStoreProblems({
  dataset: { featureStore, schema, features },
}: PipelineSpec): Iterable<SpecProblem> {
  if (featureStore === undefined) return;
  const { recordIdentifier, eventTime } = featureStore;
  yield* keyColumnProblems(schema, "recordIdentifier", recordIdentifier, ["string", "integer"]);
  yield* keyColumnProblems(schema, "eventTime", eventTime, ["timestamp", "number"]);
  const named = [
    ...schema.map(({ name }, index) => ({ name, path: pointer("dataset", "schema", index, "name") })),
    ...(features?.derive ?? []).map(({ name }, index) => ({
      name,
      path: pointer("dataset", "features", "derive", index, "name"),
    })),
  ];
  for (const { name, path } of named) {
    if (RESERVED_FEATURES.includes(name.toLowerCase())) {
      yield { path, message: `"${name}" is a column that Feature Store adds itself` };
    } else if (!FEATURE_NAME.test(name)) {
      yield {
        path,
        message:
          "names of features have 1 to 64 letters, digits, - and _, and begin and end with a letter or digit",
      };
    }
  }
}

function* keyColumnProblems(
  schema: readonly DatasetColumn[],
  key: "recordIdentifier" | "eventTime",
  name: string,
  types: readonly DatasetColumn["type"][],
): Iterable<SpecProblem> {
  const path = pointer("dataset", "featureStore", key);
  const column = schema.find((candidate) => candidate.name === name);
  if (column === undefined) yield { path, message: `"${name}" is not a column of dataset.schema` };
  else if (!types.includes(column.type)) {
    yield { path, message: `column "${name}" must be a ${types.join(" or ")}, not a ${column.type}` };
  } else if (column.nullable) yield { path, message: `column "${name}" must not be nullable` };
}

export function* monitorProblems(spec: PipelineSpec): Iterable<SpecProblem> {
  const { monitoring, dataset, serving } = spec;
  const schedule = scheduleProblem(monitoring.schedule);
  if (schedule !== undefined) yield { path: "/monitoring/schedule", message: schedule };
  for (const [index, segment] of monitoring.segments.entries()) {
    if (!dataset.schema.some(({ name }) => name === segment)) {
      yield {
        path: pointer("monitoring", "segments", index),
        message: `"${segment}" is not a column of dataset.schema`,
      };
    }
  }
  if (monitoring.engine === "builtin") return;
  if (serving.mode !== "realtime") {
    yield {
      path: "/monitoring/engine",
      message: `SageMaker Model Monitor needs serving.mode realtime, not ${serving.mode}`,
    };
  }
  if (schedule === undefined && modelMonitorSchedule(monitoring.schedule) === undefined) {
    yield {
      path: "/monitoring/schedule",
      message: "SageMaker Model Monitor runs hourly or daily: cron(0 * * * ? *) or cron(0 <hour> * * ? *)",
    };
  }
}

export function* businessMetricProblems({
  monitoring: { businessMetrics },
}: PipelineSpec): Iterable<SpecProblem> {
  const seen = new Set<string>();
  for (const [index, { name }] of businessMetrics.entries()) {
    const path = pointer("monitoring", "businessMetrics", index, "name");
    if (Object.hasOwn(OWN_METRICS, name))
      yield { path, message: `"${name}" is a metric of the pipeline itself` };
    if (seen.has(name)) yield { path, message: `"${name}" is listed twice` };
    seen.add(name);
  }
}
