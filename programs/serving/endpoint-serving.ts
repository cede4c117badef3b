import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Capacity } from "./capacity.ts";
import { endpointLogGroup, endpointNames, VARIANT } from "./endpoints.ts";
import type { ServingArgs, ServingMode } from "./mode-serving.ts";

/**
 * SageMaker endpoints, serverless or real-time. Releases create them; here is what must be there before, and the scaling of one that
 * lives.
 */
export class EndpointServing extends pulumi.ComponentResource implements ServingMode {
  readonly backend: ServingMode["backend"];
  readonly targets: ServingMode["targets"];

  constructor(name: string, args: ServingArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:EndpointServing", name, {}, opts);
    const { setting, keys, roles, tags } = args;
    const { names, release, spec } = setting;
    const { mode, autoscaling } = spec.serving;
    const endpoints = endpointNames(mode, names);
    for (const endpoint of endpoints) {
      // SageMaker would create it itself at the first request: unencrypted and kept for ever.
      new aws.cloudwatch.LogGroup(
        `${endpoint.slice(names.prefix.length + 1)}-endpoint-logs`,
        {
          name: endpointLogGroup(endpoint),
          kmsKeyId: keys.logs.arn,
          retentionInDays: spec.monitoring.logRetentionDays,
          tags,
        },
        { parent: this },
      );
    }
    if (mode === "realtime" && release?.endpoint !== undefined) {
      new Capacity(
        "endpoint-capacity",
        {
          resourceId: `endpoint/${release.endpoint.name}/variant/${release.endpoint.variantName}`,
          scalableDimension: "sagemaker:variant:DesiredInstanceCount",
          autoscaling,
          follow: {
            predefinedMetricSpecification: {
              predefinedMetricType: "SageMakerVariantInvocationsPerInstance",
            },
            targetValue: autoscaling.targetInvocationsPerMinute,
            scaleOutCooldown: 60,
            scaleInCooldown: 300,
          },
          tags,
        },
        { parent: this },
      );
    }
    // Models are created with this role, by releases.
    const modelRoleArn = roles.of("inference").readyArn;
    this.backend = { mode, endpoints, variant: VARIANT };
    this.targets = modelRoleArn.apply(() => ({ endpointNames: endpoints, variantName: VARIANT }));
    this.registerOutputs({});
  }
}
