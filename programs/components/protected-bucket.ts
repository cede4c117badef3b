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
  /** The account's own unless given. Its key, its logs and its inventories are of the same region. */
  readonly region?: string;
  readonly accountId: string;
  /** Customer key of the content; without it SSE-S3, for buckets that services deliver logs to. */
  readonly keyArn?: pulumi.Input<string>;
  readonly lifecycle: readonly LifecycleRule[];
  /** How long what was replaced or deleted can be brought back; 30 days unless given. */
  readonly keepReplacedDays?: number;
  /** What may be done beyond what IAM allows: service principals that deliver logs. */
  readonly deliveries?: readonly Statement[];
  /** What else may not be done. */
  readonly denials?: readonly Statement[];
  /** Where access logs and inventories go. Absent for the log bucket itself: a bucket that logs to itself never stops. */
  readonly logs?: {
    readonly bucket: pulumi.Input<string>;
    readonly bucketArn: string;
    readonly prefix: string;
  };
  /** How often the inventory is made; every week unless given. */
  readonly inventory?: "Daily" | "Weekly";
  readonly dataOnDestroy: DataOnDestroy;
  readonly tags: Tags;
}

/** The bucket that a protection is of. */
interface Target {
  readonly region?: string;
  readonly bucket: pulumi.Output<string>;
}

/**
 * A bucket with all of its protections. Where data outlives the stack, so do they: a retained bucket without its
 * policy would be worse than none.
 */
export class ProtectedBucket extends pulumi.ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** The bucket's name, known only once its policy is in force: what delivers to the bucket waits for it. */
  readonly guardedName: pulumi.Output<string>;
  /** The same, known only once old versions are kept: what replicates from or to the bucket waits for it. */
  readonly versionedName: pulumi.Output<string>;

  constructor(name: string, args: ProtectedBucketArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ProtectedBucket", name, {}, opts);
    const keep = { parent: this, retainOnDelete: args.dataOnDestroy === "retain" };
    const where = args.region === undefined ? {} : { region: args.region };
    this.bucket = new aws.s3.Bucket(
      name,
      { ...where, bucket: args.bucket, forceDestroy: args.dataOnDestroy === "delete", tags: args.tags },
      keep,
    );
    const target = { ...where, bucket: this.bucket.bucket };
    this.encrypt(name, target, args, keep);
    const policy = this.policy(name, target, args, keep);
    this.guardedName = policy.bucket;

    this.versionedName = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { ...target, versioningConfiguration: { status: "Enabled" } },
      keep,
    ).bucket;
    new aws.s3.BucketPublicAccessBlock(
      `${name}-public-access`,
      {
        ...target,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      keep,
    );
    new aws.s3.BucketOwnershipControls(
      `${name}-ownership`,
      { ...target, rule: { objectOwnership: "BucketOwnerEnforced" } },
      keep,
    );
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { ...target, rules: [...args.lifecycle, ...housekeeping(args.keepReplacedDays ?? 30)] },
      keep,
    );
    if (args.logs !== undefined) this.observe(name, target, args.logs, args, keep);
    this.registerOutputs({ bucket: args.bucket });
  }

  private encrypt(
    name: string,
    target: Target,
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
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      { ...target, rules: [rule] },
      keep,
    );
  }

  private policy(
    name: string,
    target: Target,
    { bucketArn, accountId, keyArn, deliveries = [], denials = [] }: ProtectedBucketArgs,
    keep: pulumi.CustomResourceOptions,
  ): aws.s3.BucketPolicy {
    const withDenials = (encryption: readonly Statement[]) =>
      policyDocument([...transportDenials(bucketArn, accountId), ...encryption, ...denials, ...deliveries]);
    const policy =
      keyArn === undefined
        ? withDenials(sseS3Denials(bucketArn))
        : pulumi.output(keyArn).apply((arn) => withDenials(kmsDenials(bucketArn, arn)));
    return new aws.s3.BucketPolicy(`${name}-policy`, { ...target, policy }, keep);
  }

  private observe(
    name: string,
    target: Target,
    logs: NonNullable<ProtectedBucketArgs["logs"]>,
    { accountId, inventory = "Weekly" }: ProtectedBucketArgs,
    keep: pulumi.CustomResourceOptions,
  ): void {
    new aws.s3.BucketLogging(
      `${name}-logging`,
      {
        ...target,
        targetBucket: logs.bucket,
        targetPrefix: `access/${logs.prefix}/`,
        targetObjectKeyFormat: { partitionedPrefix: { partitionDateSource: "EventTime" } },
      },
      keep,
    );
    new aws.s3.Inventory(
      `${name}-inventory`,
      {
        ...target,
        name: "objects",
        includedObjectVersions: "All",
        schedule: { frequency: inventory },
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
const housekeeping = (keepReplacedDays: number): readonly LifecycleRule[] => [
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
    noncurrentVersionExpiration: { noncurrentDays: keepReplacedDays },
  },
  {
    id: "remove-delete-markers",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { expiredObjectDeleteMarker: true },
  },
];
