import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { HandlerFunction, HandlerFunctionArgs } from "./handler-function.ts";

export interface ScheduledFunctionArgs extends HandlerFunctionArgs {
  readonly scheduleGroupName: pulumi.Input<string>;
}

export interface FunctionSchedule {
  /** Part of the physical name; unique within the pipeline. */
  readonly part: string;
  readonly description: string;
  /** Of EventBridge Scheduler, in UTC. */
  readonly expression: string;
  /** What the function is told; nothing unless given. */
  readonly input?: object;
}

/** Starts a function on time, within a quarter of an hour; what can't be started waits among the dead letters. */
export const functionSchedule = (
  name: string,
  handler: HandlerFunction,
  { part, description, expression, input }: FunctionSchedule,
  { setting, roles, alerts, scheduleGroupName }: ScheduledFunctionArgs,
  parent: pulumi.Resource,
): aws.scheduler.Schedule =>
  new aws.scheduler.Schedule(
    name,
    {
      name: setting.names.named(part),
      groupName: scheduleGroupName,
      description,
      scheduleExpression: expression,
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 15 },
      target: {
        arn: handler.arn,
        roleArn: roles.of("schedule").readyArn,
        ...(input && { input: JSON.stringify(input) }),
        deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
        retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 5 },
      },
    },
    { parent },
  );
