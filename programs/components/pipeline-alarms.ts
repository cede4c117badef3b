import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Alarm, DEGRADATION, pipelineAlarms } from "../alarms.ts";
import type { Metric } from "../metrics.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";

type MetricAlarmArgs = aws.cloudwatch.MetricAlarmArgs;
type MetricQuery = aws.types.input.cloudwatch.MetricAlarmMetricQuery;

const query = (id: string, metric: Metric, period: number, returnData: boolean): MetricQuery => ({
  id,
  metric: {
    namespace: metric.namespace,
    metricName: metric.name,
    dimensions: { ...metric.dimensions },
    stat: metric.statistic,
    period,
  },
  returnData,
});

const statisticOf = ({ statistic }: Metric) =>
  statistic.startsWith("p") ? { extendedStatistic: statistic } : { statistic };

/** What each kind of alarm measures. */
function measure(alarm: Alarm): Partial<MetricAlarmArgs> {
  switch (alarm.kind) {
    case "threshold":
      return {
        namespace: alarm.metric.namespace,
        metricName: alarm.metric.name,
        dimensions: { ...alarm.metric.dimensions },
        ...statisticOf(alarm.metric),
        period: alarm.periodSeconds,
        comparisonOperator: alarm.comparison,
        threshold: alarm.threshold,
      };
    case "ratio":
      return {
        metricQueries: [
          query("part", alarm.part, alarm.periodSeconds, false),
          query("rest", alarm.rest, alarm.periodSeconds, false),
          {
            id: "ratio",
            expression: "FILL(part, 0) / (FILL(part, 0) + FILL(rest, 0))",
            label: "Share",
            returnData: true,
          },
        ],
        comparisonOperator: "GreaterThanThreshold",
        threshold: alarm.threshold,
      };
    case "anomaly":
      return {
        metricQueries: [
          query("value", alarm.metric, alarm.periodSeconds, true),
          {
            id: "band",
            expression: `ANOMALY_DETECTION_BAND(value, ${alarm.bandWidth})`,
            label: "Expected",
            returnData: true,
          },
        ],
        thresholdMetricId: "band",
        comparisonOperator: "LessThanLowerOrGreaterThanUpperThreshold",
      };
  }
}

export interface AlarmSurroundings {
  readonly setting: PipelineSetting;
  readonly alerts: PipelineAlerts;
  readonly tags: Tags;
}

/** An alarm that tells the topic of its severity, or nobody where another alarm combines it. */
export function metricAlarm(
  alarm: Alarm,
  { setting: { names }, alerts, tags }: AlarmSurroundings,
  parent: pulumi.Resource,
  {
    tells = true,
    dimensions,
  }: { tells?: boolean; dimensions?: Readonly<Record<string, pulumi.Input<string>>> } = {},
): aws.cloudwatch.MetricAlarm {
  const topicArn = alerts.topics[alarm.severity].publishableArn;
  return new aws.cloudwatch.MetricAlarm(
    alarm.name,
    {
      name: names.named(alarm.name),
      alarmDescription: alarm.description,
      evaluationPeriods: alarm.evaluationPeriods ?? 1,
      ...(alarm.breachingPeriods !== undefined && { datapointsToAlarm: alarm.breachingPeriods }),
      // No run and no data is not a fault: a pipeline may rest.
      treatMissingData: "notBreaching",
      alarmActions: tells ? [topicArn] : [],
      okActions: tells && alarm.severity === "critical" ? [topicArn] : [],
      tags,
      ...measure(alarm),
      // Of resources whose names AWS makes up.
      ...(dimensions && { dimensions }),
    },
    { parent },
  );
}

/** The pipeline's alarms, and the one that combines them. */
export class PipelineAlarms extends pulumi.ComponentResource {
  readonly arns: pulumi.Output<string>[];
  /** Critical alarms that no failure drill makes ring. */
  readonly stopping: pulumi.Output<string>[];

  constructor(name: string, args: AlarmSurroundings, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:PipelineAlarms", name, {}, opts);
    const { names, spec } = args.setting;
    const topicArn = (severity: Alarm["severity"]) => args.alerts.topics[severity].publishableArn;
    const alarms = new Map(
      pipelineAlarms(spec, names).map((alarm) => [alarm.name, metricAlarm(alarm, args, this)]),
    );
    const inAlarm = (part: string) =>
      pulumi.interpolate`ALARM("${alarms.get(part)?.name ?? names.named(part)}")`;
    const any = (parts: readonly string[]) =>
      pulumi.all(parts.map(inAlarm)).apply((rules) => `(${rules.join(" OR ")})`);
    const degraded = new aws.cloudwatch.CompositeAlarm(
      "model-degraded",
      {
        alarmName: names.named("model-degraded"),
        alarmDescription:
          "The model in use is worse than its quality gate or than it was, and its data or output has moved",
        alarmRule: pulumi.interpolate`${any(DEGRADATION.quality)} AND ${any(DEGRADATION.causes)}`,
        alarmActions: [topicArn("critical")],
        okActions: [topicArn("critical")],
        tags: args.tags,
      },
      { parent: this },
    );
    const undelivered = alarms.get("undelivered");
    this.stopping = [degraded.arn, ...(undelivered ? [undelivered.arn] : [])];
    this.arns = [...[...alarms.values()].map((alarm) => alarm.arn), degraded.arn];
    this.registerOutputs({});
  }
}
