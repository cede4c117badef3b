import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PREDICTOR } from "./function-names.ts";
import type { ServingArgs } from "./mode-serving.ts";
import { TASK_PORT } from "./task.ts";

/** Below this prefix of the log bucket. */
export const LOAD_BALANCER_LOGS = "load-balancer";

export interface InternalLoadBalancerArgs extends ServingArgs {
  readonly certificateArn: string;
  readonly taskGroupId: pulumi.Input<string>;
}

/** Production traffic comes to the first, a release's own tests to the second. */
export const LISTENERS = { production: 443, test: 8443 } as const;

const COLORS = ["blue", "green"] as const;

/** In front of the tasks, inside the network: TLS from the gate to it and from it to the tasks. */
export class InternalLoadBalancer extends pulumi.ComponentResource {
  readonly dnsName: pulumi.Output<string>;
  readonly arnSuffix: pulumi.Output<string>;
  readonly listenerArns: Readonly<Record<keyof typeof LISTENERS, pulumi.Output<string>>>;
  readonly targetGroups: Readonly<Record<(typeof COLORS)[number], aws.lb.TargetGroup>>;
  /** Target group of the first tasks, known once the load balancer uses it: ECS refuses one that none does. */
  readonly attachedTargetGroupArn: pulumi.Output<string>;

  constructor(name: string, args: InternalLoadBalancerArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:InternalLoadBalancer", name, {}, opts);
    const { setting, buckets, network, tags } = args;
    const { names } = setting;
    const balancer = new aws.lb.LoadBalancer(
      name,
      {
        name: names.short(PREDICTOR),
        loadBalancerType: "application",
        internal: true,
        subnets: network.subnetIds,
        securityGroups: [this.securityGroup(name, args)],
        dropInvalidHeaderFields: true,
        desyncMitigationMode: "strictest",
        accessLogs: {
          enabled: true,
          bucket: buckets["access-logs"].guardedName,
          prefix: LOAD_BALANCER_LOGS,
        },
        tags,
      },
      { parent: this },
    );
    const [blue, green] = COLORS.map((color) => this.targetGroup(name, color, args)) as [
      aws.lb.TargetGroup,
      aws.lb.TargetGroup,
    ];
    const listener = (kind: keyof typeof LISTENERS, target: aws.lb.TargetGroup) =>
      new aws.lb.Listener(
        `${name}-${kind}`,
        {
          loadBalancerArn: balancer.arn,
          port: LISTENERS[kind],
          protocol: "HTTPS",
          sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
          certificateArn: args.certificateArn,
          defaultActions: [{ type: "forward", targetGroupArn: target.arn }],
          tags,
        },
        // CodeDeploy's from the first release on.
        { parent: this, ignoreChanges: ["defaultActions"] },
      );
    const production = listener("production", blue);
    const test = listener("test", green);
    this.dnsName = balancer.dnsName;
    this.arnSuffix = balancer.arnSuffix;
    this.listenerArns = { production: production.arn, test: test.arn };
    this.targetGroups = { blue, green };
    this.attachedTargetGroupArn = pulumi.all([blue.arn, production.arn, test.arn]).apply(([arn]) => arn);
    this.registerOutputs({ dnsName: balancer.dnsName });
  }

  private targetGroup(name: string, color: string, { setting, surroundings, tags }: ServingArgs) {
    return new aws.lb.TargetGroup(
      `${name}-${color}`,
      {
        name: setting.names.short(`${PREDICTOR}-${color}`),
        vpcId: pulumi.output(surroundings).apply(({ vpcId }) => vpcId),
        targetType: "ip",
        protocol: "HTTPS",
        port: TASK_PORT,
        deregistrationDelay: 30,
        healthCheck: {
          protocol: "HTTPS",
          path: "/ping",
          matcher: "200",
          interval: 15,
          timeout: 5,
          healthyThreshold: 2,
          unhealthyThreshold: 3,
        },
        tags,
      },
      { parent: this },
    );
  }

  /** Functions reach it, it reaches the tasks, and nothing else is let through. */
  private securityGroup(name: string, args: InternalLoadBalancerArgs): pulumi.Output<string> {
    const { setting, surroundings, network, taskGroupId, tags } = args;
    const groupName = setting.names.named("balancer");
    const group = new aws.ec2.SecurityGroup(
      `${name}-group`,
      {
        name: groupName,
        description: "Load balancer of the model: from functions, to tasks",
        vpcId: pulumi.output(surroundings).apply(({ vpcId }) => vpcId),
        tags: { ...tags, Name: groupName },
      },
      { parent: this },
    );
    const rules: pulumi.Output<string>[] = [];
    const open = (label: string, from: pulumi.Input<string>, to: pulumi.Input<string>, port: number) => {
      const tcp = { ipProtocol: "tcp", fromPort: port, toPort: port, description: label };
      const suffix = label.toLowerCase().replaceAll(" ", "-");
      const named = (direction: string) => ({ ...tags, Name: `${groupName}-${suffix}-${direction}` });
      const out = new aws.vpc.SecurityGroupEgressRule(
        `${name}-${suffix}-out`,
        { securityGroupId: from, referencedSecurityGroupId: to, ...tcp, tags: named("out") },
        { parent: this },
      );
      const into = new aws.vpc.SecurityGroupIngressRule(
        `${name}-${suffix}-in`,
        { securityGroupId: to, referencedSecurityGroupId: from, ...tcp, tags: named("in") },
        { parent: this },
      );
      rules.push(out.id, into.id);
    };
    const functions = network.functionSecurityGroupId;
    if (functions === undefined)
      throw new Error("Functions without a security group can't reach the load balancer");
    open("Functions to production", functions, group.id, LISTENERS.production);
    open("Functions to test", functions, group.id, LISTENERS.test);
    open("To tasks", group.id, taskGroupId, TASK_PORT);
    // Health checks begin with the first target, so the rules come before the balancer.
    return pulumi.all([group.id, ...rules]).apply(([id]) => id ?? "");
  }
}
