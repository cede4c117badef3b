import { consume, readBelow } from "../data-grants.ts";
import { allow, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Only where the spec asks for a feature group: in all others the pipeline's own processing step makes the features. */
export const features: FunctionDefinition = {
  description: "Puts accepted records into the feature group",
  memoryMb: 1024,
  timeoutSeconds: 900,
  environment: ({ names }) => ({
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_FEATURE_GROUP: names.named("features"),
  }),
  keyUses: ["data"],
  grants: (around) => {
    const { account, arns, names } = around.setting;
    return [
      consume(around, "features"),
      ...readBelow(around, "validated", [PREFIX.acceptedData]),
      useKeys(around, ["data"], ["kms:Decrypt"]),
      allow({
        Sid: "PutRecords",
        Action: ["sagemaker:DescribeFeatureGroup", "sagemaker:PutRecord"],
        Resource: arns.sagemaker("feature-group", names.named("features")),
      }),
      allow({
        Sid: "OpenOnlineStore",
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: around.keys.data,
        Condition: {
          StringEquals: { "kms:ViaService": `sagemaker.${account.region}.amazonaws.com` },
        },
      }),
    ];
  },
};
