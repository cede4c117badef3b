import type { ServingMode } from "./endpoints.ts";
import type { ServingTargets } from "./mode-serving.ts";

/** How the pipeline's predictions are reached, and what releases act on. */
export interface ServingOutputs extends ServingTargets {
  readonly mode: ServingMode;
  readonly api: {
    readonly apiId: string;
    /** Of the stage; requests go to `/predictions` below it. */
    readonly url: string;
    readonly stageArn: string;
    /** The key's id, never its value. */
    readonly apiKeyId: string;
    readonly usagePlanId: string;
  };
  /** The combined alarm, and those that guardrails and CodeDeploy watch themselves. */
  readonly releaseGuard: { readonly alarmName: string; readonly alarmNames: readonly string[] };
  /** In production, outside of GovCloud. */
  readonly edge?: { readonly distributionId: string; readonly domainName: string };
}
