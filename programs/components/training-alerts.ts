import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import { EventAlert } from "./event-alert.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface TrainingAlertsArgs {
  readonly setting: PipelineSetting;
  readonly pipelineArn: pulumi.Input<string>;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  readonly tags: Tags;
}

/** Tells at once, and with the reason, that a training failed; the alarms on executions tell of many or of slow ones. */
export class TrainingAlerts extends pulumi.ComponentResource {
  constructor(name: string, args: TrainingAlertsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:TrainingAlerts", name, {}, opts);
    const { names, team, pipeline } = args.setting;
    this.alert(args, {
      name: "run-failure",
      description: "An execution of the training pipeline failed",
      pattern: {
        source: ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        detail: { pipelineArn: [args.pipelineArn], currentPipelineExecutionStatus: ["Failed"] },
      },
      message: {
        paths: { execution: "$.detail.pipelineExecutionArn" },
        text: `Training of ${team}/${pipeline} failed: <execution>`,
      },
    });
    this.alert(args, {
      name: "training-failed",
      description: "A training job failed",
      pattern: {
        source: ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        detail: {
          TrainingJobName: [{ prefix: `${names.jobPrefix("train")}-` }],
          TrainingJobStatus: ["Failed"],
        },
      },
      message: {
        paths: { job: "$.detail.TrainingJobName", why: "$.detail.FailureReason" },
        text: `Training job <job> of ${team}/${pipeline} failed: <why>`,
      },
    });
    this.registerOutputs({});
  }

  private alert(
    { setting, roles, alerts, tags }: TrainingAlertsArgs,
    {
      name,
      ...alert
    }: Pick<ConstructorParameters<typeof EventAlert>[1], "name" | "description" | "pattern" | "message">,
  ): void {
    new EventAlert(
      name,
      {
        ...alert,
        name: setting.names.named(name),
        topicArn: alerts.topics.warning.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
  }
}
