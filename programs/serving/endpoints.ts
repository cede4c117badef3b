import type { PipelineNames } from "../names.ts";
import type { PipelineSpec } from "../spec.ts";

export type ServingMode = PipelineSpec["serving"]["mode"];

/** Deployment guardrails compare variants by name, so every endpoint configuration names its one variant so. */
export const VARIANT = "primary";

/**
 * The endpoints that releases create and update. A serverless endpoint has one variant only, so two of them take turns
 * and the gate divides the traffic; a real-time endpoint is updated in place.
 */
export function endpointNames(mode: ServingMode, names: Pick<PipelineNames, "named">): readonly string[] {
  if (mode === "serverless") return [names.named("blue"), names.named("green")];
  return mode === "realtime" ? [names.named("live")] : [];
}

/**
 * Whether a version may serve that takes finished features, which the gate makes: one of a built-in algorithm, also after the spec has
 * gone on to an image of one's own.
 */
export const makesFeatures = ({ serving, dataset }: PipelineSpec) =>
  serving.mode === "serverless" && dataset.features !== undefined;

/** Where a version is tried before callers get it. */
export const STAGES = ["dev", "staging"] as const;

/** SageMaker's own name for the log group of an endpoint; it can't be chosen. */
export const endpointLogGroup = (endpointName: string) => `/aws/sagemaker/Endpoints/${endpointName}`;
