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

/** What each kind of alarm measures. */
function measure(alarm: Alarm): Partial<MetricAlarmArgs> {
  switch (alarm.kind) {
    case "threshold":
      return {
        namespace: alarm.metric.namespace,
        metricName: alarm.metric.name,
        dimensions: { ...alarm.metric.dimensions },
        statistic: alarm.metric.statistic,
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

/** The pipeline's alarms, and the one that combines them. */
export class PipelineAlarms extends pulumi.ComponentResource {
  readonly arns: pulumi.Output<string>[];

  constructor(
    name: string,
    args: { readonly setting: PipelineSetting; readonly alerts: PipelineAlerts; readonly tags: Tags },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:PipelineAlarms", name, {}, opts);
    const { names, spec } = args.setting;
    const topicArn = (severity: Alarm["severity"]) => args.alerts.topics[severity].publishableArn;
    const alarms = new Map(
      pipelineAlarms(spec, names).map((alarm) => [
        alarm.name,
        new aws.cloudwatch.MetricAlarm(
          alarm.name,
          {
            name: names.named(alarm.name),
            alarmDescription: alarm.description,
            evaluationPeriods: 1,
            // No run and no data is not a fault: a pipeline may rest.
            treatMissingData: "notBreaching",
            alarmActions: [topicArn(alarm.severity)],
            okActions: alarm.severity === "critical" ? [topicArn("critical")] : [],
            tags: args.tags,
            ...measure(alarm),
          },
          { parent: this },
        ),
      ]),
    );
    const inAlarm = (part: string) =>
      pulumi.interpolate`ALARM("${alarms.get(part)?.name ?? names.named(part)}")`;
    const [drift, shift] = DEGRADATION.causes;
    const degraded = new aws.cloudwatch.CompositeAlarm(
      "model-degraded",
      {
        alarmName: names.named("model-degraded"),
        alarmDescription: "The model in use is worse than its quality gate and its data or output has moved",
        alarmRule: pulumi.interpolate`${inAlarm(DEGRADATION.quality)} AND (${inAlarm(drift)} OR ${inAlarm(shift)})`,
        alarmActions: [topicArn("critical")],
        okActions: [topicArn("critical")],
        tags: args.tags,
      },
      { parent: this },
    );
    this.arns = [...[...alarms.values()].map((alarm) => alarm.arn), degraded.arn];
    this.registerOutputs({});
  }
}
