import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const pinManifest: FunctionDefinition = {
  description: "Copies the list of data that a training began with, so that all its steps read the same",
  // To list a million accepted objects takes two minutes.
  memoryMb: 512,
  timeoutSeconds: 300,
  environment: ({ names }) => ({ AIDLC_VALIDATED_BUCKET: names.bucket("validated") }),
  keyUses: ["data"],
  grants: (around) => {
    const validated = bucketArn(around, "validated");
    return [
      allow({ Sid: "ReadManifest", Action: "s3:GetObject", Resource: `${validated}/${PREFIX.manifests}*` }),
      // What is accepted is listed. Without it S3 also answers 403 for a manifest that is not there, and a read has no prefix that a
      // condition could ask for.
      allow({ Sid: "ListAccepted", Action: "s3:ListBucket", Resource: validated }),
      allow({
        Sid: "PinManifest",
        Action: "s3:PutObject",
        Resource: `${validated}/${PREFIX.executionManifests}*`,
      }),
      useKeys(around, ["data"]),
    ];
  },
};
