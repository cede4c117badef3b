import { benign, cost, data, security, type TypeRules, wholly } from "./rule.ts";

const silent = security("high", "Nobody may be told when something happens");
const watched = security("medium", "When people are told was changed");

/** Logs, alarms, events, topics. */
export const observationRules: Readonly<Record<string, TypeRules>> = {
  "aws:cloudwatch/logGroup:LogGroup": {
    holds: "its logs",
    properties: [
      [
        /^retentionInDays/,
        ({ before, after }) =>
          // Zero, or nothing, is for ever.
          Number(after ?? 0) === 0
            ? cost("medium", "Logs are kept for ever and cost for as long")
            : Number(before ?? 0) !== 0 && Number(after) > Number(before)
              ? cost("low", "Logs are kept longer and cost more")
              : data("high", "Logs are deleted sooner"),
      ],
      [/^kmsKeyId/, security("high", "How logs are enciphered was changed")],
      [/^logGroupClass/, cost("low", "What logs cost was changed")],
      [/^skipDestroy/, benign("It is no property of the log group on AWS")],
    ],
    otherwise: security("medium", "A property of the log group was changed"),
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    properties: [[/^(alarmActions|actionsEnabled|okActions|insufficientDataActions)/, silent]],
    otherwise: watched,
    gone: silent,
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
    properties: [[/^(alarmActions|actionsEnabled|okActions|actionsSuppressor)/, silent]],
    otherwise: watched,
    gone: silent,
  },
  "aws:cloudwatch/dashboard:Dashboard": {
    ...wholly(benign("A dashboard shows and governs nothing")),
    gone: benign("A dashboard shows and governs nothing"),
  },
  "aws:cloudwatch/eventRule:EventRule": {
    properties: [[/^scheduleExpression/, cost("medium", "How often something starts was changed")]],
    otherwise: security("high", "What an event starts was changed"),
  },
  "aws:cloudwatch/eventTarget:EventTarget": wholly(security("high", "What an event starts was changed")),
  "aws:cloudwatch/*": wholly(security("high", "Where logs go was changed")),
  "aws:sns/topic:Topic": {
    properties: [
      [/^policy/, security("high", "Who may publish or listen was changed")],
      [/^kmsMasterKeyId/, security("high", "How messages are enciphered was changed")],
    ],
    otherwise: security("medium", "How messages are delivered was changed"),
  },
  "aws:sns/topicPolicy:TopicPolicy": wholly(security("high", "Who may publish or listen was changed")),
  "aws:sns/topicSubscription:TopicSubscription": wholly(security("high", "Who is told was changed")),
  "aws:scheduler/schedule:Schedule": {
    properties: [
      [
        /^(scheduleExpression|flexibleTimeWindow|startDate|endDate)/,
        cost("medium", "When it starts was changed"),
      ],
      [/^state/, security("medium", "Whether it starts at all was changed")],
    ],
    otherwise: security("high", "What the schedule starts, and with which rights, was changed"),
  },
};
