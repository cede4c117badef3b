import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { s3LogDelivery } from "../components/bucket-policy.ts";
import { EncryptionKey } from "../components/encryption-key.ts";
import { administration, flowLogs, logGroups, trailLogs, useThroughS3 } from "../components/key-policy.ts";
import { type LifecycleRule, ProtectedBucket } from "../components/protected-bucket.ts";
import type { FoundationOutputs } from "../inputs.ts";
import { DATA_BUCKETS } from "../names.ts";
import type { Statement } from "../policy-document.ts";
import type { AccountSetting } from "./account-setting.ts";
import { Phase } from "./phase.ts";

const AUDIT_LIFECYCLE: readonly LifecycleRule[] = [
  {
    id: "archive-and-expire",
    status: "Enabled",
    filter: { prefix: "" },
    transitions: [{ days: 90, storageClass: "GLACIER" }],
    // Seven years: the longest period that the supported frameworks ask for audit records.
    expiration: { days: 2557 },
  },
];

const ACCESS_LOG_LIFECYCLE: readonly LifecycleRule[] = [
  { id: "expire", status: "Enabled", filter: { prefix: "" }, expiration: { days: 400 } },
];

/** Who did what in the account: the trail, the flow logs' destination, and the bucket and key that keep them. */
export class AccountCompliance extends Phase {
  readonly keyArn: pulumi.Output<string>;
  readonly trailArn: pulumi.Output<string>;
  readonly auditBucket: FoundationOutputs["auditBucket"];
  /** Known only once the bucket accepts flow logs. */
  readonly flowLogDestination: pulumi.Output<string>;

  constructor(setting: AccountSetting, opts: pulumi.ComponentResourceOptions) {
    super("compliance", opts);
    const { names, arns } = setting;
    const key = this.auditKey(setting);
    this.keyArn = key.arn;
    this.auditBucket = { name: names.auditBucket, arn: arns.bucket(names.auditBucket) };
    const bucket = this.buckets(setting, key.arn);
    this.flowLogDestination = bucket.guardedName.apply((name) => `${arns.bucket(name)}/flow-logs/`);
    this.trailArn =
      setting.existing.trailArn === undefined
        ? this.trail(setting, bucket.guardedName)
        : pulumi.output(setting.existing.trailArn);
    this.registerOutputs({});
  }

  private auditKey({ account, arns, names, dataOnDestroy }: AccountSetting): EncryptionKey {
    const { accountId, region } = account;
    return new EncryptionKey(
      "audit-key",
      {
        alias: names.auditKeyAlias,
        description: "Audit records of the account: trail, flow logs, logs of SageMaker jobs",
        policy: [
          administration(arns),
          ...trailLogs(arns, accountId, arns.trail(names.trail)),
          flowLogs(accountId, arns.regional("logs", "*")),
          logGroups(region, [names.processingLogGroup, names.trainingLogGroup].map(arns.logGroup)),
          useThroughS3(arns, {
            sid: "Auditors",
            region,
            bucketArns: [arns.bucket(names.auditBucket)],
            who: { StringEquals: { "aws:PrincipalTag/aidlc:auditor": "true" } },
          }),
        ],
        deletionWindowInDays: 30,
        dataOnDestroy,
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private buckets(setting: AccountSetting, keyArn: pulumi.Output<string>): ProtectedBucket {
    const { account, arns, names, dataOnDestroy } = setting;
    const shared = { accountId: account.accountId, dataOnDestroy, tags: this.tags };
    const accessLogs = new ProtectedBucket(
      "audit-access-logs",
      {
        ...shared,
        bucket: names.accessLogBucket,
        bucketArn: arns.bucket(names.accessLogBucket),
        lifecycle: ACCESS_LOG_LIFECYCLE,
        deliveries: s3LogDelivery(arns.bucket(names.accessLogBucket), account.accountId, [
          this.auditBucket.arn,
        ]),
      },
      { parent: this },
    );
    return new ProtectedBucket(
      "audit",
      {
        ...shared,
        bucket: names.auditBucket,
        bucketArn: this.auditBucket.arn,
        keyArn,
        lifecycle: AUDIT_LIFECYCLE,
        deliveries: auditDeliveries(setting, this.auditBucket.arn),
        logs: {
          bucket: accessLogs.guardedName,
          bucketArn: arns.bucket(names.accessLogBucket),
          prefix: "audit",
        },
      },
      { parent: this },
    );
  }

  /** All regions; management events, and object-level events of every pipeline's data buckets but not of log buckets. */
  private trail({ arns, names }: AccountSetting, s3BucketName: pulumi.Output<string>): pulumi.Output<string> {
    return new aws.cloudtrail.Trail(
      "trail",
      {
        name: names.trail,
        s3BucketName,
        s3KeyPrefix: "trail",
        kmsKeyId: this.keyArn,
        isMultiRegionTrail: true,
        includeGlobalServiceEvents: true,
        enableLogFileValidation: true,
        enableLogging: true,
        advancedEventSelectors: [
          { name: "Management events", fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }] },
          {
            name: "Objects of pipeline buckets",
            fieldSelectors: [
              { field: "eventCategory", equals: ["Data"] },
              { field: "resources.type", equals: ["AWS::S3::Object"] },
              {
                field: "resources.ARN",
                startsWiths: DATA_BUCKETS.map((kind) => arns.bucket(`aidlc-${kind}-`)),
              },
            ],
          },
        ],
        tags: this.tags,
      },
      { parent: this },
    ).arn;
  }
}

function auditDeliveries({ account, arns, names }: AccountSetting, bucketArn: string): Statement[] {
  const { accountId } = account;
  const trailArn = arns.trail(names.trail);
  const fromTrail = { "aws:SourceAccount": accountId, "aws:SourceArn": trailArn };
  const fromFlowLogs = { "aws:SourceAccount": accountId };
  const flowLogSource = { "aws:SourceArn": arns.regional("logs", "*") };
  const ownerControls = { "s3:x-amz-acl": "bucket-owner-full-control" };
  return [
    {
      Sid: "TrailAclCheck",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:GetBucketAcl",
      Resource: bucketArn,
      Condition: { StringEquals: fromTrail },
    },
    {
      Sid: "TrailDelivery",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${bucketArn}/trail/AWSLogs/${accountId}/*`,
      Condition: { StringEquals: { ...fromTrail, ...ownerControls } },
    },
    {
      Sid: "FlowLogAclCheck",
      Effect: "Allow",
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Action: ["s3:GetBucketAcl", "s3:ListBucket"],
      Resource: bucketArn,
      Condition: { StringEquals: fromFlowLogs, ArnLike: flowLogSource },
    },
    {
      Sid: "FlowLogDelivery",
      Effect: "Allow",
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Action: "s3:PutObject",
      // Flow logs with Hive-compatible partitions go to AWSLogs/aws-account-id=<account>/…
      Resource: `${bucketArn}/flow-logs/AWSLogs/*`,
      Condition: { StringEquals: { ...fromFlowLogs, ...ownerControls }, ArnLike: flowLogSource },
    },
  ];
}
