import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { shortHash } from "../names.ts";
import { denyPlainHttp, policyDocument, type Statement } from "../policy-document.ts";
import type { PipelineSpec } from "../spec.ts";
import type { Tags } from "../tags.ts";

export interface AlertTopicArgs {
  readonly name: string;
  readonly displayName: string;
  readonly arn: string;
  readonly keyArn: pulumi.Input<string>;
  readonly publishers: readonly Statement[];
  readonly alerts: PipelineSpec["alerts"];
  /** Takes what a webhook did not accept; it must take messages from this topic. */
  readonly deadLetterQueueArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** An encrypted topic with everybody who is told. E-mail subscriptions wait for the recipient's click. */
export class AlertTopic extends pulumi.ComponentResource {
  /** Known once services may publish to it. */
  readonly publishableArn: pulumi.Output<string>;

  constructor(name: string, args: AlertTopicArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:AlertTopic", name, {}, opts);
    const topic = new aws.sns.Topic(
      name,
      {
        name: args.name,
        displayName: args.displayName,
        kmsMasterKeyId: args.keyArn,
        signatureVersion: 2,
        tags: args.tags,
      },
      { parent: this },
    );
    const policy = new aws.sns.TopicPolicy(
      `${name}-policy`,
      {
        arn: topic.arn,
        policy: policyDocument([...args.publishers, denyPlainHttp("sns:Publish", args.arn)]),
      },
      { parent: this },
    );
    this.publishableArn = policy.arn;
    // Named by address, not by position: removing one address must not touch the others' subscriptions.
    for (const endpoint of args.alerts.emails) {
      new aws.sns.TopicSubscription(
        `${name}-email-${shortHash(endpoint)}`,
        { topic: topic.arn, protocol: "email", endpoint },
        { parent: this },
      );
    }
    const redrivePolicy = pulumi.jsonStringify({ deadLetterTargetArn: args.deadLetterQueueArn });
    for (const endpoint of args.alerts.webhooks) {
      new aws.sns.TopicSubscription(
        `${name}-webhook-${shortHash(endpoint)}`,
        // The path of a webhook is often its password: it is encrypted in the state and masked in events.
        { topic: topic.arn, protocol: "https", endpoint: pulumi.secret(endpoint), redrivePolicy },
        { parent: this },
      );
    }
    this.registerOutputs({ arn: topic.arn });
  }
}
