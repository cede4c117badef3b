import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { builtInMonitors } from "../monitor-kinds.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

export interface MonitorsArgs extends HandlerFunctionArgs {
  readonly scheduleGroup: aws.scheduler.ScheduleGroup;
}

/** The function that watches the model in use, and a schedule for each kind of watching. */
export class Monitors extends pulumi.ComponentResource {
  readonly handler: HandlerFunction;

  constructor(name: string, args: MonitorsArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Monitors", name, {}, opts);
    const { setting, roles, alerts, scheduleGroup } = args;
    const { names, spec } = setting;
    this.handler = new HandlerFunction("monitor", args, { parent: this });
    for (const kind of builtInMonitors(spec)) {
      new aws.scheduler.Schedule(
        `${kind}-schedule`,
        {
          name: names.named(kind),
          groupName: scheduleGroup.name,
          description: `Monitors ${kind.replace("-", " ")}`,
          scheduleExpression: spec.monitoring.schedule,
          scheduleExpressionTimezone: "UTC",
          flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 15 },
          target: {
            arn: this.handler.arn,
            roleArn: roles.of("schedule").readyArn,
            input: JSON.stringify({ kind }),
            deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
            retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 5 },
          },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
