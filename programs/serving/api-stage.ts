import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineKeys } from "../components/pipeline-keys.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import { ACCESS_LOG_FORMAT } from "./access-log.ts";
import { EXECUTION_LOGS, STAGE } from "./api-names.ts";

export interface ApiStageArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly api: aws.apigateway.RestApi;
  readonly deployment: aws.apigateway.Deployment;
  readonly tags: Tags;
}

/** What callers reach: the deployed definition with its logs, traces and limits. */
export class ApiStage extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;
  readonly apiKeyId: pulumi.Output<string>;
  readonly usagePlanId: pulumi.Output<string>;

  constructor(name: string, args: ApiStageArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ApiStage", name, {}, opts);
    const { setting, api, deployment, tags } = args;
    const { names } = setting;
    const accessLogs = this.logGroup("api-access-logs", names.logGroup("api"), args);
    // API Gateway would create it itself at the first error: unencrypted and kept for ever.
    const executionLogs = this.logGroup(
      "api-execution-logs",
      pulumi.interpolate`${EXECUTION_LOGS}_${api.id}/${STAGE}`,
      args,
    );
    const stage = new aws.apigateway.Stage(
      name,
      {
        restApi: api.id,
        deployment: deployment.id,
        stageName: STAGE,
        description: "What callers reach",
        accessLogSettings: { destinationArn: accessLogs.arn, format: ACCESS_LOG_FORMAT },
        xrayTracingEnabled: true,
        cacheClusterEnabled: false,
        tags,
      },
      { parent: this },
    );
    this.limit(name, args, stage, executionLogs);
    const { planId, keyId } = this.count(name, args, stage);
    this.arn = stage.arn;
    this.url = stage.invokeUrl;
    this.usagePlanId = planId;
    this.apiKeyId = keyId;
    this.registerOutputs({ url: stage.invokeUrl });
  }

  private logGroup(name: string, physical: pulumi.Input<string>, { setting, keys, tags }: ApiStageArgs) {
    return new aws.cloudwatch.LogGroup(
      name,
      {
        name: physical,
        kmsKeyId: keys.logs.arn,
        retentionInDays: setting.spec.monitoring.logRetentionDays,
        tags,
      },
      { parent: this },
    );
  }

  private limit(
    name: string,
    { setting, api }: ApiStageArgs,
    stage: aws.apigateway.Stage,
    executionLogs: aws.cloudwatch.LogGroup,
  ): void {
    const { ratePerSecond, burst } = setting.spec.serving.throttle;
    new aws.apigateway.MethodSettings(
      `${name}-settings`,
      {
        restApi: api.id,
        // Logging begins with these settings, so its group comes first.
        stageName: pulumi.all([stage.stageName, executionLogs.name]).apply(([stageName]) => stageName),
        methodPath: "*/*",
        settings: {
          metricsEnabled: true,
          loggingLevel: "ERROR",
          // Would write bodies and tokens to the log.
          dataTraceEnabled: false,
          throttlingRateLimit: ratePerSecond,
          throttlingBurstLimit: burst,
          cachingEnabled: false,
          cacheDataEncrypted: true,
        },
      },
      { parent: this },
    );
  }

  private count(name: string, { setting, api, tags }: ApiStageArgs, stage: aws.apigateway.Stage) {
    const { names, spec, team, pipeline } = setting;
    const { ratePerSecond, burst, dailyQuota } = spec.serving.throttle;
    const plan = new aws.apigateway.UsagePlan(
      `${name}-usage`,
      {
        name: names.named("usage"),
        description: `AIDLC ${team}/${pipeline}: what one key may ask`,
        apiStages: [{ apiId: api.id, stage: stage.stageName }],
        throttleSettings: { rateLimit: ratePerSecond, burstLimit: burst },
        quotaSettings: { limit: dailyQuota, period: "DAY" },
        tags,
      },
      { parent: this },
    );
    const key = new aws.apigateway.ApiKey(
      `${name}-key`,
      { name: names.named("caller"), description: `AIDLC ${team}/${pipeline}: counts callers`, tags },
      { parent: this },
    );
    new aws.apigateway.UsagePlanKey(
      `${name}-usage-key`,
      { usagePlanId: plan.id, keyId: key.id, keyType: "API_KEY" },
      { parent: this },
    );
    return { planId: plan.id, keyId: key.id };
  }
}
