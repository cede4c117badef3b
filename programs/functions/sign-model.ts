import {
  describeModel,
  lookUpImages,
  readModelDocuments,
  useSigningKey,
  writeModelDocuments,
} from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/**
 * Signs as soon as a version is registered, so that what is approved and what is deployed later is provably what the
 * pipeline made.
 */
export const signModel: FunctionDefinition = {
  description: "Signs a registered model's artifact, image and metadata",
  memoryMb: 1024,
  timeoutSeconds: 900,
  environment: ({ names }) => ({
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_MODEL_GROUP: names.named("models"),
    AIDLC_SIGNING_KEY: names.keyAlias("signing"),
  }),
  keyUses: ["models", "sign", "alerts"],
  grants: (around) => [
    describeModel(around),
    lookUpImages(around),
    ...readModelDocuments(around, [PREFIX.artifacts, PREFIX.signatures]),
    allow({
      Sid: "ReadSignedVersions",
      Action: "s3:GetObjectVersion",
      Resource: `${bucketArn(around, "models")}/${PREFIX.artifacts}*`,
    }),
    writeModelDocuments(around, PREFIX.signatures),
    useKeys(around, ["models"]),
    useSigningKey(around, "kms:Sign"),
    ...publishAlerts(around),
  ],
};
