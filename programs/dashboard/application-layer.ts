import { executionMetric, ownMetric } from "../metrics.ts";
import type { PipelineNames } from "../names.ts";
import { endpointNames } from "../serving/endpoints.ts";
import { PREDICTOR } from "../serving/function-names.ts";
import { apiMetric, endpointMetric, functionMetric } from "../serving/metrics.ts";
import { functionGraphs } from "./data-graphs.ts";
import { deliveryGraphs } from "./delivery-graphs.ts";
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

/** Errors of what runs the model, whatever that is. */
function backendErrors({ names, spec }: DashboardArgs): readonly Series[] {
  const { mode } = spec.serving;
  if (mode === "lambda") {
    return [{ metric: functionMetric(names.named(PREDICTOR), "Errors"), label: "model" }];
  }
  if (mode === "ecs") {
    const balancer = "AWS/ApplicationELB,LoadBalancer";
    return [
      search(balancer, names.short(PREDICTOR), "HTTPCode_Target_5XX_Count", "Sum", "tasks 5xx"),
      search(balancer, names.short(PREDICTOR), "HTTPCode_ELB_5XX_Count", "Sum", "load balancer 5xx"),
    ];
  }
  return endpointNames(mode, names).flatMap((endpoint) => {
    const part = endpoint.slice(names.prefix.length + 1);
    return [
      { metric: endpointMetric(endpoint, "Invocation4XXErrors"), label: `${part} 4xx` },
      { metric: endpointMetric(endpoint, "Invocation5XXErrors"), label: `${part} 5xx` },
    ];
  });
}

function apiGraphs(args: DashboardArgs): readonly Graph[] {
  const { names, spec } = args;
  const gate = names.named("gate");
  return [
    {
      title: "Latency of the API (ms)",
      series: [
        ...percentiles((statistic) => apiMetric(names, "Latency", statistic)),
        { metric: apiMetric(names, "IntegrationLatency", "p99"), label: "p99 behind the API" },
      ],
      limit: { label: "slow", value: spec.monitoring.alarms.apiLatencyMs },
    },
    {
      title: "Requests",
      series: [
        { metric: apiMetric(names, "Count", "SampleCount"), label: "requests" },
        { metric: ownMetric(names, "Predictions"), label: "predictions" },
      ],
    },
    {
      title: "Failed requests by type",
      series: [
        { metric: apiMetric(names, "4XXError"), label: "refused (4xx)" },
        { metric: apiMetric(names, "5XXError"), label: "failed (5xx)" },
        { metric: functionMetric(gate, "Errors"), label: "gate" },
        ...backendErrors(args),
        { metric: ownMetric(names, "PredictionErrors"), label: "failed predictions" },
      ],
    },
    {
      title: "Duration of the gate (ms)",
      series: percentiles((statistic) => functionMetric(gate, "Duration", statistic)),
    },
    {
      title: "Requests that look like probing",
      series: [{ metric: ownMetric(names, "SuspiciousRequests"), label: "suspicious" }],
      limit: { label: "warning", value: spec.monitoring.alarms.suspiciousRequests },
    },
  ];
}

function executionGraphs(names: PipelineNames, slowMs: number): readonly Graph[] {
  return [
    {
      title: "Duration of executions (ms)",
      series: percentiles((statistic) => executionMetric(names, "ExecutionDuration", statistic)),
      periodSeconds: DAY,
      limit: { label: "slow", value: slowMs },
    },
    {
      title: "Validated and quarantined rows",
      series: [
        { metric: ownMetric(names, "RowsValidated"), label: "validated" },
        { metric: ownMetric(names, "RowsQuarantined"), label: "quarantined" },
      ],
      periodSeconds: HOUR,
    },
    {
      title: "Executions that did not succeed",
      series: [
        { metric: executionMetric(names, "ExecutionFailed"), label: "failed" },
        { metric: executionMetric(names, "ExecutionStopped"), label: "stopped" },
      ],
      periodSeconds: HOUR,
    },
  ];
}

export function applicationLayer(args: DashboardArgs): Layer {
  const { names, spec } = args;
  return {
    heading: "Application — latency, throughput, errors by type",
    graphs: [
      ...apiGraphs(args),
      ...functionGraphs(names),
      ...deliveryGraphs(names),
      ...executionGraphs(names, spec.monitoring.alarms.executionMinutes * 60_000),
    ],
  };
}
