import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { DataOnDestroy } from "../inputs.ts";
import { policyDocument, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";
import { kmsDenials, sseS3Denials, transportDenials } from "./bucket-policy.ts";

export type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

export interface ProtectedBucketArgs {
  /** Physical name. */
  readonly bucket: string;
  readonly bucketArn: string;
  readonly accountId: string;
  /** Customer key of the content; without it SSE-S3, for buckets that services deliver logs to. */
  readonly keyArn?: pulumi.Input<string>;
  readonly lifecycle: readonly LifecycleRule[];
  /** What may be done beyond what IAM allows: service principals that deliver logs. */
  readonly deliveries?: readonly Statement[];
  /** Where access logs and inventories go. Absent for the log bucket itself: a bucket that logs to itself never stops. */
  readonly logs?: {
    readonly bucket: pulumi.Input<string>;
    readonly bucketArn: string;
    readonly prefix: string;
  };
  readonly dataOnDestroy: DataOnDestroy;
  readonly tags: Tags;
}

/**
 * A bucket with all of its protections. Where data outlives the stack, so do they: a retained bucket without its
 * policy would be worse than none.
 */
export class ProtectedBucket extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** The bucket's name, known only once its policy is in force: what delivers to the bucket waits for it. */
  readonly guardedName: pulumi.Output<string>;

  constructor(name: string, args: ProtectedBucketArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ProtectedBucket", name, {}, opts);
    const keep = { parent: this, retainOnDelete: args.dataOnDestroy === "retain" };
    this.bucket = new aws.s3.Bucket(
      name,
      { bucket: args.bucket, forceDestroy: args.dataOnDestroy === "delete", tags: args.tags },
      keep,
    );
    const bucket = this.bucket.bucket;
    this.encrypt(name, bucket, args, keep);
    const policy = this.policy(name, bucket, args, keep);
    this.guardedName = policy.bucket;

    new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { bucket, versioningConfiguration: { status: "Enabled" } },
      keep,
    );
    new aws.s3.BucketPublicAccessBlock(
      `${name}-public-access`,
      {
        bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      keep,
    );
    new aws.s3.BucketOwnershipControls(
      `${name}-ownership`,
      { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      keep,
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket, rules: [...args.lifecycle, ...HOUSEKEEPING] },
      keep,
    );
    if (args.logs !== undefined) this.observe(name, bucket, args.logs, args.accountId, keep);
    this.registerOutputs({ bucket: args.bucket });
  }

  private encrypt(
    name: string,
    bucket: pulumi.Output<string>,
    { keyArn }: ProtectedBucketArgs,
    keep: pulumi.CustomResourceOptions,
  ): void {
    const rule =
      keyArn === undefined
        ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
        : {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
            bucketKeyEnabled: true,
          };
    new aws.s3.BucketServerSideEncryptionConfiguration(`${name}-encryption`, { bucket, rules: [rule] }, keep);
  }

  private policy(
    name: string,
    bucket: pulumi.Output<string>,
    { bucketArn, accountId, keyArn, deliveries = [] }: ProtectedBucketArgs,
    keep: pulumi.CustomResourceOptions,
  ): aws.s3.BucketPolicy {
    const withDenials = (encryption: readonly Statement[]) =>
      policyDocument([...transportDenials(bucketArn, accountId), ...encryption, ...deliveries]);
    const policy =
      keyArn === undefined
        ? withDenials(sseS3Denials(bucketArn))
        : pulumi.output(keyArn).apply((arn) => withDenials(kmsDenials(bucketArn, arn)));
    return new aws.s3.BucketPolicy(`${name}-policy`, { bucket, policy }, keep);
  }

  private observe(
    name: string,
    bucket: pulumi.Output<string>,
    logs: NonNullable<ProtectedBucketArgs["logs"]>,
    accountId: string,
    keep: pulumi.CustomResourceOptions,
  ): void {
    new aws.s3.BucketLogging(
      `${name}-logging`,
      {
        bucket,
        targetBucket: logs.bucket,
        targetPrefix: `access/${logs.prefix}/`,
        targetObjectKeyFormat: { partitionedPrefix: { partitionDateSource: "EventTime" } },
      },
      keep,
    );
    new aws.s3.Inventory(
      `${name}-inventory`,
      {
        bucket,
        name: "weekly",
        includedObjectVersions: "All",
        schedule: { frequency: "Weekly" },
        optionalFields: [
          "Size",
          "LastModifiedDate",
          "StorageClass",
          "EncryptionStatus",
          "BucketKeyStatus",
          "ChecksumAlgorithm",
        ],
        destination: {
          bucket: {
            // Known beforehand, but AWS wants the bucket to exist and to accept the reports.
            bucketArn: pulumi.output(logs.bucket).apply(() => logs.bucketArn),
            accountId,
            format: "Parquet",
            prefix: `inventory/${logs.prefix}`,
            encryption: { sseS3: {} },
          },
        },
      },
      keep,
    );
  }
}

/** Old versions, delete markers and abandoned uploads are billed and seen by nobody. */
const HOUSEKEEPING: readonly LifecycleRule[] = [
  {
    id: "abort-multipart-uploads",
    status: "Enabled",
    filter: { prefix: "" },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
  },
  {
    id: "expire-noncurrent-versions",
    status: "Enabled",
    filter: { prefix: "" },
    noncurrentVersionExpiration: { noncurrentDays: 30 },
  },
  {
    id: "remove-delete-markers",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { expiredObjectDeleteMarker: true },
  },
];
