import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { ServingArgs } from "./mode-serving.ts";

/** Where the model's own program writes, in the modes that let a program choose its log group. */
export function inferenceLogs(
  { setting, keys, tags }: ServingArgs,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  return new aws.cloudwatch.LogGroup(
    "inference-logs",
    {
      name: setting.names.logGroup("inference"),
      kmsKeyId: keys.logs.arn,
      retentionInDays: setting.spec.monitoring.logRetentionDays,
      tags,
    },
    { parent },
  );
}
