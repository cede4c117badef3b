import type { Severity } from "./components/pipeline-alerts.ts";
import { executionMetric, type Metric, ownMetric, queueMetric } from "./metrics.ts";
import { builtInMonitors } from "./monitor-kinds.ts";
import type { PipelineNames } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";

/**
 * A lower NDCG of the attributions' ranking is drift, as SageMaker Clarify has it
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html).
 */
export const LEAST_ATTRIBUTION_NDCG = 0.9;

const HOUR = 3600;
const DAY = 24 * HOUR;

interface Common {
  /** Part of the physical name; unique within the pipeline. */
  readonly name: string;
  readonly description: string;
  readonly severity: Severity;
  readonly periodSeconds: number;
  /** How many periods are looked at; 1 unless given. */
  readonly evaluationPeriods?: number;
  /** How many of them must be bad; all of them unless given. */
  readonly breachingPeriods?: number;
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
      metric: queueMetric(names.named("dead-letters"), "ApproximateNumberOfMessagesVisible"),
      comparison: "GreaterThanThreshold",
      threshold: 0,
      periodSeconds: 300,
    },
  ];
}

function ingestionAlarms({ monitoring: { alarms } }: PipelineSpec, names: PipelineNames): Alarm[] {
  return [
    {
      name: "ingest-waiting",
      kind: "threshold",
      description: `An object has waited more than ${alarms.waitingMinutes} minutes for its validation`,
      severity: "warning",
      metric: queueMetric(names.named("ingest"), "ApproximateAgeOfOldestMessage"),
      comparison: "GreaterThanThreshold",
      threshold: alarms.waitingMinutes * 60,
      periodSeconds: 300,
    },
    {
      name: "unprocessed",
      kind: "threshold",
      description:
        "An object could not be worked on again and again; its message waits among the unprocessed",
      severity: "critical",
      metric: queueMetric(names.named("unprocessed"), "ApproximateNumberOfMessagesVisible"),
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

/** What the model in use is asked and answers. A day, as its quality has: the combined alarm compares the two. */
function predictionAlarms(spec: PipelineSpec, names: PipelineNames): Alarm[] {
  const { dataset, monitoring } = spec;
  const { alarms } = monitoring;
  return [
    // Where SageMaker Model Monitor watches the quality of requests, nobody publishes the metrics of this one.
    ...(builtInMonitors(spec).includes("data-quality")
      ? [
          {
            name: "input-violations",
            kind: "ratio",
            description: `More than ${alarms.quarantinedFraction * 100} % of a day's captured instances break the data set's schema`,
            severity: "critical",
            part: ownMetric(names, "InputViolations"),
            rest: ownMetric(names, "ConformingInputs"),
            threshold: alarms.quarantinedFraction,
            periodSeconds: DAY,
          } as const,
        ]
      : []),
    {
      name: "prediction-drift",
      kind: "threshold",
      description: `Requests or predictions drifted from their baselines by more than ${dataset.quality.driftThreshold}`,
      severity: "warning",
      metric: ownMetric(names, "PredictionDrift"),
      comparison: "GreaterThanThreshold",
      threshold: dataset.quality.driftThreshold,
      periodSeconds: DAY,
    },
    {
      name: "attribution-drift",
      kind: "threshold",
      description: `Columns move the model's answers in another order than they did (NDCG below ${LEAST_ATTRIBUTION_NDCG})`,
      severity: "warning",
      metric: ownMetric(names, "AttributionNdcg"),
      comparison: "LessThanThreshold",
      threshold: LEAST_ATTRIBUTION_NDCG,
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

function modelAlarms({ training, monitoring }: PipelineSpec, names: PipelineNames): Alarm[] {
  const { alarms, segments } = monitoring;
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
      name: "quality-loss",
      kind: "threshold",
      description: `${metric} in use is more than ${alarms.qualityLoss * 100} % worse than when the model was registered`,
      severity: "warning",
      metric: ownMetric(names, "QualityLoss"),
      comparison: "GreaterThanThreshold",
      threshold: alarms.qualityLoss,
      periodSeconds: DAY,
    },
    ...(segments.length === 0
      ? []
      : [
          {
            name: "bias",
            kind: "threshold",
            description:
              `${metric} differs by more than ${alarms.biasGap} between values of ${segments.join(", ")}`.slice(
                0,
                1024,
              ),
            severity: "warning",
            metric: ownMetric(names, "BiasGap"),
            comparison: "GreaterThanThreshold",
            threshold: alarms.biasGap,
            periodSeconds: DAY,
          } as const,
        ]),
  ];
}

/** Alarms on critical paths only: runs, incoming data, the model in use, and the alerts themselves. */
export function pipelineAlarms(spec: PipelineSpec, names: PipelineNames): Alarm[] {
  return [
    ...executionAlarms(spec, names),
    ...ingestionAlarms(spec, names),
    ...dataAlarms(spec, names),
    ...modelAlarms(spec, names),
    ...predictionAlarms(spec, names),
  ];
}

/**
 * What starts a training, by the cause that the spec names. Not requests that break the schema: accepted data has no such rows to learn
 * from, and whoever may ask the model could start trainings with them.
 */
export const RETRAINING_ALARMS = {
  drift: ["data-drift", "prediction-drift", "attribution-drift", "output-shift"],
  degradation: ["model-quality", "quality-loss"],
} as const satisfies Record<PipelineSpec["training"]["retrainOn"][number], readonly string[]>;

/**
 * One noisy signal is a warning; a model that is measurably worse while its data or its output has moved is an
 * incident.
 */
export const DEGRADATION = {
  quality: RETRAINING_ALARMS.degradation,
  causes: RETRAINING_ALARMS.drift,
} as const;
