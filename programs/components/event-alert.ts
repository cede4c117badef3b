import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "../tags.ts";

export interface EventAlertArgs {
  readonly name: string;
  readonly description: string;
  readonly pattern: pulumi.Input<object>;
  readonly topicArn: pulumi.Input<string>;
  /** EventBridge publishes through this role: it names no source when it uses a topic's key as a service. */
  readonly roleArn: pulumi.Input<string>;
  readonly deadLetterQueueArn: pulumi.Input<string>;
  /** Placeholders `<name>` stand for the paths of the same name. */
  readonly message: { readonly paths: Readonly<Record<string, string>>; readonly text: string };
  readonly tags: Tags;
}

/** Turns an event into a readable alert. */
export class EventAlert extends pulumi.ComponentResource {
  readonly kind: string;
  readonly ruleName: pulumi.Output<string>;

  constructor(name: string, args: EventAlertArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:EventAlert", name, {}, opts);
    const rule = new aws.cloudwatch.EventRule(
      name,
      {
        name: args.name,
        description: args.description,
        eventPattern: pulumi.jsonStringify(args.pattern),
        tags: args.tags,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      {
        rule: rule.name,
        targetId: "topic",
        arn: args.topicArn,
        roleArn: args.roleArn,
        deadLetterConfig: { arn: args.deadLetterQueueArn },
        retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
        inputTransformer: {
          inputPaths: { ...args.message.paths },
          inputTemplate: JSON.stringify(args.message.text),
        },
      },
      { parent: this },
    );
    this.kind = name;
    this.ruleName = rule.name;
    this.registerOutputs({ rule: rule.name });
  }
}
