import { consume } from "../data-grants.ts";
import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Only where the spec asks for a feature group. */
export const features: FunctionDefinition = {
  description: "Puts accepted records into the feature group",
  memoryMb: 1024,
  timeoutSeconds: 900,
  readsData: true,
  storageMb: 10_240,
  environment: ({ names }) => ({
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_FEATURES_BUCKET: names.bucket("features"),
    AIDLC_FEATURE_GROUP: names.named("features"),
  }),
  keyUses: ["data"],
  grants: (around) => {
    const { account, arns, names } = around.setting;
    return [
      consume(around, "features"),
      allow({
        Sid: "ReadAccepted",
        Action: "s3:GetObjectVersion",
        Resource: `${bucketArn(around, "validated")}/${PREFIX.acceptedData}*`,
      }),
      allow({
        Sid: "KeepProgress",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `${bucketArn(around, "features")}/${PREFIX.ingested}*`,
      }),
      // Without it S3 answers 403 for a note that is not there; a read has no prefix that a condition could ask for.
      allow({ Sid: "FindProgress", Action: "s3:ListBucket", Resource: bucketArn(around, "features") }),
      useKeys(around, ["data"]),
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
