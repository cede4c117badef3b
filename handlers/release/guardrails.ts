import type { DeploymentConfig } from "@aws-sdk/client-sagemaker";
import type { Rollout } from "./settings.ts";

/** SageMaker's limits (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BlueGreenUpdatePolicy.html). */
const LONGEST_SECONDS = 28_800;
const LONGEST_WAIT_SECONDS = 3600;
/** For the new fleet to start and the old one to end, besides all waiting. */
const FLEETS_SECONDS = 3600;
/** CloudWatch alarms that one deployment may watch. */
const MOST_ALARMS = 10;

/**
 * How SageMaker shifts a real-time endpoint's traffic. Its steps all have one size, as CodeDeploy's do, so none is larger than the
 * canary; larger only where so many would take longer than SageMaker allows. After the last one the old fleet stays for as long again.
 */
export function guardrails(
  { canaryPercent, stepPercent, bakeMinutes }: Pick<Rollout, "canaryPercent" | "stepPercent" | "bakeMinutes">,
  alarmNames: readonly string[],
): DeploymentConfig {
  const wait = Math.min(bakeMinutes * 60, LONGEST_WAIT_SECONDS);
  // One wait after each step but the last, and one before the old fleet ends.
  const mostSteps = Math.max(2, Math.floor((LONGEST_SECONDS - FLEETS_SECONDS) / wait));
  const smallest = Math.ceil(100 / mostSteps);
  const size = Math.min(50, Math.max(10, smallest, Math.min(canaryPercent, stepPercent)));
  const steps = Math.ceil(100 / size);
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: "LINEAR",
        WaitIntervalInSeconds: wait,
        LinearStepSize: { Type: "CAPACITY_PERCENT", Value: size },
      },
      TerminationWaitInSeconds: wait,
      MaximumExecutionTimeoutInSeconds: Math.min(LONGEST_SECONDS, steps * wait + FLEETS_SECONDS),
    },
    AutoRollbackConfiguration: {
      Alarms: alarmNames.slice(0, MOST_ALARMS).map((AlarmName) => ({ AlarmName })),
    },
  };
}
