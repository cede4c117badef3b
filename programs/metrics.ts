import type { PipelineNames } from "./names.ts";

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
}

/** What SageMaker publishes for every pipeline, at each execution. */
const EXECUTION_NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline";

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
  RowsValidated: { by: "validate", statistic: "Sum", unit: "rows that passed validation" },
  RowsQuarantined: { by: "validate", statistic: "Sum", unit: "rows that did not" },
  DriftScore: { by: "validate", statistic: "Maximum", unit: "worst drift score of a column" },
  ModelQuality: {
    by: "monitor",
    statistic: "Average",
    unit: "the quality gate's metric on labelled predictions",
  },
  QualityLoss: {
    by: "monitor",
    statistic: "Maximum",
    unit: "share by which that metric is worse than when the model was registered",
  },
  BiasGap: {
    by: "monitor",
    statistic: "Maximum",
    unit: "largest difference of that metric between two values of a segment",
  },
  InputViolations: {
    by: "monitor",
    statistic: "Sum",
    unit: "captured instances that break the data set's schema",
  },
  ConformingInputs: { by: "monitor", statistic: "Sum", unit: "captured instances that keep to it" },
  PredictionDrift: {
    by: "monitor",
    statistic: "Maximum",
    unit: "worst drift score of captured requests and predictions",
  },
  AttributionNdcg: {
    by: "monitor",
    statistic: "Minimum",
    unit: "likeness of the columns' ranking by attribution to the baseline's, 1 where both are alike",
  },
  PredictionMean: { by: "monitor", statistic: "Average", unit: "mean of the predictions" },
  PredictionConfidence: { by: "gate", statistic: "Average", unit: "probability of the predicted class" },
  PredictionLatency: { by: "gate", statistic: "p95", unit: "milliseconds" },
  Predictions: { by: "gate", statistic: "Sum", unit: "predictions" },
  PredictionErrors: { by: "gate", statistic: "Sum", unit: "failed predictions" },
  SuspiciousRequests: {
    by: "gate",
    statistic: "Sum",
    unit: "requests that look like probing: out of range, in bursts, nearly alike",
  },
  BusinessValue: { by: "monitor", statistic: "Sum", unit: "US dollars that predictions gained or saved" },
  Cost: {
    by: "publish-cost",
    statistic: "Maximum",
    unit: "US dollars this month, as the pipeline's budget counts them",
  },
} as const satisfies Record<
  string,
  { by: "validate" | "gate" | "monitor" | "publish-cost"; statistic: string; unit: string }
>;

export type OwnMetric = keyof typeof OWN_METRICS;

export const ownMetric = (names: PipelineNames, name: OwnMetric, statistic?: string): Metric => ({
  namespace: names.metricNamespace,
  name,
  dimensions: {},
  statistic: statistic ?? OWN_METRICS[name].statistic,
});

export const queueMetric = (
  queueName: string,
  name: "ApproximateAgeOfOldestMessage" | "ApproximateNumberOfMessagesVisible",
): Metric => ({ namespace: "AWS/SQS", name, dimensions: { QueueName: queueName }, statistic: "Maximum" });
