import { arnOf, one, type PolicyCases } from "./policy-cases.ts";

const TOPIC = arnOf("sns", "warning");
const training = one("sagemaker/pipeline:Pipeline", "training", {});
const alarm = (name: string, properties: object = {}) =>
  one("cloudwatch/metricAlarm:MetricAlarm", name, { name, ...properties });
const composite = one("cloudwatch/compositeAlarm:CompositeAlarm", "degraded", {
  alarmRule: 'ALARM("quality") AND ALARM("drift")',
  alarmActions: [TOPIC],
});
const queue = one("sqs/queue:Queue", "dead-letters", { name: "dead-letters" });
const target = (properties: object) => one("cloudwatch/eventTarget:EventTarget", "target", properties);
const deadLetterConfig = { arn: arnOf("sqs", "dead-letters") };
const drill = (source: string) =>
  one("fis/experimentTemplate:ExperimentTemplate", "throttle", {
    stopConditions: [{ source, value: arnOf("cloudwatch", "errors") }],
  });

export const learningCases: PolicyCases = {
  "alarm-reaches-somebody": {
    broken: [alarm("quality", { alarmActions: [] })],
    kept: [alarm("quality", { alarmActions: [] }), alarm("drift", { alarmActions: [TOPIC] }), composite],
  },
  "model-is-monitored": {
    broken: [training, alarm("drift", { metricName: "DriftScore" })],
    kept: [
      training,
      alarm("drift", { metricName: "DriftScore" }),
      alarm("quality", { metricName: "ModelQuality" }),
    ],
  },
  "training-failure-alerts": {
    broken: [training],
    kept: [training, alarm("failed", { metricName: "ExecutionFailed" })],
  },
  "dead-letters-alarmed": {
    broken: [queue, target({ deadLetterConfig })],
    kept: [
      queue,
      target({ deadLetterConfig }),
      alarm("undelivered", {
        metricName: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: "dead-letters" },
      }),
    ],
  },
  "events-have-dead-letters": { broken: [target({ arn: TOPIC })], kept: [target({ deadLetterConfig })] },
  "metrics-on-dashboard": {
    broken: [training],
    kept: [training, one("cloudwatch/dashboard:Dashboard", "dashboard", {})],
  },
  "alerts-have-subscribers": {
    broken: [one("sns/topic:Topic", "warning", {})],
    kept: [
      one("sns/topic:Topic", "warning", {}),
      one("sns/topicSubscription:TopicSubscription", "ada", { topic: TOPIC }),
    ],
  },
  "failure-drill-stops-on-alarm": { broken: [drill("none")], kept: [drill("aws:cloudwatch:alarm")] },
};
