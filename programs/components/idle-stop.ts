import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { STAGES } from "../serving/endpoints.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

export interface IdleStopArgs extends HandlerFunctionArgs {
  readonly scheduleGroupName: pulumi.Input<string>;
}

/** Endpoints that only try a version are looked at as often as a forgotten one may run in vain. */
const ENDPOINT_SCHEDULE = "rate(1 hour)";

/** Stops on time what costs while nobody uses it: the notebook, and endpoints of development and staging. */
export class IdleStop extends pulumi.ComponentResource {
  constructor(name: string, args: IdleStopArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:IdleStop", name, {}, opts);
    const { names, spec } = args.setting;
    const stop = new HandlerFunction("stop-idle", args, { parent: this });
    const schedule = (what: "endpoints" | "notebooks", stopped: readonly string[], expression: string) =>
      new aws.scheduler.Schedule(
        `stop-${what}`,
        {
          name: names.named(`stop-${what}`),
          groupName: args.scheduleGroupName,
          description: `Stops idle ${what}`,
          scheduleExpression: expression,
          scheduleExpressionTimezone: "UTC",
          flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 15 },
          target: {
            arn: stop.arn,
            roleArn: args.roles.of("schedule").readyArn,
            input: JSON.stringify({ [what]: stopped }),
            deadLetterConfig: { arn: args.alerts.deadLetters.sendableArn },
            retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 5 },
          },
        },
        { parent: this },
      );
    schedule("endpoints", STAGES.map(names.named), ENDPOINT_SCHEDULE);
    if (spec.notebook !== undefined)
      schedule("notebooks", [names.named("notebook")], spec.notebook.stopSchedule);
    this.registerOutputs({});
  }
}
