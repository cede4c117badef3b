import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "../tags.ts";

export interface RetrainingScheduleArgs {
  readonly groupName: string;
  readonly name: string;
  readonly expression: string;
  readonly pipelineArn: pulumi.Input<string>;
  readonly roleArn: pulumi.Input<string>;
  readonly deadLetterQueueArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** Starts the pipeline on time. In a group of its own: the group is what carries tags and what the role trusts. */
export class RetrainingSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: RetrainingScheduleArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:RetrainingSchedule", name, {}, opts);
    const group = new aws.scheduler.ScheduleGroup(
      `${name}-group`,
      { name: args.groupName, tags: args.tags },
      { parent: this },
    );
    new aws.scheduler.Schedule(
      name,
      {
        name: args.name,
        groupName: group.name,
        description: "Retrains the model on the accepted data",
        scheduleExpression: args.expression,
        scheduleExpressionTimezone: "UTC",
        // A quarter of an hour keeps the pipelines of an account from all starting at once.
        flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 15 },
        target: {
          arn: args.pipelineArn,
          roleArn: args.roleArn,
          sagemakerPipelineParameters: { pipelineParameters: [{ name: "Trigger", value: "schedule" }] },
          deadLetterConfig: { arn: args.deadLetterQueueArn },
          retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 5 },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
