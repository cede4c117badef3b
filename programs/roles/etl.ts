import { readBelow } from "../data-grants.ts";
import { allow, bucketArn, readSettings, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

export const etl: RoleDefinition = {
  description: "Compacts accepted data and keeps the catalog of it",
  trust: trustedFor("glue.amazonaws.com", ({ arns }) => arns.regional("glue", "*")),
  keyUses: ["data", "models", "bookmarks"],
  grants: (around) => {
    const { arns, names } = around.setting;
    const features = bucketArn(around, "features");
    return [
      ...readBelow(around, "validated", [PREFIX.acceptedData]),
      ...readBelow(around, "features", [PREFIX.compacted, PREFIX.scratch]),
      ...readBelow(around, "predictions", [PREFIX.captures]),
      write(around, "features", [PREFIX.compacted, PREFIX.scratch]),
      // Spark replaces what an interrupted run of its own left; the versions stay.
      allow({
        Sid: "ReplaceOwnOutput",
        Action: "s3:DeleteObject",
        Resource: [PREFIX.compacted, PREFIX.scratch].map((prefix) => `${features}/${prefix}*`),
      }),
      allow({
        Sid: "ReadScript",
        Action: "s3:GetObject",
        Resource: `${bucketArn(around, "models")}/${PREFIX.scripts}*`,
      }),
      useKeys(around, ["data", "models"]),
      allow({
        Sid: "EncryptBookmarks",
        Action: ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        Resource: around.keys.data,
      }),
      allow({
        Sid: "KeepCatalog",
        Action: [
          "glue:BatchCreatePartition",
          "glue:BatchGetPartition",
          "glue:BatchUpdatePartition",
          "glue:CreatePartition",
          "glue:CreateTable",
          "glue:GetDatabase",
          "glue:GetPartition",
          "glue:GetPartitions",
          "glue:GetTable",
          "glue:GetTables",
          "glue:UpdatePartition",
          "glue:UpdateTable",
        ],
        Resource: [arns.catalog, arns.database(names.database), arns.tables(names.database)],
      }),
      allow({
        Sid: "ReadOwnJob",
        Action: "glue:GetJob",
        Resource: arns.regional("glue", `job/${names.named("compaction")}`),
      }),
      // Glue has no resource for bookmarks.
      allow({
        Sid: "KeepBookmark",
        Action: ["glue:GetJobBookmark", "glue:ResetJobBookmark", "glue:UpdateJobBookmark"],
        Resource: "*",
      }),
      // Neither has a resource: the grants in Lake Formation decide, and a configuration says only which keys.
      allow({
        Sid: "UseLakeFormation",
        Action: ["glue:GetSecurityConfiguration", "lakeformation:GetDataAccess"],
        Resource: "*",
      }),
      allow({
        Sid: "WriteLogs",
        Action: ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [names.logGroup("compaction*"), names.crawlerLogGroup].flatMap((name) => [
          arns.logGroup(name),
          arns.logGroup(`${name}:log-stream:*`),
        ]),
      }),
      readSettings(around),
    ];
  },
};
