import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { pipelineImages } from "../images.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { pipelineDefinition } from "../pipeline-definition.ts";
import { pipelineTags, TAG, type Tags } from "../tags.ts";
import { HandlerFunction } from "./handler-function.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "./pipeline-roles.ts";

export interface TrainingPipelineArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  readonly network: JobNetwork;
  readonly tags: Tags;
}

/** The SageMaker Pipeline that pins the manifest, fits declared features, processes, trains or tunes, evaluates and registers. */
export class TrainingPipeline extends pulumi.ComponentResource {
  readonly pipeline: aws.sagemaker.Pipeline;

  constructor(name: string, args: TrainingPipelineArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:TrainingPipeline", name, {}, opts);
    const { setting, tags } = args;
    const { names, spec, team, pipeline } = setting;
    const pin = new HandlerFunction("pin-manifest", args, { parent: this });
    const fit =
      spec.dataset.features === undefined
        ? undefined
        : new HandlerFunction("fit-transform", args, { parent: this });
    this.pipeline = new aws.sagemaker.Pipeline(
      name,
      {
        pipelineName: names.named("training"),
        pipelineDisplayName: names.named("training"),
        pipelineDescription: `AIDLC ${team}/${pipeline}: process, train, evaluate, quality gate, register`,
        roleArn: args.roles.of("orchestration").readyArn,
        pipelineDefinition: definition(args, { pin, fit }),
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ pipeline: this.pipeline.arn });
  }
}

function definition(
  { setting, keys, roles, network, tags }: TrainingPipelineArgs,
  { pin, fit }: { readonly pin: HandlerFunction; readonly fit: HandlerFunction | undefined },
): pulumi.Output<string> {
  const { names, spec } = setting;
  return pulumi
    .all([
      keys.data.arn,
      keys.models.arn,
      network.subnetIds,
      network.securityGroupId,
      roles.of("processing").arn,
      roles.of("training").arn,
      pin.arn,
      fit?.arn,
    ])
    .apply(
      ([data, models, subnetIds, securityGroupId, processing, training, pinFunctionArn, fitFunctionArn]) =>
        pipelineDefinition({
          names,
          training: spec.training,
          pinFunctionArn,
          ...(fitFunctionArn !== undefined && { fitFunctionArn }),
          images: pipelineImages(setting),
          roleArns: { processing, training },
          keyArns: { data, models },
          isProduction: spec.profile === "production",
          network: { subnetIds, securityGroupId },
          tags: { ...pipelineTags(setting), [TAG.phase]: tags[TAG.phase] ?? "deployment" },
        }),
    );
}
