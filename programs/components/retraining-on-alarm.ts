import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { RETRAINING_ALARMS } from "../alarms.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";

/** Starts a training when one of the alarms that the spec names goes off. */
export class RetrainingOnAlarm extends pulumi.ComponentResource {
  readonly handler: HandlerFunction;

  constructor(name: string, args: HandlerFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:RetrainingOnAlarm", name, {}, opts);
    const { setting, alerts, tags } = args;
    const { arns, names, spec, team, pipeline } = setting;
    const alarms = spec.training.retrainOn.flatMap((cause) => RETRAINING_ALARMS[cause]);
    this.handler = new HandlerFunction("start-training", args, { parent: this });
    const rule = new aws.cloudwatch.EventRule(
      name,
      {
        name: names.named("retraining"),
        description: `Alarms that start a training of ${team}/${pipeline}`,
        eventPattern: JSON.stringify({
          source: ["aws.cloudwatch"],
          "detail-type": ["CloudWatch Alarm State Change"],
          resources: alarms.map((alarm) => arns.alarm(names.named(alarm))),
          detail: { state: { value: ["ALARM"] } },
        }),
        tags,
      },
      { parent: this },
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        statementId: "Alarms",
        action: "lambda:InvokeFunction",
        function: this.handler.function.name,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      {
        rule: rule.name,
        targetId: "start-training",
        // Known before, but an event that comes before the permission would be lost.
        arn: pulumi.all([this.handler.arn, permission.id]).apply(([arn]) => arn),
        deadLetterConfig: { arn: alerts.deadLetters.sendableArn },
        retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
