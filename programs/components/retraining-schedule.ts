import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface RetrainingScheduleArgs {
  readonly groupName: pulumi.Input<string>;
  readonly name: string;
  readonly expression: string;
  readonly pipelineArn: pulumi.Input<string>;
  readonly roleArn: pulumi.Input<string>;
  readonly deadLetterQueueArn: pulumi.Input<string>;
}

/** Starts the pipeline on time. */
export class RetrainingSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: RetrainingScheduleArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:RetrainingSchedule", name, {}, opts);
    new aws.scheduler.Schedule(
      name,
      {
        name: args.name,
        groupName: args.groupName,
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
