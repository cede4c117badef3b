import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { functionEnvironment } from "../functions/function-environment.ts";
import { FUNCTIONS, type FunctionName } from "../functions/index.ts";
import { handlerBundle } from "../handler-bundle.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "./pipeline-roles.ts";

export interface HandlerFunctionArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  /** Where functions run in the profile `production`; in `learning` they run outside of any network. */
  readonly network: JobNetwork;
  readonly tags: Tags;
}

const HOUR = 3600;

/** A function of the pipeline with its log group, role, dead-letter queue and the alarm on its errors. */
export class HandlerFunction extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  /** Known once the function may do what it is for. */
  readonly arn: pulumi.Output<string>;

  constructor(kind: FunctionName, args: HandlerFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:HandlerFunction", kind, {}, opts);
    const { setting, keys, roles, alerts, network, tags } = args;
    const { names, spec, team, pipeline } = setting;
    const definition = FUNCTIONS[kind];
    // Before the function: Lambda would create it without key or retention, and again after a destroy.
    const logs = new aws.cloudwatch.LogGroup(
      `${kind}-logs`,
      {
        name: names.logGroup(kind),
        kmsKeyId: keys.logs.arn,
        retentionInDays: spec.monitoring.logRetentionDays,
        tags,
      },
      { parent: this },
    );
    this.function = new aws.lambda.Function(
      kind,
      {
        name: names.named(kind),
        description: `AIDLC ${team}/${pipeline}: ${definition.description}`.slice(0, 256),
        role: roles.of(kind).readyArn,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: handlerBundle(kind),
        memorySize: definition.memoryMb,
        timeout: definition.timeoutSeconds,
        ...(definition.readsData === true && { layers: [setting.foundation.dataLayerArn] }),
        ephemeralStorage: { size: definition.storageMb ?? 512 },
        environment: {
          variables: this.variables(kind, args),
        },
        loggingConfig: { logFormat: "JSON", logGroup: logs.name },
        tracingConfig: { mode: "Active" },
        // What is invoked asynchronously and fails three times.
        deadLetterConfig: { targetArn: alerts.deadLetters.sendableArn },
        ...(network.functionSecurityGroupId !== undefined &&
          definition.reachesInternet !== true && {
            vpcConfig: {
              subnetIds: network.subnetIds,
              securityGroupIds: [network.functionSecurityGroupId],
            },
          }),
        tags,
      },
      { parent: this },
    );
    this.arn = this.function.arn;
    new aws.cloudwatch.MetricAlarm(
      `${kind}-errors`,
      {
        name: names.named(`${kind}-errors`),
        alarmDescription: `Function ${kind} of ${team}/${pipeline} fails; what it was given waits in the dead-letter queue`,
        namespace: "AWS/Lambda",
        metricName: "Errors",
        dimensions: { FunctionName: this.function.name },
        statistic: "Sum",
        period: HOUR,
        evaluationPeriods: 1,
        threshold: 0,
        comparisonOperator: "GreaterThanThreshold",
        treatMissingData: "notBreaching",
        alarmActions: [alerts.topics.warning.publishableArn],
        okActions: [alerts.topics.warning.publishableArn],
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ arn: this.function.arn });
  }

  /** Known at the first preview but for what AWS chooses. */
  private variables(kind: FunctionName, { setting, roles }: HandlerFunctionArgs) {
    const known = functionEnvironment(kind, setting);
    const around = FUNCTIONS[kind].environmentAround;
    return around === undefined
      ? known
      : roles.surroundings.apply((surroundings) => ({ ...known, ...around(surroundings) }));
  }
}
