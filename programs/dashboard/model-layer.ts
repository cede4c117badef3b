import { LEAST_ATTRIBUTION_NDCG } from "../alarms.ts";
import { ownMetric } from "../metrics.ts";
import { endpointNames } from "../serving/endpoints.ts";
import { ALIAS, PREDICTOR } from "../serving/function-names.ts";
import { endpointMetric, functionMetric } from "../serving/metrics.ts";
import {
  DAY,
  type DashboardArgs,
  type Graph,
  HOUR,
  type Layer,
  percentiles,
  type Series,
  search,
} from "./graph.ts";

/** Of the model alone, without gate and network. */
function modelLatency({ names, spec }: DashboardArgs): Graph {
  const { mode } = spec.serving;
  const endpoints: Series[] = endpointNames(mode, names).map((endpoint) => ({
    metric: endpointMetric(endpoint, "ModelLatency", "p95"),
    label: `${endpoint.slice(names.prefix.length + 1)} p95 (µs)`,
  }));
  const predictor = names.named(PREDICTOR);
  const functions: Series[] = [
    {
      metric: {
        ...functionMetric(predictor, "Duration", "p95"),
        dimensions: { FunctionName: predictor, Resource: `${predictor}:${ALIAS}` },
      },
      label: "function p95 (ms)",
    },
  ];
  const tasks: Series[] = [
    search(
      "AWS/ApplicationELB,LoadBalancer",
      names.short(PREDICTOR),
      "TargetResponseTime",
      "p95",
      "tasks p95 (s)",
    ),
  ];
  return {
    title: "Latency of inference",
    series: [
      ...percentiles((statistic) => ownMetric(names, "PredictionLatency", statistic)),
      ...(mode === "ecs" ? tasks : mode === "lambda" ? functions : endpoints),
    ],
  };
}

function qualityGraphs({ names, spec }: DashboardArgs): readonly Graph[] {
  const { metric, threshold } = spec.training.qualityGate;
  const gate = { label: "quality gate", value: threshold };
  return [
    {
      title: `${metric} in training`,
      series: [
        search('"/aws/sagemaker/TrainingJobs",TrainingJobName', names.hash, metric, "Maximum", "training"),
      ],
      periodSeconds: 60,
      limit: gate,
    },
    {
      title: `${metric} in use`,
      series: [{ metric: ownMetric(names, "ModelQuality"), label: metric }],
      periodSeconds: DAY,
      limit: gate,
    },
    {
      title: "Loss of quality since registration, and bias",
      series: [
        { metric: ownMetric(names, "QualityLoss"), label: "loss (share)" },
        { metric: ownMetric(names, "BiasGap"), label: `${metric} between segments` },
      ],
      periodSeconds: DAY,
    },
  ];
}

function predictionGraphs({ names, spec }: DashboardArgs): readonly Graph[] {
  const { dataset, monitoring } = spec;
  return [
    {
      title: "Confidence of predictions",
      series: ["p10", "p50", "p90"].map((statistic) => ({
        metric: ownMetric(names, "PredictionConfidence", statistic),
        label: statistic,
      })),
    },
    {
      title: `Drift of features (${dataset.quality.driftMethod})`,
      series: [
        { metric: ownMetric(names, "DriftScore"), label: "worst column of new data" },
        { metric: ownMetric(names, "PredictionDrift"), label: "worst column of requests" },
      ],
      periodSeconds: HOUR,
      limit: { label: "warning", value: dataset.quality.driftThreshold },
    },
    {
      title: "Likeness of attributions to the baseline's (NDCG)",
      series: [{ metric: ownMetric(names, "AttributionNdcg"), label: "NDCG" }],
      periodSeconds: DAY,
      limit: { label: "warning", value: LEAST_ATTRIBUTION_NDCG },
    },
    {
      title: "Mean prediction and its expected band",
      series: [
        { metric: ownMetric(names, "PredictionMean"), label: "mean", id: "mean" },
        {
          expression: `ANOMALY_DETECTION_BAND(mean, ${monitoring.alarms.predictionBandWidth})`,
          label: "expected",
        },
      ],
      periodSeconds: HOUR,
    },
    {
      title: "Captured instances and the schema",
      series: [
        { metric: ownMetric(names, "InputViolations"), label: "break it" },
        { metric: ownMetric(names, "ConformingInputs"), label: "keep to it" },
      ],
      periodSeconds: HOUR,
    },
  ];
}

export function modelLayer(args: DashboardArgs): Layer {
  return {
    heading: "Model — quality over time, confidence, drift, latency",
    graphs: [...qualityGraphs(args), ...predictionGraphs(args), modelLatency(args)],
  };
}
