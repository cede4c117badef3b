import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMakerTools } from "./trust.ts";

/** Table of the feature group in the pipeline's database. */
export const FEATURE_TABLE = "feature_store";

export const featureStore: RoleDefinition = {
  description: "Writes the offline store of the feature group",
  trust: trustedForSageMakerTools,
  keyUses: ["data"],
  grants: (around) => {
    const { arns, names } = around.setting;
    const bucket = bucketArn(around, "features");
    return [
      allow({
        Sid: "WriteOfflineStore",
        // Feature Store sets the bucket owner's ACL on each object, which changes nothing in a bucket without ACLs.
        Action: ["s3:GetObject", "s3:PutObject", "s3:PutObjectAcl"],
        Resource: `${bucket}/${PREFIX.featureStore}*`,
      }),
      allow({
        Sid: "CheckOfflineStore",
        Action: ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListBucket"],
        Resource: bucket,
      }),
      useKeys(around, ["data"]),
      allow({
        Sid: "KeepTable",
        Action: ["glue:GetTable", "glue:UpdateTable"],
        Resource: [arns.catalog, arns.database(names.database), arns.tables(names.database, FEATURE_TABLE)],
      }),
    ];
  },
};
