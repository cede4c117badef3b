import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSpec } from "../spec.ts";
import type { Tags } from "../tags.ts";

type TargetTracking = aws.types.input.appautoscaling.PolicyTargetTrackingScalingPolicyConfiguration;

export interface CapacityArgs {
  readonly resourceId: pulumi.Input<string>;
  readonly scalableDimension:
    | "sagemaker:variant:DesiredInstanceCount"
    | "lambda:function:ProvisionedConcurrency"
    | "ecs:service:DesiredCount";
  readonly autoscaling: PipelineSpec["serving"]["autoscaling"];
  readonly follow: TargetTracking;
  readonly tags: Tags;
}

/** Follows the load between two bounds, which change at known times. Application Auto Scaling acts through its own service-linked role. */
export class Capacity extends pulumi.ComponentResource {
  constructor(name: string, args: CapacityArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Capacity", name, {}, opts);
    const { autoscaling, scalableDimension, tags } = args;
    const target = new aws.appautoscaling.Target(
      name,
      {
        serviceNamespace: scalableDimension.split(":")[0] ?? "",
        scalableDimension,
        resourceId: args.resourceId,
        minCapacity: autoscaling.minCapacity,
        maxCapacity: autoscaling.maxCapacity,
        tags,
      },
      // Scheduled actions move the bounds themselves: where there are any, these are only the first.
      { parent: this, ignoreChanges: autoscaling.schedules.length > 0 ? ["minCapacity", "maxCapacity"] : [] },
    );
    const scaled = {
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
    };
    new aws.appautoscaling.Policy(
      `${name}-load`,
      {
        name: "follow-load",
        policyType: "TargetTrackingScaling",
        ...scaled,
        targetTrackingScalingPolicyConfiguration: args.follow,
      },
      { parent: this },
    );
    for (const { name: schedule, expression, minCapacity, maxCapacity } of autoscaling.schedules) {
      new aws.appautoscaling.ScheduledAction(
        `${name}-${schedule}`,
        {
          name: schedule,
          ...scaled,
          schedule: expression,
          timezone: "UTC",
          scalableTargetAction: { minCapacity, maxCapacity },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
