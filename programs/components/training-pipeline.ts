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

/** The SageMaker Pipeline that processes, trains or tunes, evaluates and registers. */
export class TrainingPipeline extends pulumi.ComponentResource {
  readonly pipeline: aws.sagemaker.Pipeline;

  constructor(name: string, args: TrainingPipelineArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:TrainingPipeline", name, {}, opts);
    const { setting, tags } = args;
    const { names, team, pipeline } = setting;
    this.pipeline = new aws.sagemaker.Pipeline(
      name,
      {
        pipelineName: names.named("training"),
        pipelineDisplayName: names.named("training"),
        pipelineDescription: `AIDLC ${team}/${pipeline}: process, train, evaluate, quality gate, register`,
        roleArn: args.roles.of("orchestration").readyArn,
        pipelineDefinition: definition(args),
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ pipeline: this.pipeline.arn });
  }
}

function definition({ setting, keys, roles, network, tags }: TrainingPipelineArgs): pulumi.Output<string> {
  const { names, spec } = setting;
  return pulumi
    .all([
      keys.data.arn,
      keys.models.arn,
      network.subnetIds,
      network.securityGroupId,
      roles.of("processing").arn,
      roles.of("training").arn,
    ])
    .apply(([data, models, subnetIds, securityGroupId, processing, training]) =>
      pipelineDefinition({
        names,
        training: spec.training,
        images: pipelineImages(setting),
        roleArns: { processing, training },
        keyArns: { data, models },
        isProduction: spec.profile === "production",
        network: { subnetIds, securityGroupId },
        tags: { ...pipelineTags(setting), [TAG.phase]: tags[TAG.phase] ?? "deployment" },
      }),
    );
}
