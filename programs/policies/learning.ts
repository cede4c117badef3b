import { ALWAYS, each, IN_PRODUCTION, lacks, type Policy, RECOMMENDED, throughout } from "./policy.ts";
import type { Stack, StackResource } from "./stack.ts";
import { allTexts, at, list, missing, text, texts } from "./values.ts";

const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const SCHEDULE = "aws:scheduler/schedule:Schedule";

/** What an alarm watches, in a metric of its own or in an expression of several. */
function metricsOf({ properties: bag }: StackResource): readonly string[] {
  return [
    ...texts(bag.metricName),
    ...list(bag.metricQueries).flatMap((query) => texts(at(query, "metric.metricName"))),
  ];
}

function watches(stack: Stack, metric: RegExp): boolean {
  return stack.ofType(ALARM).some((alarm) => metricsOf(alarm).some((name) => metric.test(name)));
}

const trains = (stack: Stack) => stack.ofType("aws:sagemaker/pipeline:Pipeline").length > 0;

export const learningPolicies: readonly Policy[] = [
  {
    id: "alarm-reaches-somebody",
    title: "Every alarm acts, itself or through a composite alarm",
    text: "An alarm without an action rings in an empty room.",
    phase: "learning",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["cloudwatch-alarm-action-check"],
      fsbp: ["CloudWatch.15"],
      nist: ["SI-4(5)", "IR-4"],
    },
    remedy: "Set alarmActions to a topic, or use the alarm in a composite alarm's rule",
    check: each([ALARM, COMPOSITE], (alarm, stack) => {
      if (!missing(alarm.properties.alarmActions)) return undefined;
      const name = text(alarm.properties.name);
      return !stack
        .ofType(COMPOSITE)
        .map(({ properties: bag }) => bag.alarmRule)
        .some((rule) => name !== undefined && text(rule)?.includes(`"${name}"`));
    }),
  },
  {
    id: "model-is-monitored",
    title: "Every pipeline watches its data for drift and its model for quality",
    text: "A model that is deployed and forgotten gets worse without anybody noticing.",
    phase: "learning",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SI-4", "CA-7"] },
    remedy: "Keep the alarms on drift and model quality that the program makes from monitoring in the spec",
    check: lacks((stack) => {
      if (!trains(stack)) return undefined;
      const absent = [
        ["data drift", /drift/i] as const,
        ["model quality", /quality|accuracy/i] as const,
      ].filter(([, metric]) => !watches(stack, metric));
      return absent.length > 0 ? `No alarm on ${absent.map(([what]) => what).join(", ")}` : undefined;
    }),
  },
  {
    id: "training-failure-alerts",
    title: "A failed training is noticed",
    text: "A model that isn't renewed any more looks exactly like one that needs no renewal.",
    phase: "learning",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SI-4(5)", "AU-5"] },
    remedy: "Keep the alarm on ExecutionFailed of the SageMaker pipeline",
    check: lacks((stack) =>
      trains(stack) && !watches(stack, /ExecutionFailed|TrainingJob.*Failed/i)
        ? "No alarm on failed executions"
        : undefined,
    ),
  },
  {
    id: "dead-letters-alarmed",
    title: "Somebody is told when something waits in a dead-letter queue",
    text: "What nobody takes from the queue is gone after fourteen days.",
    phase: "learning",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["AU-5", "SI-4(5)"] },
    remedy: "Put an alarm on ApproximateNumberOfMessagesVisible of the queue",
    check: throughout((stack) =>
      deadLetterQueues(stack)
        .filter((queue) => !isAlarmed(queue, stack))
        .map((resource) => ({ resource })),
    ),
  },
  {
    id: "events-have-dead-letters",
    title: "Events and schedules that can't be delivered wait in a dead-letter queue",
    text: "An alert or a retraining that was not delivered is otherwise dropped without a trace.",
    phase: "learning",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["AU-5", "SI-11"] },
    remedy: "Set deadLetterConfig on the target",
    check: (stack) => [
      ...each([TARGET], ({ properties: bag }) => missing(at(bag, "deadLetterConfig.arn")))(stack),
      ...each([SCHEDULE], ({ properties: bag }) => missing(at(bag, "target.deadLetterConfig.arn")))(stack),
    ],
  },
  {
    id: "metrics-on-dashboard",
    title: "Every pipeline has a dashboard of infrastructure, application, model and business",
    text: "Cause and effect stand in different layers: a dear prediction, a slow one and a wrong one may be the same fault.",
    phase: "learning",
    severity: "low",
    levels: RECOMMENDED,
    controls: { nist: ["SI-4"] },
    remedy: "Keep the dashboard that the program makes",
    check: lacks((stack) =>
      trains(stack) && stack.ofType("aws:cloudwatch/dashboard:Dashboard").length === 0
        ? "It has no dashboard"
        : undefined,
    ),
  },
  {
    id: "alerts-have-subscribers",
    title: "Somebody is subscribed to the alerts",
    text: "Topics without subscribers drop what they are told.",
    phase: "learning",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { nist: ["IR-6", "SI-4(5)"] },
    remedy: "Name e-mail addresses or webhooks in the spec: alerts",
    check: (stack) =>
      stack.program === "foundation"
        ? []
        : each(
            ["aws:sns/topic:Topic"],
            (topic) =>
              stack.referring("aws:sns/topicSubscription:TopicSubscription", "topic", topic).length === 0,
          )(stack),
  },
  {
    id: "failure-drill-stops-on-alarm",
    title: "Every failure drill stops when an alarm rings",
    text: "An experiment that nothing stops is an outage.",
    phase: "learning",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["CP-4", "IR-3"] },
    remedy: "Set a stop condition on an alarm",
    check: each(["aws:fis/experimentTemplate:ExperimentTemplate"], ({ properties: bag }) => {
      return !list(bag.stopConditions).some(
        (condition) => at(condition, "source") === "aws:cloudwatch:alarm" && !missing(at(condition, "value")),
      );
    }),
  },
];

/** Queues that another resource names as the place for what it could not deliver or process. */
function deadLetterQueues(stack: Stack): readonly StackResource[] {
  const named = stack.resources.flatMap(({ type, properties: bag }) =>
    type === "aws:sqs/queue:Queue" || type === "aws:sqs/redrivePolicy:RedrivePolicy"
      ? allTexts(bag.redrivePolicy)
      : [bag.deadLetterConfig, at(bag, "target.deadLetterConfig"), bag.redrivePolicy].flatMap(allTexts),
  );
  return stack
    .ofType("aws:sqs/queue:Queue")
    .filter(({ names }) =>
      names.some((name) => typeof name === "string" && name.startsWith("arn:") && mentions(named, name)),
    );
}

function mentions(lines: readonly string[], arn: string): boolean {
  return lines.some((line) => line === arn || line.includes(`"${arn}"`));
}

function isAlarmed(queue: StackResource, stack: Stack): boolean {
  return stack.ofType(ALARM).some(({ properties: bag }) => {
    const name = at(bag, "dimensions.QueueName");
    return metricsOf({ ...queue, properties: bag }).includes("ApproximateNumberOfMessagesVisible")
      ? stack.refersTo(name, queue)
      : false;
  });
}
