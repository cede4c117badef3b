import { pipelineAlarms } from "./alarms.ts";
import type { Arns } from "./arns.ts";
import { executionMetric, type Metric, ownMetric } from "./metrics.ts";
import { DATA_BUCKETS, type PipelineNames } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";

export interface DashboardArgs {
  readonly names: PipelineNames;
  readonly arns: Arns;
  readonly region: string;
  readonly spec: PipelineSpec;
}

type Series =
  | { readonly metric: Metric; readonly label: string; readonly id?: string; readonly visible?: false }
  | { readonly expression: string; readonly label: string; readonly id?: string };

interface Graph {
  readonly title: string;
  readonly series: readonly Series[];
  readonly periodSeconds?: number;
  readonly limit?: { readonly label: string; readonly value: number };
}

interface Layer {
  readonly heading: string;
  readonly graphs: readonly Graph[];
}

const HOUR = 3600;
const DAY = 24 * HOUR;

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

/** Jobs have a name of their own at each execution, so they are searched for by the pipeline's hash. */
const jobSearch = (
  names: PipelineNames,
  job: "TrainingJobs" | "ProcessingJobs",
  metric: string,
  statistic: string,
) => `SEARCH('{"/aws/sagemaker/${job}",Host} ${names.hash} MetricName="${metric}"', '${statistic}', 60)`;

const jobGraph = (names: PipelineNames, title: string, metric: string): Graph => ({
  title,
  series: [
    { expression: jobSearch(names, "TrainingJobs", metric, "Average"), label: "training" },
    { expression: jobSearch(names, "ProcessingJobs", metric, "Average"), label: "processing" },
  ],
  periodSeconds: 60,
});

function infrastructureLayer({ names }: DashboardArgs): Layer {
  const storage = (kind: (typeof DATA_BUCKETS)[number]): Series => ({
    label: kind,
    metric: {
      namespace: "AWS/S3",
      name: "BucketSizeBytes",
      dimensions: { BucketName: names.bucket(kind), StorageType: "StandardStorage" },
      statistic: "Average",
    },
  });
  const topicFailures = (severity: "warning" | "critical"): Series => ({
    label: `${severity} not delivered`,
    metric: {
      namespace: "AWS/SNS",
      name: "NumberOfNotificationsFailed",
      dimensions: { TopicName: names.named(severity) },
      statistic: "Sum",
    },
  });
  return {
    heading:
      "Infrastructure — jobs, storage, delivery of alerts. SageMaker publishes no network metrics; see the flow logs.",
    graphs: [
      jobGraph(names, "CPU of jobs (%)", "CPUUtilization"),
      jobGraph(names, "Memory of jobs (%)", "MemoryUtilization"),
      jobGraph(names, "Disk of jobs (%)", "DiskUtilization"),
      { title: "Stored bytes", series: DATA_BUCKETS.map(storage), periodSeconds: DAY },
      {
        title: "Health of alerts",
        series: [
          topicFailures("warning"),
          topicFailures("critical"),
          {
            label: "dead letters",
            metric: {
              namespace: "AWS/SQS",
              name: "ApproximateNumberOfMessagesVisible",
              dimensions: { QueueName: names.named("dead-letters") },
              statistic: "Maximum",
            },
          },
        ],
      },
    ],
  };
}

function applicationLayer({ names, spec }: DashboardArgs): Layer {
  const percentiles = (metric: (statistic: string) => Metric): Series[] =>
    ["p50", "p95", "p99"].map((statistic) => ({ metric: metric(statistic), label: statistic }));
  return {
    heading: "Application — latency, throughput, errors",
    graphs: [
      {
        title: "Duration of executions (ms)",
        series: percentiles((statistic) => executionMetric(names, "ExecutionDuration", statistic)),
        periodSeconds: DAY,
        limit: { label: "slow", value: spec.monitoring.alarms.executionMinutes * 60_000 },
      },
      {
        title: "Latency of predictions (ms)",
        series: percentiles((statistic) => ownMetric(names, "PredictionLatency", statistic)),
      },
      {
        title: "Throughput",
        series: [
          { metric: ownMetric(names, "RowsValidated"), label: "rows validated" },
          { metric: ownMetric(names, "Predictions"), label: "predictions" },
        ],
        periodSeconds: HOUR,
      },
      {
        title: "Errors by type",
        series: [
          { metric: executionMetric(names, "ExecutionFailed"), label: "failed executions" },
          { metric: executionMetric(names, "ExecutionStopped"), label: "stopped executions" },
          { metric: ownMetric(names, "RowsQuarantined"), label: "quarantined rows" },
          { metric: ownMetric(names, "PredictionErrors"), label: "failed predictions" },
        ],
        periodSeconds: HOUR,
      },
    ],
  };
}

function modelLayer({ names, spec }: DashboardArgs): Layer {
  const { metric, threshold } = spec.training.qualityGate;
  return {
    heading: "Model — quality over time, confidence, drift",
    graphs: [
      {
        title: `${metric} in training`,
        series: [
          {
            expression: `SEARCH('{"/aws/sagemaker/TrainingJobs",TrainingJobName} ${names.hash} MetricName="${metric}"', 'Maximum', 60)`,
            label: "training",
          },
        ],
        periodSeconds: 60,
        limit: { label: "quality gate", value: threshold },
      },
      {
        title: `${metric} in use`,
        series: [{ metric: ownMetric(names, "ModelQuality"), label: metric }],
        periodSeconds: DAY,
        limit: { label: "quality gate", value: threshold },
      },
      {
        title: "Confidence of predictions",
        series: ["p10", "p50", "p90"].map((statistic) => ({
          metric: ownMetric(names, "PredictionConfidence", statistic),
          label: statistic,
        })),
      },
      {
        title: `Drift of features (${spec.dataset.quality.driftMethod})`,
        series: [{ metric: ownMetric(names, "DriftScore"), label: "worst column" }],
        periodSeconds: HOUR,
        limit: { label: "warning", value: spec.dataset.quality.driftThreshold },
      },
      {
        title: "Mean prediction and its expected band",
        series: [
          { metric: ownMetric(names, "PredictionMean"), label: "mean", id: "mean" },
          {
            expression: `ANOMALY_DETECTION_BAND(mean, ${spec.monitoring.alarms.predictionBandWidth})`,
            label: "expected",
          },
        ],
        periodSeconds: HOUR,
      },
    ],
  };
}

function businessLayer({ names, spec }: DashboardArgs): Layer {
  const hidden = (name: "BusinessValue" | "Cost" | "Predictions", id: string): Series => ({
    metric: ownMetric(names, name),
    label: id,
    id,
    visible: false,
  });
  return {
    heading: "Business — what predictions are worth and what they cost",
    graphs: [
      {
        title: "Value (USD)",
        series: [{ metric: ownMetric(names, "BusinessValue"), label: "value" }],
        periodSeconds: DAY,
      },
      {
        title: "Cost this month (USD)",
        series: [{ metric: ownMetric(names, "Cost"), label: "cost" }],
        periodSeconds: DAY,
        limit: { label: "budget", value: spec.budget.monthlyUsd },
      },
      {
        title: "Cost per prediction (USD) and return on investment",
        series: [
          hidden("BusinessValue", "value"),
          hidden("Cost", "cost"),
          hidden("Predictions", "predictions"),
          { expression: "cost / predictions", label: "cost per prediction" },
          { expression: "(value - cost) / cost", label: "return" },
        ],
        periodSeconds: 30 * DAY,
      },
      {
        title: "A/B: value by variant (USD)",
        series: [
          {
            expression: `SEARCH('{"${names.metricNamespace}",Variant} MetricName="BusinessValue"', 'Sum', ${DAY})`,
            label: "",
          },
        ],
        periodSeconds: DAY,
      },
    ],
  };
}

const COLUMNS = 24;
const GRAPH = { width: 8, height: 6 } as const;
const TEXT_HEIGHT = 1;
const ALARMS_HEIGHT = 3;
const PER_ROW = COLUMNS / GRAPH.width;

function graphWidget({ title, series, periodSeconds = 300, limit }: Graph, region: string) {
  return {
    type: "metric",
    ...GRAPH,
    properties: {
      title,
      region,
      view: "timeSeries",
      period: periodSeconds,
      metrics: series.map(seriesEntry),
      ...(limit && { annotations: { horizontal: [limit] } }),
    },
  };
}

/**
 * The dashboard in its four layers. Every metric is one that SageMaker, S3, SNS or SQS publish for resources of this
 * pipeline, or one of `OWN_METRICS`, which the components named there publish.
 */
export function dashboardBody(args: DashboardArgs): string {
  const { names, arns, region, spec } = args;
  const alarms = [...pipelineAlarms(spec, names).map(({ name }) => name), "model-degraded"];
  const widgets: object[] = [
    {
      type: "alarm",
      x: 0,
      y: 0,
      width: COLUMNS,
      height: ALARMS_HEIGHT,
      properties: { title: "Alarms", alarms: alarms.map((name) => arns.alarm(names.named(name))) },
    },
  ];
  let y = ALARMS_HEIGHT;
  for (const layer of [
    infrastructureLayer(args),
    applicationLayer(args),
    modelLayer(args),
    businessLayer(args),
  ]) {
    widgets.push({
      type: "text",
      x: 0,
      y,
      width: COLUMNS,
      height: TEXT_HEIGHT,
      properties: { markdown: `## ${layer.heading}` },
    });
    y += TEXT_HEIGHT;
    for (const [index, graph] of layer.graphs.entries()) {
      const row = Math.floor(index / PER_ROW);
      widgets.push({
        x: (index % PER_ROW) * GRAPH.width,
        y: y + row * GRAPH.height,
        ...graphWidget(graph, region),
      });
    }
    y += Math.ceil(layer.graphs.length / PER_ROW) * GRAPH.height;
  }
  return JSON.stringify({ widgets });
}
