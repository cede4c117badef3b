import { allow, bucketArn, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMakerTools } from "./trust.ts";

/**
 * Of the MLflow App. AWS suggests full access to S3; the store is one prefix of one bucket, and deleting stays with the
 * bucket's lifecycle.
 */
export const tracking: RoleDefinition = {
  description: "Keeps what experiments log",
  trust: trustedForSageMakerTools,
  keyUses: ["models"],
  grants: (around) => [
    allow({
      Sid: "ReadExperiments",
      Action: "s3:GetObject",
      Resource: `${bucketArn(around, "models")}/${PREFIX.experiments}*`,
    }),
    allow({
      Sid: "ListExperiments",
      Action: "s3:ListBucket",
      Resource: bucketArn(around, "models"),
      Condition: {
        StringLike: { "s3:prefix": [PREFIX.experiments.slice(0, -1), `${PREFIX.experiments}*`] },
      },
    }),
    write(around, "models", [PREFIX.experiments]),
    useKeys(around, ["models"]),
  ],
};
