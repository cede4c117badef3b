import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { PREFIX } from "../storage-layout.ts";
import type { Tags } from "../tags.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";
import type { ProtectedBucket } from "./protected-bucket.ts";

/** The parameter that holds what notebooks and handlers call the tracking URI. */
export const EXPERIMENTS_ARN = "experiments/arn";

export interface ExperimentTrackingArgs {
  readonly setting: PipelineSetting;
  readonly roles: PipelineRoles;
  readonly models: ProtectedBucket;
  readonly tags: Tags;
}

/**
 * MLflow for this pipeline's experiments. An MLflow App runs without servers and costs what its artifacts in S3 cost.
 * Jobs are isolated from the network and can't log to it, and functions on private subnets have no way to it: notebooks log.
 */
export class ExperimentTracking extends pulumi.ComponentResource {
  readonly app: aws.sagemaker.MlflowApp;

  constructor(name: string, args: ExperimentTrackingArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ExperimentTracking", name, {}, opts);
    const { setting, roles, models, tags } = args;
    this.app = new aws.sagemaker.MlflowApp(
      name,
      {
        name: setting.names.named("experiments"),
        artifactStoreUri: pulumi.interpolate`s3://${models.guardedName}/${PREFIX.experiments.slice(0, -1)}`,
        roleArn: roles.of("tracking").readyArn,
        // Models are registered by the pipeline, behind its quality gate, and by nothing else.
        modelRegistrationMode: "AutoModelRegistrationDisabled",
        accountDefaultStatus: "DISABLED",
        weeklyMaintenanceWindowStart: "Sun:03:00",
        tags,
      },
      { parent: this },
    );
    new aws.ssm.Parameter(
      `${name}-arn`,
      {
        name: setting.names.parameter(EXPERIMENTS_ARN),
        description: "MLflow's tracking URI: where experiments are logged",
        type: "String",
        tier: "Standard",
        insecureValue: this.app.arn,
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ arn: this.app.arn });
  }
}
