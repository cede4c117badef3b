import { describeModel, lookUpImages, readModelDocuments, useSigningKey } from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const verifyModel: FunctionDefinition = {
  description: "Refuses to release a model whose signature or checksums are wrong",
  memoryMb: 1024,
  timeoutSeconds: 900,
  environment: ({ names }) => ({
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_MODEL_GROUP: names.named("models"),
    AIDLC_SIGNING_KEY: names.keyAlias("signing"),
  }),
  keyUses: ["models", "verify", "alerts"],
  grants: (around) => [
    describeModel(around),
    lookUpImages(around),
    ...readModelDocuments(around, [PREFIX.artifacts, PREFIX.signatures]),
    allow({
      Sid: "ReadSignedVersions",
      Action: "s3:GetObjectVersion",
      Resource: `${bucketArn(around, "models")}/${PREFIX.artifacts}*`,
    }),
    useKeys(around, ["models"], ["kms:Decrypt"]),
    useSigningKey(around, "kms:Verify"),
    ...publishAlerts(around),
  ],
};
