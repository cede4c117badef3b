import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "../tags.ts";

interface Target {
  readonly arn: pulumi.Input<string>;
  /** EventBridge starts pipelines and machines through a role; functions let it in themselves. */
  readonly roleArn?: pulumi.Input<string>;
  /** Instead of the event: the values of these paths, put in place of `<name>` in the template. */
  readonly input?: { readonly paths: Readonly<Record<string, string>>; readonly template: string };
}

export interface EventTriggerArgs {
  readonly name: string;
  readonly description: string;
  readonly pattern: pulumi.Input<object>;
  /** By name; AWS takes five. */
  readonly targets: Readonly<Record<string, Target>>;
  /** Functions among the targets, by the target's name. */
  readonly functions?: Readonly<Record<string, aws.lambda.Function>>;
  readonly deadLetterQueueArn: pulumi.Input<string>;
  readonly tags: Tags;
}

const HOUR = 3600;

/** Lets events start what they are for. What can't be delivered within a day waits in the dead-letter queue. */
export class EventTrigger extends pulumi.ComponentResource {
  constructor(name: string, args: EventTriggerArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:EventTrigger", name, {}, opts);
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
    for (const [target, { arn, roleArn, input }] of Object.entries(args.targets)) {
      new aws.cloudwatch.EventTarget(
        `${name}-${target}`,
        {
          rule: rule.name,
          targetId: target,
          arn,
          ...(roleArn !== undefined && { roleArn }),
          ...(input !== undefined && {
            inputTransformer: { inputPaths: { ...input.paths }, inputTemplate: input.template },
          }),
          deadLetterConfig: { arn: args.deadLetterQueueArn },
          retryPolicy: { maximumEventAgeInSeconds: 24 * HOUR, maximumRetryAttempts: 185 },
        },
        { parent: this },
      );
    }
    for (const [target, invoked] of Object.entries(args.functions ?? {})) {
      new aws.lambda.Permission(
        `${name}-may-invoke-${target}`,
        {
          statementId: `on-${name}`,
          function: invoked.name,
          action: "lambda:InvokeFunction",
          principal: "events.amazonaws.com",
          sourceArn: rule.arn,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
