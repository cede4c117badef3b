import { readBelow } from "../data-grants.ts";
import { allow, bucketArn, publishAlerts, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const monitor: FunctionDefinition = {
  description:
    "Compares what the model in use is asked and answers with its baselines; publishes metrics and alerts",
  memoryMb: 3008,
  timeoutSeconds: 900,
  storageMb: 4096,
  environment: ({ names }) => ({
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_PREDICTIONS_BUCKET: names.bucket("predictions"),
    AIDLC_MODEL_GROUP: names.named("models"),
  }),
  keyUses: ["data", "models", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    const group = names.named("models");
    return [
      // CloudWatch has no resource to grant reads of metrics on.
      allow({
        Sid: "ReadMetrics",
        Action: ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"],
        Resource: "*",
      }),
      ...readBelow(around, "predictions", [PREFIX.captures, PREFIX.labels, PREFIX.monitoring]),
      write(around, "predictions", [PREFIX.monitoring]),
      ...readBelow(around, "validated", [PREFIX.baselines]),
      allow({
        Sid: "ReadEvaluations",
        Action: "s3:GetObject",
        Resource: `${bucketArn(around, "models")}/${PREFIX.evaluations}*`,
      }),
      useKeys(around, ["data", "models"]),
      // What the model in use reached when it was registered.
      allow({
        Sid: "ReadRegistry",
        Action: ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
        Resource: [
          arns.sagemaker("model-package-group", group),
          arns.sagemaker("model-package", `${group}/*`),
        ],
      }),
      ...publishAlerts(around),
    ];
  },
};
