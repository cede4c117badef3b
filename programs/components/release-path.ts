import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { releaseMachine } from "../delivery/release-machine.ts";
import { deliveredImages, repositoryUrl } from "../images.ts";
import { RELEASE_GUARD } from "../serving/alarms.ts";
import { BROUGHT_UP } from "../serving/mode-serving.ts";
import { EventAlert } from "./event-alert.ts";
import { EventTrigger } from "./event-trigger.ts";
import { HandlerFunction, type HandlerFunctionArgs } from "./handler-function.ts";
import { modelEvent } from "./model-registry.ts";

export interface ReleasePathArgs extends HandlerFunctionArgs {
  readonly trainingPipelineName: pulumi.Input<string>;
}

/** Leads approved versions to their callers, step by step, and back when an alarm rings. */
export class ReleasePath extends pulumi.ComponentResource {
  readonly machine: aws.sfn.StateMachine;
  readonly release: HandlerFunction;

  constructor(name: string, args: ReleasePathArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ReleasePath", name, {}, opts);
    const { setting } = args;
    this.release = new HandlerFunction("release", args, { parent: this });
    const verify = new HandlerFunction("verify-model", args, { parent: this });
    this.machine = this.makeMachine(args, verify);
    this.tellHandlers(args);
    this.startOnApproval(args);
    this.rollBackOnAlarm(args);
    const { mode } = setting.spec.serving;
    if (mode === "lambda" || mode === "ecs") this.tryWhatWasBroughtUp(args);
    this.tellOfFailures(args);
    this.registerOutputs({ machine: setting.names.named("release") });
  }

  private makeMachine(args: ReleasePathArgs, verify: HandlerFunction): aws.sfn.StateMachine {
    const { setting, keys, roles, tags } = args;
    const { arns, names, spec } = setting;
    const logs = new aws.cloudwatch.LogGroup(
      "release-machine-logs",
      {
        name: names.vendedLogGroup("release"),
        kmsKeyId: keys.logs.arn,
        retentionInDays: spec.monitoring.logRetentionDays,
        tags,
      },
      { parent: this },
    );
    const definition = pulumi
      .all([this.release.arn, verify.arn, args.trainingPipelineName])
      .apply(([release, verifying, trainingPipelineName]) =>
        releaseMachine({
          serving: spec.serving,
          partition: arns.partition,
          functionArns: { release, verify: verifying },
          trainingPipelineName,
          deliveredImages: Object.fromEntries(
            Object.entries(deliveredImages(setting)).map(([parameter, kind]) => [
              parameter,
              repositoryUrl(setting, kind),
            ]),
          ),
        }),
      );
    return new aws.sfn.StateMachine(
      "release-machine",
      {
        name: names.named("release"),
        // A release waits for hours; only this type lives that long and runs each step once.
        type: "STANDARD",
        definition,
        // Step Functions tries the log group out with this role when it makes the machine.
        roleArn: roles.of("releasing").readyArn,
        loggingConfiguration: {
          level: "ALL",
          includeExecutionData: false,
          logDestination: pulumi.interpolate`${logs.arn}:*`,
        },
        tracingConfiguration: { enabled: true },
        tags,
      },
      { parent: this },
    );
  }

  /** What AWS names, and what handlers of registration and release can't know otherwise. */
  private tellHandlers({ setting, keys, roles, network, tags }: ReleasePathArgs): void {
    const { names, spec } = setting;
    new aws.ssm.Parameter(
      "release-resources",
      {
        name: names.parameter("release/resources"),
        description: "What releases and the recording of models work with",
        type: "String",
        tier: "Standard",
        insecureValue: pulumi.jsonStringify({
          modelPackageGroupName: names.named("models"),
          modelsBucket: names.bucket("models"),
          servingRoleArn: roles.of("inference").arn,
          volumeKeyArn: keys.data.arn,
          signingKeyArn: keys.signing.arn,
          ...(spec.profile === "production" && {
            subnetIds: network.subnetIds,
            securityGroupId: network.securityGroupId,
          }),
        }),
        tags,
      },
      { parent: this },
    );
  }

  private startOnApproval({ setting: { names }, alerts, roles, tags }: ReleasePathArgs): void {
    new EventTrigger(
      "approved",
      {
        name: names.named("approved"),
        description: "A model version was approved: its release begins",
        pattern: modelEvent(names.named("models"), "Approved"),
        targets: {
          release: {
            arn: this.machine.arn,
            roleArn: roles.of("starts").readyArn,
            input: {
              paths: { model: "$.detail.ModelPackageArn" },
              template: '{"trigger":"approval","modelPackageArn":"<model>"}',
            },
          },
        },
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
  }

  private rollBackOnAlarm({ setting: { names }, alerts, tags }: ReleasePathArgs): void {
    new EventTrigger(
      "serving-alarm",
      {
        name: names.named("serving-alarm"),
        description: "What serves fails: the recorded version before it comes back",
        pattern: {
          source: ["aws.cloudwatch"],
          "detail-type": ["CloudWatch Alarm State Change"],
          detail: { alarmName: [names.named(RELEASE_GUARD)], state: { value: ["ALARM"] } },
        },
        targets: {
          release: {
            arn: this.release.arn,
            input: {
              paths: { alarm: "$.detail.alarmName", at: "$.time" },
              template:
                '{"task":"roll-back","scope":"release","trigger":"alarm","alarm":"<alarm>","at":"<at>"}',
            },
          },
        },
        functions: { release: this.release.function },
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
  }

  /** Before the first release nothing runs on which a version could be tried. */
  private tryWhatWasBroughtUp({ setting: { names }, alerts, tags }: ReleasePathArgs): void {
    new EventTrigger(
      "brought-up",
      {
        name: names.named("brought-up"),
        description: "An update brought a version up: it is tried",
        pattern: {
          source: ["aws.ssm"],
          "detail-type": ["Parameter Store Change"],
          detail: { name: [names.parameter(BROUGHT_UP)], operation: ["Create", "Update"] },
        },
        targets: { release: { arn: this.release.arn, input: { paths: {}, template: '{"task":"try"}' } } },
        functions: { release: this.release.function },
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
  }

  private tellOfFailures({ setting, alerts, roles, tags }: ReleasePathArgs): void {
    const { names, team, pipeline } = setting;
    new EventAlert(
      "release-failed",
      {
        name: names.named("release-failed"),
        description: "A release was refused, rolled back or left halfway",
        pattern: {
          source: ["aws.states"],
          "detail-type": ["Step Functions Execution Status Change"],
          detail: { stateMachineArn: [this.machine.arn], status: ["FAILED", "TIMED_OUT", "ABORTED"] },
        },
        topicArn: alerts.topics.critical.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { execution: "$.detail.executionArn", status: "$.detail.status" },
          text: `A release of ${team}/${pipeline} ended as <status>: <execution>`,
        },
        tags,
      },
      { parent: this },
    );
  }
}
