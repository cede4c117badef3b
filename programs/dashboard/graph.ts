import type { Metric } from "../metrics.ts";
import type { PipelineNames } from "../names.ts";
import type { PipelineSpec } from "../spec.ts";

export interface DashboardArgs {
  readonly names: PipelineNames;
  readonly alarmArns: readonly string[];
  readonly region: string;
  readonly spec: PipelineSpec;
}

export type Series =
  | { readonly metric: Metric; readonly label: string; readonly id?: string; readonly visible?: false }
  | { readonly expression: string; readonly label: string; readonly id?: string };

export interface Graph {
  readonly title: string;
  readonly series: readonly Series[];
  readonly periodSeconds?: number;
  readonly limit?: { readonly label: string; readonly value: number };
}

export interface Layer {
  readonly heading: string;
  readonly graphs: readonly Graph[];
}

export const HOUR = 3600;
export const DAY = 24 * HOUR;

function seriesEntry(series: Series) {
  const id = series.id === undefined ? {} : { id: series.id };
  if ("expression" in series) return [{ expression: series.expression, label: series.label, ...id }];
  const { metric, label, visible } = series;
  return [
    metric.namespace,
    metric.name,
    ...Object.entries(metric.dimensions).flat(),
    { stat: metric.statistic, label, ...id, ...(visible === false && { visible }) },
  ];
}

/** The widget of a graph, without its place. */
export function graphProperties(
  { title, series, periodSeconds = 300, limit }: Graph,
  region: string,
): Readonly<Record<string, unknown>> {
  return {
    title,
    region,
    view: "timeSeries",
    period: periodSeconds,
    metrics: series.map(seriesEntry),
    ...(limit && { annotations: { horizontal: [limit] } }),
  };
}

/** The middle, the slow and the slowest of a metric. */
export const percentiles = (metric: (statistic: string) => Metric): Series[] =>
  ["p50", "p95", "p99"].map((statistic) => ({ metric: metric(statistic), label: statistic }));

/** Metrics whose dimensions carry names that AWS makes up, found by what of them is the pipeline's own. */
export const search = (
  schema: string,
  term: string,
  metric: string,
  statistic: string,
  label: string,
  periodSeconds = 60,
): Series => ({
  expression: `SEARCH('{${schema}} ${term} MetricName="${metric}"', '${statistic}', ${periodSeconds})`,
  label,
});
