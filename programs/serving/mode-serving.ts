import type * as pulumi from "@pulumi/pulumi";
import type { ContainerRepository } from "../components/container-repository.ts";
import type { PipelineAlerts } from "../components/pipeline-alerts.ts";
import type { PipelineBuckets } from "../components/pipeline-buckets.ts";
import type { PipelineKeys } from "../components/pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "../components/pipeline-roles.ts";
import type { NetworkOutputs } from "../inputs.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";

/** The setting that names the released version once the program has brought it up; modes with endpoints have none. */
export const BROUGHT_UP = "release/brought-up";

/** What every serving mode is built from. */
export interface ServingArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly buckets: PipelineBuckets;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  readonly inferenceImages: ContainerRepository;
  /** Where functions and tasks run. */
  readonly network: JobNetwork;
  /** The network itself, for groups and targets of their own. */
  readonly surroundings: pulumi.Input<NetworkOutputs>;
  readonly tags: Tags;
}

/** How a mode is reached and by which names releases find it. Plain JSON when resolved. */
export interface ServingMode {
  /** What the gate is told, as the parameter `serving/backend`. */
  readonly backend: pulumi.Input<Readonly<Record<string, unknown>>>;
  /** What releases are told, in the stack's outputs. */
  readonly targets: pulumi.Input<ServingTargets>;
  /** Where the program brings the released version up: its ARN, once that has happened. */
  readonly broughtUp?: pulumi.Output<string>;
  /** Of alarms that only this mode has and that no release is taken back for. */
  readonly alarmArns?: readonly pulumi.Output<string>[];
}

/** What a release acts on; which of them there are depends on the mode and on whether there was a release yet. */
export interface ServingTargets {
  readonly endpointNames?: readonly string[];
  readonly variantName?: string;
  readonly functionName?: string;
  readonly functionAlias?: string;
  readonly clusterName?: string;
  readonly serviceName?: string;
  readonly taskFamily?: string;
  readonly codeDeploy?: {
    readonly applicationName: string;
    readonly deploymentGroupName?: string;
    readonly deploymentConfigName: string;
  };
}
