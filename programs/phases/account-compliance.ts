import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUDIT_PREFIX, auditDeliveries } from "../audit-deliveries.ts";
import { s3LogDelivery } from "../components/bucket-policy.ts";
import { ConfigurationRecorder } from "../components/configuration-recorder.ts";
import { EncryptionKey } from "../components/encryption-key.ts";
import {
  administration,
  configSnapshots,
  flowLogs,
  logGroups,
  trailLogs,
  useThroughS3,
} from "../components/key-policy.ts";
import { type LifecycleRule, ProtectedBucket } from "../components/protected-bucket.ts";
import { SecurityServices } from "../components/security-services.ts";
import type { FoundationOutputs } from "../inputs.ts";
import { DATA_BUCKETS } from "../names.ts";
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

/**
 * Who did what in the account, and how it is set: the trail, the flow logs' destination, AWS Config and the security services,
 * with the bucket and key that keep what they record.
 */
export class AccountCompliance extends Phase {
  readonly keyArn: pulumi.Output<string>;
  readonly trailArn: pulumi.Output<string>;
  readonly auditBucket: FoundationOutputs["auditBucket"];
  /** Takes the access logs and inventories of the foundation's buckets. */
  readonly accessLogs: { readonly bucket: pulumi.Output<string>; readonly bucketArn: string };
  /** Known only once the bucket accepts flow logs. */
  readonly flowLogDestination: pulumi.Output<string>;

  constructor(setting: AccountSetting, opts: pulumi.ComponentResourceOptions) {
    super("compliance", opts);
    const { names, arns } = setting;
    const key = this.auditKey(setting);
    this.keyArn = key.arn;
    this.auditBucket = { name: names.auditBucket, arn: arns.bucket(names.auditBucket) };
    this.accessLogs = this.accessLogBucket(setting);
    const bucket = this.audit(setting, key.arn).guardedName;
    this.flowLogDestination = bucket.apply((name) => `${arns.bucket(name)}/${AUDIT_PREFIX.flowLogs}/`);
    const { trail } = setting.existing;
    this.trailArn = trail === undefined ? this.trail(setting, bucket) : pulumi.output(trail);
    const within = { ...setting, tags: this.tags };
    new ConfigurationRecorder("config", { ...within, bucket, keyArn: key.arn }, { parent: this });
    if (setting.securityServices) new SecurityServices("security", within, { parent: this });
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
          trailLogs(accountId, arns.trail(names.trail)),
          flowLogs(accountId, arns.regional("logs", "*")),
          configSnapshots(accountId),
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

  private accessLogBucket({ account, arns, names, dataOnDestroy }: AccountSetting) {
    const bucketArn = arns.bucket(names.accessLogBucket);
    const sources = [this.auditBucket.arn, arns.bucket(names.artifactsBucket)];
    const { guardedName } = new ProtectedBucket(
      "audit-access-logs",
      {
        bucket: names.accessLogBucket,
        bucketArn,
        accountId: account.accountId,
        lifecycle: ACCESS_LOG_LIFECYCLE,
        deliveries: s3LogDelivery(bucketArn, account.accountId, sources),
        dataOnDestroy,
        tags: this.tags,
      },
      { parent: this },
    );
    return { bucket: guardedName, bucketArn };
  }

  private audit(setting: AccountSetting, keyArn: pulumi.Output<string>): ProtectedBucket {
    const { account, arns, names, dataOnDestroy } = setting;
    const { name: bucket, arn: bucketArn } = this.auditBucket;
    return new ProtectedBucket(
      "audit",
      {
        bucket,
        bucketArn,
        accountId: account.accountId,
        keyArn,
        lifecycle: AUDIT_LIFECYCLE,
        deliveries: auditDeliveries({ account, arns, bucketArn, trailArn: arns.trail(names.trail) }),
        logs: { ...this.accessLogs, prefix: "audit" },
        dataOnDestroy,
        tags: this.tags,
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
        s3KeyPrefix: AUDIT_PREFIX.trail,
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
