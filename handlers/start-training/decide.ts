import type { PipelineExecutionSummary } from "@aws-sdk/client-sagemaker";
import { RETRAINING_ALARMS } from "../../programs/alarms.ts";

export interface Retraining {
  readonly causes: readonly (keyof typeof RETRAINING_ALARMS)[];
  readonly cooldownHours: number;
}

export type Decision =
  | { readonly outcome: "start"; readonly cause: string; readonly alarm: string }
  | { readonly outcome: "skip"; readonly reason: "no_cause" | "running" | "cooling_down" };

const UNDER_WAY = ["Executing", "Stopping"];
const HOUR_MS = 3_600_000;

/** The execution that began last. */
export const newest = (
  executions: readonly PipelineExecutionSummary[],
): PipelineExecutionSummary | undefined =>
  executions.reduce<PipelineExecutionSummary | undefined>(
    (latest, each) => ((each.StartTime ?? 0) > (latest?.StartTime ?? 0) ? each : latest),
    undefined,
  );

/**
 * Whether an alarm starts a training: it must be one that the spec retrains on, no training may be under way, and the last one, however it was
 * started and ended, must have begun long enough ago: what fails again and again must not be started again and again.
 */
export function decide(
  alarm: string,
  { causes, cooldownHours }: Retraining,
  executions: readonly PipelineExecutionSummary[],
  now: number,
): Decision {
  const cause = causes.find((each) => RETRAINING_ALARMS[each].some((name) => name === alarm));
  if (cause === undefined) return { outcome: "skip", reason: "no_cause" };
  if (executions.some(({ PipelineExecutionStatus: status = "" }) => UNDER_WAY.includes(status))) {
    return { outcome: "skip", reason: "running" };
  }
  const began = newest(executions)?.StartTime?.getTime();
  if (began !== undefined && now < began + cooldownHours * HOUR_MS) {
    return { outcome: "skip", reason: "cooling_down" };
  }
  return { outcome: "start", cause, alarm };
}
