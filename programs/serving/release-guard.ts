import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmSurroundings, metricAlarm } from "../components/pipeline-alarms.ts";
import { guardAlarms, RELEASE_GUARD } from "./alarms.ts";

/** Alarms of the traffic, and the one that stands for all of them: it tells people once and takes a release back. */
export class ReleaseGuard extends pulumi.ComponentResource {
  /** What CodeDeploy and deployment guardrails watch themselves. */
  readonly alarmNames: pulumi.Output<string>[];
  readonly name: pulumi.Output<string>;
  readonly arns: pulumi.Output<string>[];

  constructor(name: string, args: AlarmSurroundings, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ReleaseGuard", name, {}, opts);
    const { setting, alerts, tags } = args;
    const { names, spec } = setting;
    const alarms = guardAlarms(spec, names).map((alarm) => metricAlarm(alarm, args, this, { tells: false }));
    const guard = new aws.cloudwatch.CompositeAlarm(
      RELEASE_GUARD,
      {
        alarmName: names.named(RELEASE_GUARD),
        alarmDescription: "Predictions fail or are slow; a release that is under way is taken back",
        alarmRule: pulumi
          .all(alarms.map((alarm) => alarm.name))
          .apply((all) => all.map((each) => `ALARM("${each}")`).join(" OR ")),
        alarmActions: [alerts.topics.critical.publishableArn],
        okActions: [alerts.topics.critical.publishableArn],
        tags,
      },
      { parent: this },
    );
    this.alarmNames = alarms.map((alarm) => alarm.name);
    this.name = guard.alarmName;
    this.arns = [...alarms.map((alarm) => alarm.arn), guard.arn];
    this.registerOutputs({});
  }
}
