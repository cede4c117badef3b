import { describeImages, readRegistry, useSigningKey } from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const verifyModel: FunctionDefinition = {
  description: "Refuses to release a model whose signature or checksums are wrong",
  memoryMb: 1024,
  timeoutSeconds: 900,
  keyUses: ["models", "verify", "alerts"],
  grants: (around) => [
    readRegistry(around),
    describeImages(around),
    allow({
      Sid: "ReadSignedModels",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: [PREFIX.artifacts, PREFIX.signatures].map(
        (prefix) => `${bucketArn(around, "models")}/${prefix}*`,
      ),
    }),
    useKeys(around, ["models"], ["kms:Decrypt"]),
    useSigningKey(around, "kms:Verify"),
    ...publishAlerts(around),
  ],
};
