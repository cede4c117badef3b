import type { Arns } from "../arns.ts";
import type { Condition, Statement } from "../policy-document.ts";
import { TAG } from "../tags.ts";

// Key policies name no `kms:*`: whoever administers a key can't decrypt with it, and whoever uses it can't change it.
const ADMINISTRATION = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListKeyRotations",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:RevokeGrant",
  "kms:RotateKeyOnDemand",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
];

const LOGS_USE = [
  "kms:Decrypt",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/** Of the manifest's SHA-256 digest, by a key on the curve NIST P-256. */
export const SIGNING_ALGORITHM = "ECDSA_SHA_256";

type Rule = Omit<Statement, "Effect" | "Resource">;

/** In a key policy "*" is the key itself. */
const allow = (rule: Rule): Statement => ({ Effect: "Allow", Resource: "*", ...rule });

/**
 * The account's root stands for "whoever IAM lets": roles are named in conditions instead of as principals, so a key
 * can be created before its roles and does not lose a role that is created again under its old name.
 */
const root = (arns: Arns) => ({ AWS: arns.root });

export const administration = (arns: Arns): Statement =>
  allow({ Sid: "Administration", Principal: root(arns), Action: ADMINISTRATION });

/** Reading and writing objects of these buckets, through S3 only. With bucket keys the context is the bucket's ARN. */
export function useThroughS3(
  arns: Arns,
  use: { sid: string; region: string; bucketArns: readonly string[]; who: Condition },
): Statement {
  return allow({
    Sid: use.sid,
    Principal: root(arns),
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Condition: merge(use.who, {
      StringEquals: { "kms:ViaService": `s3.${use.region}.amazonaws.com` },
      StringLike: { "kms:EncryptionContext:aws:s3:arn": use.bucketArns.flatMap((arn) => [arn, `${arn}/*`]) },
    }),
  });
}

/** SageMaker attaches encrypted volumes by a grant that the job's role gives; a grant for anything else is refused. */
export const jobVolumes = (arns: Arns, roleArns: readonly string[]): Statement =>
  allow({
    Sid: "JobVolumes",
    Principal: root(arns),
    Action: "kms:CreateGrant",
    Condition: { ArnLike: { "aws:PrincipalArn": roleArns }, Bool: { "kms:GrantIsForAWSResource": "true" } },
  });

/**
 * A notebook's volume is opened by a grant that whoever creates the notebook gives: the role that provisions, where the account names
 * one.
 */
export const notebookVolume = (arns: Arns, accountId: string, provisioningRole?: string): Statement =>
  allow({
    Sid: "NotebookVolume",
    Principal: root(arns),
    Action: "kms:CreateGrant",
    Condition: {
      Bool: { "kms:GrantIsForAWSResource": "true" },
      StringEquals: { "kms:CallerAccount": accountId },
      ...(provisioningRole !== undefined && { ArnEquals: { "aws:PrincipalArn": provisioningRole } }),
    },
  });

export const jobKeyChecks = (arns: Arns, roleArns: readonly string[]): Statement =>
  allow({
    Sid: "JobKeyChecks",
    Principal: root(arns),
    Action: "kms:DescribeKey",
    Condition: { ArnLike: { "aws:PrincipalArn": roleArns } },
  });

/** Whoever signs can't verify in the same breath and the other way round: each is another role's. */
export const signatures = (
  arns: Arns,
  action: "kms:Sign" | "kms:Verify",
  roleArns: readonly string[],
): Statement =>
  allow({
    Sid: action === "kms:Sign" ? "SignModels" : "VerifyModels",
    Principal: root(arns),
    Action: action,
    Condition: {
      ArnLike: { "aws:PrincipalArn": roleArns },
      StringEquals: { "kms:SigningAlgorithm": SIGNING_ALGORITHM },
    },
  });

/** ECR encrypts a repository by a grant that whoever creates the repository gives through ECR. */
export const repositories = (arns: Arns, accountId: string, region: string): Statement =>
  allow({
    Sid: "Repositories",
    Principal: root(arns),
    Action: ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"],
    Condition: {
      StringEquals: { "kms:ViaService": `ecr.${region}.amazonaws.com`, "kms:CallerAccount": accountId },
    },
  });

/** Glue encrypts the bookmarks of a job as the job's role, not through S3. */
export const jobBookmarks = (arns: Arns, roleArns: readonly string[]): Statement =>
  allow({
    Sid: "JobBookmarks",
    Principal: root(arns),
    Action: ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
    Condition: { ArnLike: { "aws:PrincipalArn": roleArns } },
  });

/** The value of this secret, through Secrets Manager only. */
export const secretValue = (
  arns: Arns,
  region: string,
  secretArn: string,
  roleArns: readonly string[],
): Statement =>
  allow({
    Sid: "SecretValue",
    Principal: root(arns),
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Condition: {
      ArnLike: { "aws:PrincipalArn": roleArns },
      StringLike: { "kms:EncryptionContext:SecretARN": secretArn },
      StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` },
    },
  });

/** Feature Store encrypts the online store by a grant that whoever creates the group gives; records pass through it too. */
export const onlineStore = (arns: Arns, accountId: string, region: string): Statement =>
  allow({
    Sid: "OnlineStore",
    Principal: root(arns),
    Action: [
      "kms:CreateGrant",
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:RetireGrant",
    ],
    Condition: {
      StringEquals: { "kms:ViaService": `sagemaker.${region}.amazonaws.com`, "kms:CallerAccount": accountId },
    },
  });

/**
 * Whoever provisions the pipeline brings the programs of its jobs. To encrypt them is all that is allowed; with a bucket key the
 * context names the bucket, and the bucket's own policy and IAM say which objects.
 */
export const uploads = (arns: Arns, accountId: string, region: string, bucketArn: string): Statement =>
  allow({
    Sid: "Uploads",
    Principal: root(arns),
    Action: "kms:GenerateDataKey",
    Condition: {
      StringEquals: {
        "kms:EncryptionContext:aws:s3:arn": bucketArn,
        "kms:ViaService": `s3.${region}.amazonaws.com`,
        "kms:CallerAccount": accountId,
      },
    },
  });

/** S3 encrypts replicas under the key, of these buckets and for the pipeline's replication only. */
export const replicaWrites = (
  arns: Arns,
  use: { region: string; bucketArns: readonly string[]; roleArn: string },
): Statement =>
  allow({
    Sid: "Replication",
    Principal: root(arns),
    Action: ["kms:Encrypt", "kms:GenerateDataKey"],
    Condition: {
      ArnEquals: { "aws:PrincipalArn": use.roleArn },
      StringEquals: { "kms:ViaService": `s3.${use.region}.amazonaws.com` },
      StringLike: { "kms:EncryptionContext:aws:s3:arn": use.bucketArns.flatMap((arn) => [arn, `${arn}/*`]) },
    },
  });

export const teamDecrypts = (
  arns: Arns,
  use: { region: string; bucketArns: readonly string[]; team: string },
): Statement =>
  allow({
    Sid: "Recovery",
    Principal: root(arns),
    Action: "kms:Decrypt",
    Condition: {
      StringEquals: {
        [`aws:PrincipalTag/${TAG.team}`]: use.team,
        "kms:ViaService": `s3.${use.region}.amazonaws.com`,
      },
      StringLike: { "kms:EncryptionContext:aws:s3:arn": use.bucketArns.flatMap((arn) => [arn, `${arn}/*`]) },
    },
  });

/**
 * Whoever makes a vault gives AWS Backup its grants
 * (https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html#create-vault-prerequisites).
 */
export const backupVaults = (arns: Arns, accountId: string, region: string): Statement =>
  allow({
    Sid: "Vaults",
    Principal: root(arns),
    Action: ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
    Condition: {
      StringEquals: { "kms:ViaService": `backup.${region}.amazonaws.com`, "kms:CallerAccount": accountId },
    },
  });

/** AWS Backup works through the pipeline's roles, and by grants that these give to its service-linked role. */
export function backups(arns: Arns, roleArns: readonly string[]): Statement[] {
  const who = { ArnEquals: { "aws:PrincipalArn": roleArns } };
  return [
    allow({
      Sid: "Backups",
      Principal: root(arns),
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
      ],
      Condition: who,
    }),
    allow({
      Sid: "BackupGrants",
      Principal: root(arns),
      Action: "kms:CreateGrant",
      Condition: { ...who, Bool: { "kms:GrantIsForAWSResource": "true" } },
    }),
  ];
}

export const logGroups = (region: string, logGroupArns: readonly string[]): Statement =>
  allow({
    Sid: "LogGroups",
    Principal: { Service: `logs.${region}.amazonaws.com` },
    Action: LOGS_USE,
    Condition: { StringLike: { "kms:EncryptionContext:aws:logs:arn": logGroupArns } },
  });

/** A service that publishes to encrypted topics must be able to use the key, for these topics only. */
export const topicPublisher = (
  publisher: { sid: string; service: string; condition: Condition },
  topicArns: readonly string[],
): Statement =>
  allow({
    Sid: publisher.sid,
    Principal: { Service: publisher.service },
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Condition: merge(publisher.condition, {
      StringEquals: { "kms:EncryptionContext:aws:sns:topicArn": topicArns },
    }),
  });

/** Roles that publish to encrypted topics themselves. */
export const useThroughSns = (arns: Arns, region: string, roleArns: readonly string[]): Statement =>
  allow({
    Sid: "PublishAlerts",
    Principal: root(arns),
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Condition: {
      ArnLike: { "aws:PrincipalArn": roleArns },
      StringEquals: { "kms:ViaService": `sns.${region}.amazonaws.com` },
    },
  });

/** CloudTrail writes the trail's files under the key. */
export const trailLogs = (accountId: string, trailArn: string): Statement =>
  allow({
    Sid: "TrailLogs",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    // Decrypt for the bucket's key: without it no trail can be made for a bucket that has one. With a bucket key the context
    // names the bucket and not the trail, so the source alone binds it.
    Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
    Condition: { StringEquals: { "aws:SourceAccount": accountId, "aws:SourceArn": trailArn } },
  });

/** Flow logs reach an encrypted bucket through the log-delivery service. */
export const flowLogs = (accountId: string, sourceArn: string): Statement =>
  allow({
    Sid: "FlowLogs",
    Principal: { Service: "delivery.logs.amazonaws.com" },
    Action: [...LOGS_USE, "kms:DescribeKey"],
    Condition: { StringEquals: { "aws:SourceAccount": accountId }, ArnLike: { "aws:SourceArn": sourceArn } },
  });

/** AWS Config writes histories and snapshots under the key. */
export const configSnapshots = (accountId: string): Statement =>
  allow({
    Sid: "ConfigSnapshots",
    Principal: { Service: "config.amazonaws.com" },
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Condition: { StringEquals: { "aws:SourceAccount": accountId } },
  });

function merge(...conditions: readonly Condition[]): Condition {
  const merged: Record<string, Record<string, string | readonly string[]>> = {};
  for (const condition of conditions) {
    for (const [operator, tests] of Object.entries(condition))
      merged[operator] = { ...merged[operator], ...tests };
  }
  return merged;
}
