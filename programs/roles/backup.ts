import { allow, bucketArn, type RoleSurroundings, useKeys, useRecoveryKey } from "../grants.ts";
import { IRREPLACEABLE } from "../recovery.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedInAccount } from "./trust.ts";

const bucketArns = (around: RoleSurroundings) => IRREPLACEABLE.map((kind) => bucketArn(around, kind));

const useVaultKey = (around: RoleSurroundings) => [
  useRecoveryKey(around, "backups", {
    sid: "UseVaultKey",
    region: around.setting.account.region,
    action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
  }),
  useRecoveryKey(around, "backups", {
    sid: "GrantVaultKey",
    region: around.setting.account.region,
    action: ["kms:CreateGrant"],
    condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
  }),
];

/**
 * What AWS documents for backups of S3, narrowed to this pipeline's buckets
 * (https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html). Backup follows changes of a bucket through rules of
 * EventBridge that it names itself.
 */
export const backup: RoleDefinition = {
  description: "Backs up what can't be made again",
  trust: trustedInAccount("backup.amazonaws.com"),
  keyUses: ["data", "models"],
  grants: (around) => [
    allow({
      Sid: "ReadBuckets",
      Action: [
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "s3:GetBucketNotification",
        "s3:GetBucketTagging",
        "s3:GetBucketVersioning",
        "s3:GetInventoryConfiguration",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutBucketNotification",
        "s3:PutInventoryConfiguration",
      ],
      Resource: bucketArns(around),
    }),
    allow({
      Sid: "ReadObjects",
      Action: [
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
      ],
      Resource: bucketArns(around).map((arn) => `${arn}/*`),
    }),
    useKeys(around, ["data", "models"], ["kms:Decrypt"]),
    allow({
      Sid: "FollowChanges",
      Action: [
        "events:DeleteRule",
        "events:DescribeRule",
        "events:DisableRule",
        "events:EnableRule",
        "events:ListTargetsByRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
      ],
      Resource: around.setting.arns.rule("AwsBackupManagedRule*"),
    }),
    allow({
      Sid: "KeepBackups",
      Action: ["backup:DescribeBackupVault", "backup:TagResource"],
      Resource: [
        around.setting.arns.vault(around.setting.names.short("backups")),
        around.setting.arns.regional("backup", "recovery-point:*"),
      ],
    }),
    // Neither metrics nor the lists of buckets, rules and tagged resources have a resource to grant on.
    allow({
      Sid: "LookAround",
      Action: ["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
      Resource: "*",
    }),
    ...useVaultKey(around),
  ],
};

/** Puts backups back into the buckets that they are of, and nowhere else. */
export const restore: RoleDefinition = {
  description: "Restores backups into the buckets that they are of",
  trust: trustedInAccount("backup.amazonaws.com"),
  keyUses: ["data", "models"],
  grants: (around) => [
    allow({
      Sid: "ReadBuckets",
      Action: [
        "s3:GetBucketLocation",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketVersioning",
        "s3:ListBucket",
        "s3:ListBucketVersions",
      ],
      Resource: bucketArns(around),
    }),
    allow({
      Sid: "RestoreObjects",
      Action: [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionAcl",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectTagging",
      ],
      Resource: bucketArns(around).map((arn) => `${arn}/*`),
    }),
    useKeys(around, ["data", "models"]),
    ...useVaultKey(around),
  ],
};
