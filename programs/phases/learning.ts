import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { PipelineAlarms } from "../components/pipeline-alarms.ts";
import { RetrainingSchedule } from "../components/retraining-schedule.ts";
import { dashboardBody } from "../dashboard.ts";
import type { Deployment } from "./deployment.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** Watches the pipeline and its models, and retrains. */
export class Learning extends Phase {
  readonly dashboardName: pulumi.Output<string>;
  readonly alarms: PipelineAlarms;

  constructor(
    setting: PipelineSetting,
    { infrastructure, deployment }: { infrastructure: Infrastructure; deployment: Deployment },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("learning", opts);
    const { account, arns, names, spec } = setting;
    const { alerts, roles } = infrastructure;
    this.dashboardName = new aws.cloudwatch.Dashboard(
      "dashboard",
      {
        dashboardName: names.prefix,
        dashboardBody: dashboardBody({ names, arns, region: account.region, spec }),
      },
      { parent: this },
    ).dashboardName;
    this.alarms = new PipelineAlarms("alarms", { setting, alerts, tags: this.tags }, { parent: this });
    if (spec.training.schedule !== undefined && roles.schedule !== undefined) {
      new RetrainingSchedule(
        "retraining",
        {
          groupName: names.named("schedules"),
          name: names.named("retraining"),
          expression: spec.training.schedule,
          pipelineArn: deployment.training.pipeline.arn,
          roleArn: roles.schedule.readyArn,
          deadLetterQueueArn: alerts.deadLetters.sendableArn,
          tags: this.tags,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
