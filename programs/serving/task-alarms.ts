import type * as pulumi from "@pulumi/pulumi";
import type { Alarm } from "../alarms.ts";
import { metricAlarm } from "../components/pipeline-alarms.ts";
import type { InternalLoadBalancer } from "./internal-load-balancer.ts";
import type { ServingArgs } from "./mode-serving.ts";

const unhealthy = (color: "blue" | "green"): Alarm => ({
  name: `${color}-unhealthy`,
  kind: "threshold",
  description: `Tasks of the ${color} target group do not answer their health check`,
  severity: "critical",
  metric: {
    namespace: "AWS/ApplicationELB",
    name: "UnHealthyHostCount",
    dimensions: {},
    statistic: "Maximum",
  },
  comparison: "GreaterThanThreshold",
  threshold: 0,
  periodSeconds: 60,
  evaluationPeriods: 5,
  breachingPeriods: 3,
});

/** Of load balancer and target groups, whose metrics carry names that AWS makes up. Returns their ARNs. */
export function taskAlarms(
  args: ServingArgs,
  balancer: InternalLoadBalancer,
  parent: pulumi.Resource,
): readonly pulumi.Output<string>[] {
  return (["blue", "green"] as const).map(
    (color) =>
      metricAlarm(unhealthy(color), args, parent, {
        dimensions: {
          LoadBalancer: balancer.arnSuffix,
          TargetGroup: balancer.targetGroups[color].arnSuffix,
        },
      }).arn,
  );
}
