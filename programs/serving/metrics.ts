import type { Metric } from "../metrics.ts";
import type { PipelineNames } from "../names.ts";
import { STAGE } from "./api-names.ts";
import { VARIANT } from "./endpoints.ts";

export type ApiMetric = "4XXError" | "5XXError" | "Count" | "IntegrationLatency" | "Latency";

export const apiMetric = (names: PipelineNames, name: ApiMetric, statistic = "Sum"): Metric => ({
  namespace: "AWS/ApiGateway",
  name,
  dimensions: { ApiName: names.named("api"), Stage: STAGE },
  statistic,
});

export type FunctionMetric = "ConcurrentExecutions" | "Duration" | "Errors" | "Invocations" | "Throttles";

export const functionMetric = (functionName: string, name: FunctionMetric, statistic = "Sum"): Metric => ({
  namespace: "AWS/Lambda",
  name,
  dimensions: { FunctionName: functionName },
  statistic,
});

export type EndpointMetric =
  | "Invocation4XXErrors"
  | "Invocation5XXErrors"
  | "Invocations"
  | "ModelLatency"
  | "ModelSetupTime"
  | "OverheadLatency"
  | "ServerlessConcurrentExecutionsUtilization";

export const endpointMetric = (endpoint: string, name: EndpointMetric, statistic = "Sum"): Metric => ({
  namespace: "AWS/SageMaker",
  name,
  dimensions: { EndpointName: endpoint, VariantName: VARIANT },
  statistic,
});

/** Of the instances or the containers behind an endpoint; a serverless one has the second only. */
export const endpointUse = (
  endpoint: string,
  name: "CPUUtilization" | "DiskUtilization" | "MemoryUtilization",
): Metric => ({
  namespace: "/aws/sagemaker/Endpoints",
  name,
  dimensions: { EndpointName: endpoint, VariantName: VARIANT },
  statistic: "Average",
});
