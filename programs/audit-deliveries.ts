import type { Arns } from "./arns.ts";
import type { AwsAccount } from "./inputs.ts";
import type { Statement } from "./policy-document.ts";

/** Prefixes of the audit bucket, one for each service that delivers there. */
export const AUDIT_PREFIX = { trail: "trail", flowLogs: "flow-logs", config: "config" } as const;

interface AuditSources {
  readonly account: AwsAccount;
  readonly arns: Arns;
  readonly bucketArn: string;
  readonly trailArn: string;
}

const OWNER_CONTROLS = { "s3:x-amz-acl": "bucket-owner-full-control" };

/** What the audit bucket grants to the services that write the account's records, each below its prefix only. */
export function auditDeliveries(sources: AuditSources): Statement[] {
  return [...fromTrail(sources), ...fromFlowLogs(sources), ...fromConfig(sources)];
}

function fromTrail({ account: { accountId }, bucketArn, trailArn }: AuditSources): Statement[] {
  const from = { "aws:SourceAccount": accountId, "aws:SourceArn": trailArn };
  const Principal = { Service: "cloudtrail.amazonaws.com" };
  return [
    {
      Sid: "TrailAclCheck",
      Effect: "Allow",
      Principal,
      Action: "s3:GetBucketAcl",
      Resource: bucketArn,
      Condition: { StringEquals: from },
    },
    {
      Sid: "TrailDelivery",
      Effect: "Allow",
      Principal,
      Action: "s3:PutObject",
      Resource: `${bucketArn}/${AUDIT_PREFIX.trail}/AWSLogs/${accountId}/*`,
      Condition: { StringEquals: { ...from, ...OWNER_CONTROLS } },
    },
  ];
}

function fromFlowLogs({ account: { accountId }, arns, bucketArn }: AuditSources): Statement[] {
  const from = { "aws:SourceAccount": accountId };
  const ArnLike = { "aws:SourceArn": arns.regional("logs", "*") };
  const Principal = { Service: "delivery.logs.amazonaws.com" };
  return [
    {
      Sid: "FlowLogAclCheck",
      Effect: "Allow",
      Principal,
      Action: ["s3:GetBucketAcl", "s3:ListBucket"],
      Resource: bucketArn,
      Condition: { StringEquals: from, ArnLike },
    },
    {
      Sid: "FlowLogDelivery",
      Effect: "Allow",
      Principal,
      Action: "s3:PutObject",
      // Flow logs with Hive-compatible partitions go to AWSLogs/aws-account-id=<account>/…
      Resource: `${bucketArn}/${AUDIT_PREFIX.flowLogs}/AWSLogs/*`,
      Condition: { StringEquals: { ...from, ...OWNER_CONTROLS }, ArnLike },
    },
  ];
}

/** AWS Config names no source ARN that could be known before its recorder: the account is the condition it documents. */
function fromConfig({ account: { accountId }, bucketArn }: AuditSources): Statement[] {
  const from = { "aws:SourceAccount": accountId };
  const Principal = { Service: "config.amazonaws.com" };
  return [
    {
      Sid: "ConfigBucketCheck",
      Effect: "Allow",
      Principal,
      Action: ["s3:GetBucketAcl", "s3:ListBucket"],
      Resource: bucketArn,
      Condition: { StringEquals: from },
    },
    {
      Sid: "ConfigDelivery",
      Effect: "Allow",
      Principal,
      Action: "s3:PutObject",
      Resource: `${bucketArn}/${AUDIT_PREFIX.config}/AWSLogs/${accountId}/Config/*`,
      Condition: { StringEquals: { ...from, ...OWNER_CONTROLS } },
    },
  ];
}
