import type { Severity } from "./components/pipeline-alerts.ts";
import { executionMetric, type Metric, ownMetric } from "./metrics.ts";
import type { PipelineNames } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

interface Common {
  /** Part of the physical name; unique within the pipeline. */
  readonly name: string;
  readonly description: string;
  readonly severity: Severity;
  readonly periodSeconds: number;
}

export type Alarm = Common &
  (
    | {
        readonly kind: "threshold";
        readonly metric: Metric;
        readonly comparison: "GreaterThanThreshold" | "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
        readonly threshold: number;
      }
    | {
        readonly kind: "ratio";
        readonly part: Metric;
        readonly rest: Metric;
        readonly threshold: number;
      }
    | { readonly kind: "anomaly"; readonly metric: Metric; readonly bandWidth: number }
  );

function executionAlarms({ monitoring: { alarms } }: PipelineSpec, names: PipelineNames): Alarm[] {
  return [
    {
      name: "run-failed",
      kind: "threshold",
      description: `${alarms.failedExecutions} or more executions failed within an hour`,
      severity: "critical",
      metric: executionMetric(names, "ExecutionFailed"),
      comparison: "GreaterThanOrEqualToThreshold",
      threshold: alarms.failedExecutions,
      periodSeconds: HOUR,
    },
    {
      name: "run-slow",
      kind: "threshold",
      description: `An execution took more than ${alarms.executionMinutes} minutes`,
      severity: "warning",
      metric: executionMetric(names, "ExecutionDuration", "Maximum"),
      comparison: "GreaterThanThreshold",
      threshold: alarms.executionMinutes * 60_000,
      periodSeconds: HOUR,
    },
    {
      name: "undelivered",
      kind: "threshold",
      description: "An alert or a scheduled start was not delivered and waits in the dead-letter queue",
      severity: "critical",
      metric: {
        namespace: "AWS/SQS",
        name: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: names.named("dead-letters") },
        statistic: "Maximum",
      },
      comparison: "GreaterThanThreshold",
      threshold: 0,
      periodSeconds: 300,
    },
  ];
}

function dataAlarms({ dataset, monitoring: { alarms } }: PipelineSpec, names: PipelineNames): Alarm[] {
  return [
    {
      name: "data-rejected",
      kind: "ratio",
      description: `More than ${alarms.quarantinedFraction * 100} % of a day's rows were quarantined`,
      severity: "critical",
      part: ownMetric(names, "RowsQuarantined"),
      rest: ownMetric(names, "RowsValidated"),
      threshold: alarms.quarantinedFraction,
      periodSeconds: DAY,
    },
    {
      name: "data-drift",
      kind: "threshold",
      description: `New data drifted from the baseline by more than ${dataset.quality.driftThreshold}`,
      severity: "warning",
      metric: ownMetric(names, "DriftScore"),
      comparison: "GreaterThanThreshold",
      threshold: dataset.quality.driftThreshold,
      periodSeconds: HOUR,
    },
  ];
}

function modelAlarms({ training, monitoring: { alarms } }: PipelineSpec, names: PipelineNames): Alarm[] {
  const { metric, threshold, direction } = training.qualityGate;
  return [
    {
      name: "model-quality",
      kind: "threshold",
      description: `${metric} in use is ${direction === "atLeast" ? "below" : "above"} the quality gate's ${threshold}`,
      severity: "warning",
      metric: ownMetric(names, "ModelQuality"),
      comparison: direction === "atLeast" ? "LessThanThreshold" : "GreaterThanThreshold",
      threshold,
      periodSeconds: DAY,
    },
    {
      name: "output-shift",
      kind: "anomaly",
      description: `Predictions left the expected band of ${alarms.predictionBandWidth} standard deviations`,
      severity: "warning",
      metric: ownMetric(names, "PredictionMean"),
      bandWidth: alarms.predictionBandWidth,
      periodSeconds: HOUR,
    },
  ];
}

/** Alarms on critical paths only: runs, incoming data, the model in use, and the alerts themselves. */
export function pipelineAlarms(spec: PipelineSpec, names: PipelineNames): Alarm[] {
  return [...executionAlarms(spec, names), ...dataAlarms(spec, names), ...modelAlarms(spec, names)];
}

/**
 * One noisy signal is a warning; a model that is measurably worse while its data or its output has moved is an
 * incident.
 */
export const DEGRADATION = { quality: "model-quality", causes: ["data-drift", "output-shift"] } as const;
