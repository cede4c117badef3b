import { allow, useKeys, write } from "../grants.ts";
import { functionAlias } from "../serving/function-names.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const gate: FunctionDefinition = {
  description: "Checks requests, asks the model and keeps what was asked and answered",
  memoryMb: 1024,
  // API Gateway answers 504 after 29 seconds; the gate answers and logs before.
  timeoutSeconds: 28,
  environment: ({ names, spec }) => ({
    AIDLC_SERVING_MODE: spec.serving.mode,
    AIDLC_PREDICTIONS_BUCKET: names.bucket("predictions"),
  }),
  keyUses: ["data"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    const { mode } = spec.serving;
    return [
      write(around, "predictions", [PREFIX.captures]),
      useKeys(around, ["data"], ["kms:GenerateDataKey", "kms:Decrypt"]),
      ...(mode === "serverless" || mode === "realtime"
        ? [
            allow({
              Sid: "AskEndpoints",
              Action: "sagemaker:InvokeEndpoint",
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
