import { describeModel } from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import type { DataBucket } from "../names.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** `releases/` also holds releases under way, which are none of the monitor's business. */
const READ: readonly (readonly [DataBucket, string])[] = [
  ["predictions", `${PREFIX.captures}*`],
  ["predictions", `${PREFIX.labels}*`],
  ["predictions", `${PREFIX.monitoring}*`],
  ["validated", `${PREFIX.baselines}*`],
  ["models", `${PREFIX.evaluations}*`],
  ["models", `${PREFIX.releases}current.json`],
];

export const monitor: FunctionDefinition = {
  description:
    "Compares what the model in use is asked and answers with its baselines; publishes metrics and alerts",
  memoryMb: 3008,
  timeoutSeconds: 900,
  storageMb: 4096,
  readsData: true,
  environment: ({ names }) => ({
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_PREDICTIONS_BUCKET: names.bucket("predictions"),
  }),
  keyUses: ["data", "models", "alerts"],
  grants: (around) => [
    allow({
      Sid: "ReadInputs",
      Action: "s3:GetObject",
      Resource: READ.map(([kind, keys]) => `${bucketArn(around, kind)}/${keys}`),
    }),
    // Without it S3 answers 403 for a document that is not there; a condition on the prefix would be met by lists only.
    allow({
      Sid: "FindInputs",
      Action: "s3:ListBucket",
      Resource: (["predictions", "validated", "models"] as const).map((kind) => bucketArn(around, kind)),
    }),
    allow({
      Sid: "WriteReports",
      Action: "s3:PutObject",
      Resource: `${bucketArn(around, "predictions")}/${PREFIX.monitoring}*`,
    }),
    useKeys(around, ["data", "models"]),
    // What the model in use reached when it was registered.
    describeModel(around),
    // How much was predicted, to see whether it was captured. CloudWatch has no resource to grant reads of metrics on.
    allow({ Sid: "ReadMetrics", Action: "cloudwatch:GetMetricData", Resource: "*" }),
    ...publishAlerts(around),
  ],
};
