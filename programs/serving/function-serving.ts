import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../inputs.ts";
import { policyDocument } from "../policy-document.ts";
import { Capacity } from "./capacity.ts";
import { ALIAS, functionAlias, PREDICTOR } from "./function-names.ts";
import { inferenceLogs } from "./inference-logs.ts";
import type { ServingArgs, ServingMode } from "./mode-serving.ts";
import { MODEL_VARIABLE } from "./task.ts";
import { TrafficShift } from "./traffic-shift.ts";

export interface ShiftedServingArgs extends ServingArgs {
  /** Alarms that take a new version back. */
  readonly guardAlarmNames: pulumi.Input<pulumi.Input<string>[]>;
}

const READ_IMAGES = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/**
 * A Lambda function from the inference image behind an alias that CodeDeploy shifts. The function needs its image, so it comes with
 * the first release.
 */
export class FunctionServing extends pulumi.ComponentResource implements ServingMode {
  readonly backend: ServingMode["backend"];
  readonly targets: ServingMode["targets"];
  readonly broughtUp?: pulumi.Output<string>;

  constructor(name: string, args: ShiftedServingArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:FunctionServing", name, {}, opts);
    const { setting, roles, tags, guardAlarmNames } = args;
    const { names, release } = setting;
    const shift = new TrafficShift("shift", { setting, computePlatform: "Lambda", tags }, { parent: this });
    const group = shift.group("shift-group", {
      roleArn: roles.of("rollout").readyArn,
      alarmNames: guardAlarmNames,
    });
    const logs = inferenceLogs(args, this);
    const readable = this.letLambdaPull(args);
    if (release !== undefined) this.broughtUp = this.serve(args, release, logs.name, readable);
    // The name is known without the function; the role is made so that the first release changes nothing of it.
    this.backend = { mode: "lambda", function: functionAlias(setting) };
    this.targets = pulumi
      .all([shift.applicationName, shift.configName, group.deploymentGroupName, roles.of("inference").arn])
      .apply(([applicationName, deploymentConfigName, deploymentGroupName]) => ({
        functionName: names.named(PREDICTOR),
        functionAlias: ALIAS,
        codeDeploy: { applicationName, deploymentGroupName, deploymentConfigName },
      }));
    this.registerOutputs({});
  }

  /** Lambda pulls as a service, not with the function's role. */
  private letLambdaPull({ setting, inferenceImages }: ServingArgs): pulumi.Output<string> {
    const { account, arns, names } = setting;
    const policy = new aws.ecr.RepositoryPolicy(
      "inference-images-policy",
      {
        repository: inferenceImages.name,
        policy: policyDocument([
          {
            Sid: "PulledByLambda",
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: READ_IMAGES,
            Condition: {
              StringEquals: { "aws:SourceAccount": account.accountId },
              ArnLike: { "aws:SourceArn": arns.regional("lambda", `function:${names.prefix}-*`) },
            },
          },
        ]),
      },
      { parent: this },
    );
    return pulumi.all([inferenceImages.url, policy.id]).apply(([url]) => url);
  }

  private serve(
    { setting, roles, alerts, network, tags }: ServingArgs,
    { imageDigest, modelPackageArn }: Release,
    logGroup: pulumi.Output<string>,
    repositoryUrl: pulumi.Output<string>,
  ): pulumi.Output<string> {
    const { names, spec, team, pipeline } = setting;
    const predictor = new aws.lambda.Function(
      PREDICTOR,
      {
        name: names.named(PREDICTOR),
        description: `AIDLC ${team}/${pipeline}: answers with the released model`,
        role: roles.of("inference").readyArn,
        packageType: "Image",
        imageUri: pulumi.interpolate`${repositoryUrl}@${imageDigest}`,
        architectures: ["x86_64"],
        memorySize: spec.serving.memoryMb,
        // As long as the gate waits.
        timeout: 27,
        publish: true,
        environment: { variables: { [MODEL_VARIABLE]: modelPackageArn } },
        loggingConfig: { logFormat: "JSON", logGroup },
        tracingConfig: { mode: "Active" },
        deadLetterConfig: { targetArn: alerts.deadLetters.sendableArn },
        ...(network.functionSecurityGroupId !== undefined && {
          vpcConfig: { subnetIds: network.subnetIds, securityGroupIds: [network.functionSecurityGroupId] },
        }),
        tags,
      },
      { parent: this },
    );
    const alias = new aws.lambda.Alias(
      `${PREDICTOR}-alias`,
      {
        name: ALIAS,
        description: "What the gate asks; CodeDeploy shifts it",
        functionName: predictor.name,
        functionVersion: predictor.version,
      },
      // CodeDeploy's from the first release on.
      { parent: this, ignoreChanges: ["functionVersion", "routingConfig"] },
    );
    if (spec.profile === "production") this.keepWarm({ setting, tags }, alias);
    return alias.arn.apply(() => modelPackageArn);
  }

  private keepWarm({ setting, tags }: Pick<ServingArgs, "setting" | "tags">, alias: aws.lambda.Alias): void {
    new Capacity(
      "function-capacity",
      {
        resourceId: pulumi.interpolate`function:${alias.functionName}:${alias.name}`,
        scalableDimension: "lambda:function:ProvisionedConcurrency",
        autoscaling: setting.spec.serving.autoscaling,
        follow: {
          predefinedMetricSpecification: { predefinedMetricType: "LambdaProvisionedConcurrencyUtilization" },
          // Before the last warm instance is busy: new ones take minutes.
          targetValue: 0.7,
        },
        tags,
      },
      { parent: this },
    );
  }
}
