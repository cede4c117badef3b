import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";

export interface TrafficShiftArgs {
  readonly setting: PipelineSetting;
  readonly computePlatform: "Lambda" | "ECS";
  readonly tags: Tags;
}

type GroupArgs = Pick<
  aws.codedeploy.DeploymentGroupArgs,
  "ecsService" | "loadBalancerInfo" | "blueGreenDeploymentConfig"
> & {
  readonly roleArn: pulumi.Input<string>;
  readonly alarmNames: pulumi.Input<pulumi.Input<string>[]>;
};

/** CodeDeploy's application and how fast it shifts: a canary's share at a time, each watched as long as the spec says. */
export class TrafficShift extends pulumi.ComponentResource {
  readonly applicationName: pulumi.Output<string>;
  readonly configName: pulumi.Output<string>;
  readonly #args: TrafficShiftArgs;

  constructor(name: string, args: TrafficShiftArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:TrafficShift", name, {}, opts);
    const { setting, computePlatform, tags } = args;
    const { names, spec } = setting;
    const { canaryPercent, bakeMinutes } = spec.serving.rollout;
    this.#args = args;
    this.applicationName = new aws.codedeploy.Application(
      name,
      { name: names.named("serving"), computePlatform, tags },
      { parent: this },
    ).name;
    this.configName = new aws.codedeploy.DeploymentConfig(
      `${name}-steps`,
      {
        // Every change makes another one, and one in use can't be deleted first.
        deploymentConfigName: `${names.named("steps")}-${canaryPercent}-percent-${bakeMinutes}-minutes`,
        computePlatform,
        trafficRoutingConfig: {
          type: "TimeBasedLinear",
          timeBasedLinear: { percentage: canaryPercent, interval: bakeMinutes },
        },
      },
      { parent: this },
    ).deploymentConfigName;
    this.registerOutputs({});
  }

  /** Rolls back by itself when a deployment fails or one of the alarms rings. CodeDeploy takes at most ten alarms. */
  group(name: string, { roleArn, alarmNames, ...platform }: GroupArgs): aws.codedeploy.DeploymentGroup {
    const { setting, tags } = this.#args;
    return new aws.codedeploy.DeploymentGroup(
      name,
      {
        appName: this.applicationName,
        deploymentGroupName: setting.names.named("serving"),
        deploymentConfigName: this.configName,
        serviceRoleArn: roleArn,
        deploymentStyle: { deploymentOption: "WITH_TRAFFIC_CONTROL", deploymentType: "BLUE_GREEN" },
        autoRollbackConfiguration: {
          enabled: true,
          events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
        },
        alarmConfiguration: { enabled: true, ignorePollAlarmFailure: false, alarms: alarmNames },
        ...platform,
        tags,
      },
      { parent: this },
    );
  }
}
