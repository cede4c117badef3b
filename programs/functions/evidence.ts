import { allow, publishAlerts } from "../grants.ts";
import { BUCKETS, KEY_PURPOSES } from "../names.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Reads how the pipeline is protected, never what it protects. */
export const evidence: FunctionDefinition = {
  description:
    "Reads the live state of every control of the pipeline, keeps what it read and tells what is lacking",
  memoryMb: 512,
  timeoutSeconds: 300,
  environment: ({ foundation, names, spec: { dataset } }) => ({
    AIDLC_TRAIL: foundation.trailArn,
    AIDLC_ACCESS_LOGS_BUCKET: names.bucket("access-logs"),
    ...(dataset.replicaRegion !== undefined && { AIDLC_REPLICA_REGION: dataset.replicaRegion }),
  }),
  // IAM has no endpoint in a network of ours.
  reachesInternet: true,
  keyUses: ["alerts"],
  grants: (around) => {
    const {
      setting: { arns, names, foundation },
      keys,
    } = around;
    return [
      // Beside the logs: an auditor reads it without a key that opens data, and nobody of the team writes there.
      allow({
        Sid: "KeepReadings",
        Action: "s3:PutObject",
        Resource: `${arns.bucket(names.bucket("access-logs"))}/${PREFIX.evidence}*`,
      }),
      allow({
        Sid: "ReadBucketSettings",
        Action: [
          "s3:GetBucketLogging",
          "s3:GetBucketNotification",
          "s3:GetBucketOwnershipControls",
          "s3:GetBucketPolicy",
          "s3:GetBucketPublicAccessBlock",
          "s3:GetBucketTagging",
          "s3:GetBucketVersioning",
          "s3:GetEncryptionConfiguration",
          "s3:GetInventoryConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:GetReplicationConfiguration",
        ],
        Resource: BUCKETS.map((kind) => arns.bucket(names.bucket(kind))),
      }),
      allow({
        Sid: "ReadKeySettings",
        Action: ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"],
        Resource: KEY_PURPOSES.map((purpose) => keys[purpose]),
      }),
      allow({
        Sid: "ReadRoles",
        Action: ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
        Resource: arns.role(`${names.prefix}-*`),
      }),
      allow({
        Sid: "ReadComponents",
        Action: [
          "events:DescribeRule",
          "lambda:GetFunctionConfiguration",
          "lambda:GetPolicy",
          "sagemaker:DescribeModelPackageGroup",
          "sagemaker:DescribePipeline",
          "sagemaker:ListModelPackages",
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetResourcePolicy",
          "sns:GetTopicAttributes",
          "sqs:GetQueueAttributes",
        ],
        Resource: [
          arns.rule(`${names.prefix}-*`),
          arns.function(`${names.prefix}-*`),
          arns.sagemaker("model-package-group", names.named("models")),
          arns.sagemaker("pipeline", names.named("training")),
          arns.secret(names.secret),
          arns.topic(`${names.prefix}-*`),
          arns.queue(`${names.prefix}-*`),
        ],
      }),
      allow({
        Sid: "ReadTrail",
        Action: ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus"],
        Resource: foundation.trailArn,
      }),
      // Neither has a resource to grant on that would name this pipeline's.
      allow({
        Sid: "ReadAlarmsAndLogGroups",
        Action: ["cloudwatch:DescribeAlarms", "logs:DescribeLogGroups"],
        Resource: "*",
      }),
      ...publishAlerts(around),
    ];
  },
};
