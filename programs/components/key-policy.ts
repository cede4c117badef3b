import type { Arns } from "../arns.ts";
import type { Condition, Statement } from "../policy-document.ts";

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
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

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
      ArnLike: { "kms:EncryptionContext:aws:s3:arn": use.bucketArns.flatMap((arn) => [arn, `${arn}/*`]) },
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

export const jobKeyChecks = (arns: Arns, roleArns: readonly string[]): Statement =>
  allow({
    Sid: "JobKeyChecks",
    Principal: root(arns),
    Action: "kms:DescribeKey",
    Condition: { ArnLike: { "aws:PrincipalArn": roleArns } },
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

export const logGroups = (region: string, logGroupArns: readonly string[]): Statement =>
  allow({
    Sid: "LogGroups",
    Principal: { Service: `logs.${region}.amazonaws.com` },
    Action: LOGS_USE,
    Condition: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": logGroupArns } },
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
export function trailLogs(arns: Arns, accountId: string, trailArn: string): Statement[] {
  const from = { StringEquals: { "aws:SourceAccount": accountId, "aws:SourceArn": trailArn } };
  const Principal = { Service: "cloudtrail.amazonaws.com" };
  return [
    allow({
      Sid: "TrailLogs",
      Principal,
      Action: "kms:GenerateDataKey",
      Condition: merge(from, {
        StringLike: {
          "kms:EncryptionContext:aws:cloudtrail:arn": `arn:${arns.partition}:cloudtrail:*:${accountId}:trail/*`,
        },
      }),
    }),
    allow({ Sid: "TrailKeyCheck", Principal, Action: "kms:DescribeKey", Condition: from }),
  ];
}

/** Flow logs reach an encrypted bucket through the log-delivery service. */
export const flowLogs = (accountId: string, sourceArn: string): Statement =>
  allow({
    Sid: "FlowLogs",
    Principal: { Service: "delivery.logs.amazonaws.com" },
    Action: LOGS_USE,
    Condition: { StringEquals: { "aws:SourceAccount": accountId }, ArnLike: { "aws:SourceArn": sourceArn } },
  });

function merge(...conditions: readonly Condition[]): Condition {
  const merged: Record<string, Record<string, string | readonly string[]>> = {};
  for (const condition of conditions) {
    for (const [operator, tests] of Object.entries(condition))
      merged[operator] = { ...merged[operator], ...tests };
  }
  return merged;
}
