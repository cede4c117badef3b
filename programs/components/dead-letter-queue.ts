import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { denyPlainHttp, policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface DeadLetterQueueArgs {
  readonly name: string;
  readonly arn: string;
  readonly topicArns: readonly string[];
  readonly ruleArns: string;
  readonly tags: Tags;
}

const FOURTEEN_DAYS = 14 * 24 * 3600;

/**
 * What could not be delivered. SQS's own encryption, because a customer key would have to be opened to SNS and
 * EventBridge, which name no source to KMS when they write to a queue.
 */
export class DeadLetterQueue extends pulumi.ComponentResource {
  /** Known once senders may send. */
  readonly sendableArn: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: DeadLetterQueueArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DeadLetterQueue", name, {}, opts);
    const queue = new aws.sqs.Queue(
      name,
      {
        name: args.name,
        messageRetentionSeconds: FOURTEEN_DAYS,
        sqsManagedSseEnabled: true,
        tags: args.tags,
      },
      { parent: this },
    );
    const send = { Effect: "Allow", Action: "sqs:SendMessage", Resource: args.arn } as const;
    const policy = new aws.sqs.QueuePolicy(
      `${name}-policy`,
      {
        queueUrl: queue.url,
        policy: policyDocument([
          {
            ...send,
            Sid: "UndeliveredNotifications",
            Principal: { Service: "sns.amazonaws.com" },
            Condition: { ArnEquals: { "aws:SourceArn": args.topicArns } },
          },
          {
            ...send,
            Sid: "UndeliveredEvents",
            Principal: { Service: "events.amazonaws.com" },
            Condition: { ArnLike: { "aws:SourceArn": args.ruleArns } },
          },
          denyPlainHttp("sqs:SendMessage", args.arn),
        ]),
      },
      { parent: this },
    );
    this.sendableArn = pulumi.all([queue.arn, policy.id]).apply(([arn]) => arn);
    this.url = queue.url;
    this.registerOutputs({ arn: queue.arn });
  }
}
