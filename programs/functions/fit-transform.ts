import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Only where the spec declares features. */
export const fitTransform: FunctionDefinition = {
  description: "Fits the declared features to the data of a training",
  memoryMb: 3008,
  // SageMaker waits ten minutes for a function.
  timeoutSeconds: 600,
  readsData: true,
  storageMb: 10_240,
  environment: ({ names }) => ({
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_MODELS_BUCKET: names.bucket("models"),
  }),
  keyUses: ["data", "models"],
  grants: (around) => [
    allow({
      Sid: "ReadAccepted",
      Action: "s3:GetObject",
      Resource: [PREFIX.acceptedData, PREFIX.executionManifests].map(
        (prefix) => `${bucketArn(around, "validated")}/${prefix}*`,
      ),
    }),
    allow({
      Sid: "WriteTransforms",
      Action: "s3:PutObject",
      Resource: `${bucketArn(around, "models")}/${PREFIX.transforms}*`,
    }),
    useKeys(around, ["data", "models"]),
  ],
};
