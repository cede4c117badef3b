import type * as pulumi from "@pulumi/pulumi";
import { fromKinds } from "../from-kinds.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { onBehalfOf, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";
import { AlertTopic } from "./alert-topic.ts";
import { DeadLetterQueue } from "./dead-letter-queue.ts";

export const SEVERITIES = ["warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface PipelineAlerts {
  readonly topics: Readonly<Record<Severity, AlertTopic>>;
  readonly deadLetters: DeadLetterQueue;
}

/** Alarms and budgets publish as services; events come through a role, for EventBridge names no source to KMS. */
function publishers({ account: { accountId }, arns, names }: PipelineSetting, topicArn: string): Statement[] {
  const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topicArn } as const;
  return [
    {
      ...publish,
      Sid: "Alarms",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Condition: onBehalfOf(accountId, arns.alarm(`${names.prefix}-*`)),
    },
    {
      ...publish,
      Sid: "Budgets",
      Principal: { Service: "budgets.amazonaws.com" },
      Condition: onBehalfOf(accountId, arns.budgets),
    },
  ];
}

/** The warning and the critical topic, and the queue for what could not be delivered. */
export function pipelineAlerts(
  setting: PipelineSetting,
  keyArn: pulumi.Input<string>,
  tags: Tags,
  parent: pulumi.Resource,
): PipelineAlerts {
  const { arns, names, spec, team, pipeline } = setting;
  const topicArn = (severity: Severity) => arns.topic(names.named(severity));
  const deadLetters = new DeadLetterQueue(
    "dead-letters",
    {
      name: names.named("dead-letters"),
      arn: arns.queue(names.named("dead-letters")),
      topicArns: [...SEVERITIES, "incidents"].map((topic) => arns.topic(names.named(topic))),
      ruleArns: arns.rule(`${names.prefix}-*`),
      tags,
    },
    { parent },
  );
  const topics = fromKinds(
    SEVERITIES,
    (severity) =>
      new AlertTopic(
        severity,
        {
          name: names.named(severity),
          // SNS shows at most 100 characters.
          displayName: `AIDLC ${severity}: ${team}/${pipeline}`,
          arn: topicArn(severity),
          keyArn,
          publishers: publishers(setting, topicArn(severity)),
          alerts: spec.alerts,
          deadLetterQueueArn: deadLetters.sendableArn,
          tags,
        },
        { parent },
      ),
  );
  return { topics, deadLetters };
}
