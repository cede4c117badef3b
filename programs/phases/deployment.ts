import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { EventAlert } from "../components/event-alert.ts";
import type { JobNetwork } from "../components/pipeline-roles.ts";
import { TrainingPipeline } from "../components/training-pipeline.ts";
import { configurationParameters } from "../configuration.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** From accepted data to a registered model that waits for approval, and the settings that all of it reads. */
export class Deployment extends Phase {
  readonly training: TrainingPipeline;

  constructor(
    setting: PipelineSetting,
    { infrastructure, network }: { infrastructure: Infrastructure; network: JobNetwork },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("deployment", opts);
    const { keys, roles, alerts } = infrastructure;
    this.training = new TrainingPipeline(
      "training",
      { setting, keys, roles, network, tags: this.tags },
      { parent: this },
    );
    this.storeConfiguration(setting);
    const { names } = setting;
    new EventAlert(
      "approval-needed",
      {
        name: names.named("approval-needed"),
        description: "A model passed the quality gate and waits for approval",
        pattern: {
          source: ["aws.sagemaker"],
          "detail-type": ["SageMaker Model Package State Change"],
          detail: {
            ModelPackageGroupName: [names.named("models")],
            ModelApprovalStatus: ["PendingManualApproval"],
          },
        },
        topicArn: alerts.topics.warning.publishableArn,
        roleArn: roles.alerts.readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { model: "$.detail.ModelPackageArn" },
          text: `A model of ${setting.team}/${setting.pipeline} waits for approval: <model>`,
        },
        tags: this.tags,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  private storeConfiguration({ names, spec }: PipelineSetting): void {
    for (const { name, description, value } of configurationParameters(spec)) {
      new aws.ssm.Parameter(
        name.replaceAll("/", "-"),
        {
          name: names.parameter(name),
          description,
          type: "String",
          tier: "Standard",
          // Not a secret: `value` would hide every change of a threshold in previews.
          insecureValue: value,
          tags: this.tags,
        },
        { parent: this },
      );
    }
  }
}
