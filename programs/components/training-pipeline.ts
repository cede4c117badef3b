import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { pipelineImages } from "../images.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { pipelineDefinition } from "../pipeline-definition.ts";
import { pipelineTags, TAG, type Tags } from "../tags.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "./pipeline-roles.ts";

export interface TrainingPipelineArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly network: JobNetwork;
  readonly tags: Tags;
}

/** The SageMaker Pipeline and the group that its models are registered in. */
export class TrainingPipeline extends pulumi.ComponentResource {
  readonly pipeline: aws.sagemaker.Pipeline;
  readonly modelPackageGroup: aws.sagemaker.ModelPackageGroup;

  constructor(name: string, args: TrainingPipelineArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:TrainingPipeline", name, {}, opts);
    const { setting, tags } = args;
    const { names, team, pipeline } = setting;
    this.modelPackageGroup = new aws.sagemaker.ModelPackageGroup(
      "models",
      {
        modelPackageGroupName: names.named("models"),
        modelPackageGroupDescription: `Models of AIDLC ${team}/${pipeline}; each waits for approval`,
        tags,
      },
      // A group with versions can't be deleted by AWS's rules; `delete` needs them removed first.
      { parent: this, retainOnDelete: setting.dataOnDestroy === "retain" },
    );
    this.pipeline = new aws.sagemaker.Pipeline(
      name,
      {
        pipelineName: names.named("training"),
        pipelineDisplayName: names.named("training"),
        pipelineDescription: `AIDLC ${team}/${pipeline}: process, train, evaluate, quality gate, register`,
        roleArn: args.roles.orchestration.readyArn,
        pipelineDefinition: definition(args),
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ pipeline: this.pipeline.arn });
  }
}

function definition({ setting, keys, network, tags }: TrainingPipelineArgs): pulumi.Output<string> {
  const { arns, names, spec } = setting;
  return pulumi
    .all([keys.data.arn, keys.models.arn, network.subnetIds, network.securityGroupId])
    .apply(([data, models, subnetIds, securityGroupId]) =>
      pipelineDefinition({
        names,
        training: spec.training,
        images: pipelineImages(setting),
        roleArns: {
          processing: arns.role(names.named("processing")),
          training: arns.role(names.named("training")),
        },
        keyArns: { data, models },
        network: { subnetIds, securityGroupId },
        tags: { ...pipelineTags(setting), [TAG.phase]: tags[TAG.phase] ?? "deployment" },
      }),
    );
}
