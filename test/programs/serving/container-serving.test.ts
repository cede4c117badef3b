import { beforeAll, describe, expect, it } from "vitest";
import { ofType, type Run, resource } from "../support/run-program.ts";
import { INTERNAL_DOMAIN, names, production, RELEASE } from "../support/serving.ts";

const ECS = { mode: "ecs", memoryMb: 4096, internalDomain: INTERNAL_DOMAIN } as const;

describe("tasks that answer", () => {
  let before: Run;
  let released: Run;
  beforeAll(async () => {
    before = await production(ECS);
    released = await production(ECS, RELEASE);
  });

  it("have cluster, load balancer and application before there is an image, and no task", () => {
    expect(ofType(before, "ecs/cluster:Cluster")).toHaveLength(1);
    expect(ofType(before, "lb/listener:Listener")).toHaveLength(2);
    expect(ofType(before, "codedeploy/application:Application")).toHaveLength(1);
    for (const type of [
      "ecs/service:Service",
      "ecs/taskDefinition:TaskDefinition",
      "codedeploy/deploymentGroup:DeploymentGroup",
    ]) {
      expect(ofType(before, type)).toEqual([]);
      expect(ofType(released, type)).toHaveLength(1);
    }
  });

  it("are tried when the program has brought them up, which a setting of their own tells", () => {
    const setting = resource(released, "ssm/parameter:Parameter", "release-brought-up").inputs;
    expect(setting).toMatchObject({
      name: names.parameter("release/brought-up"),
      insecureValue: RELEASE.modelPackageArn,
    });
    const rule = resource(before, "cloudwatch/eventRule:EventRule", "brought-up").inputs;
    expect(JSON.parse(String(rule.eventPattern)).detail.name).toEqual([setting.name]);
    const registered = released.resources.map(({ name }) => name);
    expect(registered.indexOf("release-brought-up")).toBeGreaterThan(registered.indexOf("shift-group"));
  });

  it("are reached from inside the network only, by TLS all the way", () => {
    const balancer = resource(before, "lb/loadBalancer:LoadBalancer", "balancer").inputs;
    expect(balancer).toMatchObject({
      name: names.short("predict"),
      internal: true,
      dropInvalidHeaderFields: true,
      accessLogs: { enabled: true, bucket: names.bucket("access-logs"), prefix: "load-balancer" },
    });
    for (const { inputs } of ofType(before, "lb/listener:Listener")) {
      expect(inputs).toMatchObject({
        protocol: "HTTPS",
        sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificateArn: INTERNAL_DOMAIN.certificateArn,
      });
    }
    for (const { inputs } of ofType(before, "lb/targetGroup:TargetGroup")) {
      expect(inputs).toMatchObject({ protocol: "HTTPS", port: 8443, targetType: "ip" });
      expect(String(inputs.name).length).toBeLessThanOrEqual(32);
    }
  });

  it("are open to the load balancer, and that to functions, and to nobody else", () => {
    const openings = ofType(before, "vpc/securityGroupIngressRule:SecurityGroupIngressRule").map(
      ({ inputs: { securityGroupId, referencedSecurityGroupId, fromPort, toPort, cidrIpv4 } }) => [
        referencedSecurityGroupId,
        securityGroupId,
        fromPort,
        toPort,
        cidrIpv4,
      ],
    );
    expect(openings).toEqual(
      expect.arrayContaining([
        ["functions-id", "balancer-group-id", 443, 443, undefined],
        ["functions-id", "balancer-group-id", 8443, 8443, undefined],
        ["balancer-group-id", "tasks-id", 8443, 8443, undefined],
      ]),
    );
    expect(
      openings.filter(([, group]) => group === "balancer-group-id" || group === "tasks-id"),
    ).toHaveLength(3);
  });

  it("run the released image by digest, without a writable root, privileges or a public address", () => {
    const task = resource(released, "ecs/taskDefinition:TaskDefinition", "task").inputs;
    expect(task).toMatchObject({
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: "2048",
      memory: "4096",
      taskRoleArn: "arn:aws:test:::inference-role",
      executionRoleArn: "arn:aws:test:::launch-role",
      skipDestroy: true,
    });
    const [container, ...others] = JSON.parse(String(task.containerDefinitions));
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: `repository.test/inference-images@${RELEASE.imageDigest}`,
      readonlyRootFilesystem: true,
      user: "1000",
      linuxParameters: { capabilities: { drop: ["ALL"] } },
      logConfiguration: { options: { "awslogs-group": names.logGroup("inference") } },
    });
    expect(resource(released, "ecs/service:Service", "predict").inputs).toMatchObject({
      launchType: "FARGATE",
      deploymentController: { type: "CODE_DEPLOY" },
      enableExecuteCommand: false,
      networkConfiguration: { assignPublicIp: false, securityGroups: ["tasks-id"] },
    });
  });

  it("are replaced blue by green, with both listeners and both target groups", () => {
    const group = resource(released, "codedeploy/deploymentGroup:DeploymentGroup", "shift-group").inputs;
    expect(group).toMatchObject({
      ecsService: { clusterName: names.named("serving"), serviceName: names.named("predict") },
      loadBalancerInfo: {
        targetGroupPairInfo: {
          prodTrafficRoute: { listenerArns: ["arn:aws:test:::balancer-production"] },
          testTrafficRoute: { listenerArns: ["arn:aws:test:::balancer-test"] },
          targetGroups: ["blue", "green"].map((color) => ({ name: names.short(`predict-${color}`) })),
        },
      },
      blueGreenDeploymentConfig: {
        terminateBlueInstancesOnDeploymentSuccess: { action: "TERMINATE" },
      },
    });
  });

  it("are as many as their processors need", () => {
    expect(resource(released, "appautoscaling/target:Target", "task-capacity").inputs).toMatchObject({
      resourceId: `service/${names.named("serving")}/${names.named("predict")}`,
      scalableDimension: "ecs:service:DesiredCount",
      minCapacity: 2,
      maxCapacity: 4,
    });
  });

  it("are found by the gate under the load balancer's address, with the name that its certificate proves", () => {
    const { insecureValue } = resource(before, "ssm/parameter:Parameter", "serving-backend").inputs;
    expect(JSON.parse(String(insecureValue))).toEqual({
      mode: "ecs",
      address: "balancer.test",
      host: INTERNAL_DOMAIN.name,
      testPort: 8443,
    });
  });

  it("let the load balancer write its log, for load balancers of this pipeline only", () => {
    const { policy } = resource(before, "s3/bucketPolicy:BucketPolicy", "access-logs-policy").inputs;
    const statement = JSON.parse(String(policy)).Statement.find(
      ({ Sid }: { Sid: string }) => Sid === "LoadBalancerLogs",
    );
    expect(statement).toMatchObject({
      Principal: { Service: "logdelivery.elasticloadbalancing.amazonaws.com" },
      Resource: `arn:aws:s3:::${names.bucket("access-logs")}/load-balancer/AWSLogs/111122223333/*`,
    });
    expect(JSON.stringify(statement.Condition)).toContain(`loadbalancer/app/${names.short("*")}`);
  });
});
