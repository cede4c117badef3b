import type { PipelineNames } from "./names.ts";

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
}

/** What SageMaker publishes for every pipeline, at each execution. */
export const EXECUTION_NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline";

type ExecutionMetric =
  | "ExecutionStarted"
  | "ExecutionSucceeded"
  | "ExecutionFailed"
  | "ExecutionStopped"
  | "ExecutionDuration";

export const executionMetric = (names: PipelineNames, name: ExecutionMetric, statistic = "Sum"): Metric => ({
  namespace: EXECUTION_NAMESPACE,
  name,
  dimensions: { PipelineName: names.named("training") },
  statistic,
});

/**
 * Metrics of the pipeline's own namespace, `AIDLC/<team>/<pipeline>`: what each means and which role publishes it. The
 * roles can publish to no other pipeline's namespace.
 */
export const OWN_METRICS = {
  RowsValidated: { by: "validation", statistic: "Sum", unit: "rows that passed validation" },
  RowsQuarantined: { by: "validation", statistic: "Sum", unit: "rows that did not" },
  DriftScore: { by: "validation", statistic: "Maximum", unit: "worst drift score of a column" },
  ModelQuality: {
    by: "monitoring",
    statistic: "Average",
    unit: "the quality gate's metric on labelled predictions",
  },
  PredictionMean: { by: "monitoring", statistic: "Average", unit: "mean of the predictions" },
  PredictionConfidence: { by: "inference", statistic: "Average", unit: "probability of the predicted class" },
  PredictionLatency: { by: "inference", statistic: "p95", unit: "milliseconds" },
  Predictions: { by: "inference", statistic: "Sum", unit: "predictions" },
  PredictionErrors: { by: "inference", statistic: "Sum", unit: "failed predictions" },
  BusinessValue: { by: "monitoring", statistic: "Sum", unit: "US dollars that predictions gained or saved" },
  Cost: { by: "monitoring", statistic: "Maximum", unit: "US dollars this month" },
} as const satisfies Record<
  string,
  { by: "validation" | "inference" | "monitoring"; statistic: string; unit: string }
>;

export type OwnMetric = keyof typeof OWN_METRICS;

export const ownMetric = (names: PipelineNames, name: OwnMetric, statistic?: string): Metric => ({
  namespace: names.metricNamespace,
  name,
  dimensions: {},
  statistic: statistic ?? OWN_METRICS[name].statistic,
});
