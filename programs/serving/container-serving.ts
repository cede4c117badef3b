import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { WorkloadSecurityGroup } from "../components/workload-security-group.ts";
import type { Release } from "../inputs.ts";
import { Capacity } from "./capacity.ts";
import { PREDICTOR } from "./function-names.ts";
import type { ShiftedServingArgs } from "./function-serving.ts";
import { inferenceLogs } from "./inference-logs.ts";
import { InternalLoadBalancer, LISTENERS } from "./internal-load-balancer.ts";
import type { ServingMode } from "./mode-serving.ts";
import { CONTAINER, containerDefinitions, cpuUnits, TASK_PORT } from "./task.ts";
import { taskAlarms } from "./task-alarms.ts";
import { TrafficShift } from "./traffic-shift.ts";

/** How long replaced tasks wait for a change of mind. */
const REPLACED_TASKS_MINUTES = 5;

/**
 * Fargate tasks from the inference image behind an internal load balancer whose listeners CodeDeploy shifts. Tasks need their image,
 * so the service and its deployment group come with the first release.
 */
export class ContainerServing extends pulumi.ComponentResource implements ServingMode {
  readonly backend: ServingMode["backend"];
  readonly targets: ServingMode["targets"];
  readonly broughtUp?: pulumi.Output<string>;
  readonly alarmArns: readonly pulumi.Output<string>[];
  readonly #balancer: InternalLoadBalancer;
  readonly #shift: TrafficShift;
  readonly #logs: aws.cloudwatch.LogGroup;
  readonly #taskGroupId: pulumi.Output<string>;

  constructor(
    name: string,
    args: ShiftedServingArgs & {
      readonly domain: { readonly name: string; readonly certificateArn: string };
    },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:ContainerServing", name, {}, opts);
    const { setting, domain, tags } = args;
    const { names, release } = setting;
    this.#logs = inferenceLogs(args, this);
    this.#taskGroupId = this.taskGroup(args);
    const cluster = this.cluster(args);
    this.#balancer = new InternalLoadBalancer(
      "balancer",
      { ...args, certificateArn: domain.certificateArn, taskGroupId: this.#taskGroupId },
      { parent: this },
    );
    this.#shift = new TrafficShift("shift", { setting, computePlatform: "ECS", tags }, { parent: this });
    this.alarmArns = taskAlarms(args, this.#balancer, this);
    const group = release && this.serve(args, release, cluster);
    // CodeDeploy's group comes after the service.
    if (release && group) this.broughtUp = group.id.apply(() => release.modelPackageArn);
    this.backend = this.#balancer.dnsName.apply((address) => ({
      mode: "ecs",
      address,
      host: domain.name,
      testPort: LISTENERS.test,
    }));
    this.targets = pulumi
      .all([cluster.name, this.#shift.applicationName, this.#shift.configName, group?.deploymentGroupName])
      .apply(([clusterName, applicationName, deploymentConfigName, deploymentGroupName]) => ({
        clusterName,
        serviceName: names.named(PREDICTOR),
        taskFamily: names.named(PREDICTOR),
        codeDeploy: {
          applicationName,
          deploymentConfigName,
          ...(deploymentGroupName !== undefined && { deploymentGroupName }),
        },
      }));
    this.registerOutputs({});
  }

  private taskGroup({ setting, surroundings, tags }: ShiftedServingArgs): pulumi.Output<string> {
    const network = pulumi.output(surroundings);
    return new WorkloadSecurityGroup(
      "tasks",
      {
        name: setting.names.named("tasks"),
        description: "Tasks of the model: S3 and AWS services inside the network",
        vpcId: network.apply(({ vpcId }) => vpcId),
        s3PrefixListId: network.apply(({ s3PrefixListId }) => s3PrefixListId),
        endpointSecurityGroupId: network.apply(
          ({ endpointSecurityGroupId }) => endpointSecurityGroupId ?? "",
        ),
        peers: false,
        tags,
      },
      { parent: this },
    ).id;
  }

  private cluster({ setting, keys, tags }: ShiftedServingArgs): aws.ecs.Cluster {
    return new aws.ecs.Cluster(
      "cluster",
      {
        name: setting.names.named("serving"),
        settings: [{ name: "containerInsights", value: "enabled" }],
        // The service lets nobody into its tasks; should somebody change that, the sessions are recorded.
        configuration: {
          executeCommandConfiguration: {
            kmsKeyId: keys.logs.arn,
            logging: "OVERRIDE",
            logConfiguration: { cloudWatchEncryptionEnabled: true, cloudWatchLogGroupName: this.#logs.name },
          },
        },
        tags,
      },
      { parent: this },
    );
  }

  private serve(
    args: ShiftedServingArgs,
    release: Release,
    cluster: aws.ecs.Cluster,
  ): aws.codedeploy.DeploymentGroup {
    const { setting, roles, tags, guardAlarmNames } = args;
    const service = this.service(args, cluster, this.taskDefinition(args, release));
    new Capacity(
      "task-capacity",
      {
        resourceId: pulumi.interpolate`service/${cluster.name}/${service.name}`,
        scalableDimension: "ecs:service:DesiredCount",
        autoscaling: setting.spec.serving.autoscaling,
        // By processor and not by requests: CodeDeploy moves the service between two target groups, and a policy can follow one.
        follow: {
          predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
          targetValue: 60,
          scaleOutCooldown: 60,
          scaleInCooldown: 300,
        },
        tags,
      },
      { parent: this },
    );
    const { targetGroups, listenerArns } = this.#balancer;
    return this.#shift.group("shift-group", {
      roleArn: roles.of("rollout").readyArn,
      alarmNames: guardAlarmNames,
      ecsService: { clusterName: cluster.name, serviceName: service.name },
      loadBalancerInfo: {
        targetGroupPairInfo: {
          prodTrafficRoute: { listenerArns: [listenerArns.production] },
          testTrafficRoute: { listenerArns: [listenerArns.test] },
          targetGroups: [{ name: targetGroups.blue.name }, { name: targetGroups.green.name }],
        },
      },
      blueGreenDeploymentConfig: {
        deploymentReadyOption: { actionOnTimeout: "CONTINUE_DEPLOYMENT" },
        terminateBlueInstancesOnDeploymentSuccess: {
          action: "TERMINATE",
          terminationWaitTimeInMinutes: REPLACED_TASKS_MINUTES,
        },
      },
    });
  }

  private taskDefinition(
    { setting, roles, inferenceImages, tags }: ShiftedServingArgs,
    { imageDigest, modelPackageArn }: Release,
  ): aws.ecs.TaskDefinition {
    const { account, names, spec } = setting;
    return new aws.ecs.TaskDefinition(
      "task",
      {
        family: names.named(PREDICTOR),
        requiresCompatibilities: ["FARGATE"],
        networkMode: "awsvpc",
        cpu: String(cpuUnits(spec.serving.memoryMb)),
        memory: String(spec.serving.memoryMb),
        runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: "X86_64" },
        taskRoleArn: roles.of("inference").readyArn,
        executionRoleArn: roles.of("launch").readyArn,
        volumes: [{ name: "scratch" }],
        containerDefinitions: pulumi.all([inferenceImages.url, this.#logs.name]).apply(([url, logGroup]) =>
          containerDefinitions({
            image: `${url}@${imageDigest}`,
            modelPackageArn,
            logGroup,
            region: account.region,
          }),
        ),
        // A rollback needs the revisions of earlier releases.
        skipDestroy: true,
        tags,
      },
      { parent: this },
    );
  }

  private service(
    { setting, network, tags }: ShiftedServingArgs,
    cluster: aws.ecs.Cluster,
    task: aws.ecs.TaskDefinition,
  ): aws.ecs.Service {
    return new aws.ecs.Service(
      PREDICTOR,
      {
        name: setting.names.named(PREDICTOR),
        cluster: cluster.arn,
        taskDefinition: task.arn,
        launchType: "FARGATE",
        desiredCount: setting.spec.serving.autoscaling.minCapacity,
        deploymentController: { type: "CODE_DEPLOY" },
        healthCheckGracePeriodSeconds: 120,
        enableExecuteCommand: false,
        propagateTags: "SERVICE",
        networkConfiguration: {
          subnets: network.subnetIds,
          securityGroups: [this.#taskGroupId],
          assignPublicIp: false,
        },
        loadBalancers: [
          {
            containerName: CONTAINER,
            containerPort: TASK_PORT,
            targetGroupArn: this.#balancer.attachedTargetGroupArn,
          },
        ],
        tags,
      },
      // CodeDeploy moves the first two, autoscaling the third.
      { parent: this, ignoreChanges: ["taskDefinition", "loadBalancers", "desiredCount"] },
    );
  }
}
