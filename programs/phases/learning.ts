import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { CostPublishing } from "../components/cost-publishing.ts";
import { FailureDrills } from "../components/failure-drills.ts";
import { ModelMonitor } from "../components/model-monitor.ts";
import { Monitors } from "../components/monitors.ts";
import { PipelineAlarms } from "../components/pipeline-alarms.ts";
import type { JobNetwork } from "../components/pipeline-roles.ts";
import { RetrainingOnAlarm } from "../components/retraining-on-alarm.ts";
import { RetrainingSchedule } from "../components/retraining-schedule.ts";
import { TrainingAlerts } from "../components/training-alerts.ts";
import { dashboardBody } from "../dashboard/dashboard-body.ts";
import { PREDICTOR } from "../serving/function-names.ts";
import type { Deployment } from "./deployment.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** Watches the pipeline and its models, and retrains. */
export class Learning extends Phase {
  readonly dashboardName: pulumi.Output<string>;
  readonly alarms: PipelineAlarms;
  /** Only in the profile `production`. */
  readonly drills: FailureDrills | undefined;

  constructor(
    setting: PipelineSetting,
    {
      infrastructure,
      deployment,
      network,
    }: { infrastructure: Infrastructure; deployment: Deployment; network: JobNetwork },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("learning", opts);
    const { account, names, spec } = setting;
    const { alerts, roles } = infrastructure;
    this.alarms = new PipelineAlarms("alarms", { setting, alerts, tags: this.tags }, { parent: this });
    this.dashboardName = new aws.cloudwatch.Dashboard(
      "dashboard",
      {
        dashboardName: names.prefix,
        dashboardBody: pulumi
          .all([...this.alarms.arns, ...deployment.serving.alarmArns])
          .apply((alarmArns) => dashboardBody({ names, alarmArns, region: account.region, spec })),
      },
      { parent: this },
    ).dashboardName;
    this.watchModel(setting, infrastructure, network);
    new CostPublishing(
      "cost",
      {
        setting,
        keys: infrastructure.keys,
        roles,
        alerts,
        network,
        tags: this.tags,
        scheduleGroupName: infrastructure.schedules.name,
      },
      { parent: this },
    );
    this.drills = spec.profile === "production" ? this.drill(setting, infrastructure) : undefined;
    if (spec.training.retrainOn.length > 0) {
      new RetrainingOnAlarm(
        "retraining-on-alarm",
        { setting, keys: infrastructure.keys, roles, alerts, network, tags: this.tags },
        { parent: this },
      );
    }
    if (spec.training.schedule !== undefined) {
      new RetrainingSchedule(
        "retraining",
        {
          groupName: infrastructure.schedules.name,
          name: names.named("retraining"),
          expression: spec.training.schedule,
          pipelineArn: deployment.training.pipeline.arn,
          roleArn: roles.of("schedule").readyArn,
          deadLetterQueueArn: alerts.deadLetters.sendableArn,
        },
        { parent: this },
      );
    }
    new TrainingAlerts(
      "training-alerts",
      { setting, pipelineArn: deployment.training.pipeline.arn, roles, alerts, tags: this.tags },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** A drill that loses something, or that strikes while the model already fails, ends at once. */
  private drill(setting: PipelineSetting, { keys, roles }: Infrastructure): FailureDrills {
    const { names, release, spec } = setting;
    const tasks =
      spec.serving.mode === "ecs" && release !== undefined
        ? { cluster: names.named("serving"), service: names.named(PREDICTOR) }
        : undefined;
    return new FailureDrills(
      "drills",
      { setting, keys, roles, stopAlarmArns: this.alarms.stopping, tasks, tags: this.tags },
      { parent: this },
    );
  }

  /** By the pipeline's own monitors; by SageMaker's besides, once an endpoint lives and where the spec asks for it. */
  private watchModel(
    setting: PipelineSetting,
    { keys, roles, alerts, buckets, schedules }: Infrastructure,
    network: JobNetwork,
  ): void {
    const { release, spec } = setting;
    const shared = { setting, keys, roles, network, tags: this.tags };
    new Monitors("monitors", { ...shared, alerts, scheduleGroupName: schedules.name }, { parent: this });
    if (spec.monitoring.engine === "model-monitor" && release?.endpoint !== undefined) {
      new ModelMonitor(
        "model-monitor",
        { ...shared, endpointName: release.endpoint.name, buckets },
        { parent: this },
      );
    }
  }
}
