import { allow, bucketArn, throughService, useKeys } from "../grants.ts";
import { makesFeatures } from "../serving/endpoints.ts";
import { functionAlias } from "../serving/function-names.ts";
import { PREFIX, TRAFFIC } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const gate: FunctionDefinition = {
  description: "Checks requests, asks the model and keeps what was asked and answered",
  memoryMb: 1024,
  // API Gateway answers 504 after 29 seconds; the gate answers and logs before.
  timeoutSeconds: 28,
  environment: ({ names, spec }) => ({
    AIDLC_PREDICTIONS_BUCKET: names.bucket("predictions"),
    AIDLC_RATE_PER_SECOND: String(spec.serving.throttle.ratePerSecond),
    ...(spec.serving.mode === "serverless" && {
      AIDLC_TRAFFIC_URI: `s3://${names.bucket("models")}/${TRAFFIC}`,
    }),
  }),
  keyUses: ["data", "models"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    const { mode } = spec.serving;
    return [
      // A real-time endpoint captures by itself.
      ...(mode === "realtime"
        ? []
        : [
            allow({
              Sid: "WriteCaptures",
              Action: "s3:PutObject",
              Resource: `${bucketArn(around, "predictions")}/${PREFIX.captures}*`,
            }),
            useKeys(around, ["data"], ["kms:GenerateDataKey"]),
          ]),
      // Releases write it: a setting of the stack would drift with each of them.
      ...(mode === "serverless"
        ? [
            allow({
              Sid: "ReadTraffic",
              Action: "s3:GetObject",
              Resource: `${bucketArn(around, "models")}/${TRAFFIC}`,
            }),
            allow({
              Sid: "ReadModelKey",
              Action: "kms:Decrypt",
              Resource: around.keys.models,
              Condition: throughService(around.setting.account.region, "s3"),
            }),
          ]
        : []),
      ...(makesFeatures(spec)
        ? [
            allow({
              Sid: "ReadTransforms",
              Action: "s3:GetObject",
              Resource: `${bucketArn(around, "models")}/${PREFIX.transforms}*`,
            }),
          ]
        : []),
      ...(mode === "serverless" || mode === "realtime"
        ? [
            allow({
              Sid: "AskEndpoints",
              Action: ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
              Resource: arns.sagemaker("endpoint", `${names.prefix}-*`),
            }),
          ]
        : []),
      ...(mode === "lambda"
        ? [
            allow({
              Sid: "AskFunction",
              Action: "lambda:InvokeFunction",
              Resource: functionAlias(around.setting),
            }),
          ]
        : []),
    ];
  },
};
