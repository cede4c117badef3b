import type { PipelineSpec } from "./spec.ts";

export const MONITOR_KINDS = ["data-quality", "model-quality", "bias", "drift"] as const;
export type MonitorKind = (typeof MONITOR_KINDS)[number];

/**
 * What the pipeline's own function monitors: everything, but bias only where segments are named, and the quality of data
 * not where SageMaker Model Monitor does.
 */
export function builtInMonitors({ monitoring }: PipelineSpec): MonitorKind[] {
  return MONITOR_KINDS.filter((kind) => {
    if (kind === "bias") return monitoring.segments.length > 0;
    return kind !== "data-quality" || monitoring.engine === "builtin";
  });
}
