import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { fromKinds } from "../from-kinds.ts";
import { lifecycleOf, logLifecycle } from "../lifecycle.ts";
import type { BucketKind } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { IRREPLACEABLE, type Irreplaceable, REPLICATION_MINUTES } from "../recovery.ts";
import type { Tags } from "../tags.ts";
import { s3LogDelivery } from "./bucket-policy.ts";
import type { PipelineBuckets } from "./pipeline-buckets.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";
import { ProtectedBucket } from "./protected-bucket.ts";
import { replicaKey } from "./recovery-keys.ts";

export interface ReplicationArgs {
  readonly setting: PipelineSetting;
  readonly region: string;
  readonly buckets: PipelineBuckets;
  readonly roles: PipelineRoles;
  readonly alarmTopicArn: pulumi.Input<string>;
  readonly tags: Tags;
}

const RULE_ID = "everything";

/**
 * Replicas of what can't be made again, in another region under a key of their own, with every protection that the sources have.
 * Objects that were there before are not copied by S3 on its own: an S3 Batch Replication job does that once.
 */
export class Replication extends pulumi.ComponentResource {
  readonly keyArn: pulumi.Output<string>;
  readonly replicas: Readonly<Record<Irreplaceable, ProtectedBucket>>;

  constructor(name: string, args: ReplicationArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Replication", name, {}, opts);
    const { setting, region, buckets, roles, tags } = args;
    this.keyArn = replicaKey(setting, region, tags, this).arn;
    this.replicas = this.replicaBuckets(args);
    for (const kind of IRREPLACEABLE) {
      new aws.s3.BucketReplicationConfig(
        `${kind}-replication`,
        {
          bucket: buckets[kind].versionedName,
          role: roles.of("replication").readyArn,
          rules: [this.rule(setting, this.replicas[kind])],
        },
        { parent: this },
      );
    }
    this.watch(args);
    this.registerOutputs({ keyArn: this.keyArn });
  }

  private replicaBuckets({
    setting,
    region,
    tags,
  }: ReplicationArgs): Readonly<Record<Irreplaceable, ProtectedBucket>> {
    const { account, arns, names, spec, dataOnDestroy } = setting;
    const { retention } = spec.dataset;
    const described = (kind: BucketKind) => ({
      bucket: names.replicaBucket(kind, region),
      bucketArn: arns.bucket(names.replicaBucket(kind, region)),
      region,
      accountId: account.accountId,
      dataOnDestroy,
      tags,
    });
    const logs = described("access-logs");
    // S3 delivers access logs and inventories within a region only.
    const accessLogs = new ProtectedBucket(
      "access-logs-replica",
      {
        ...logs,
        lifecycle: logLifecycle(retention),
        deliveries: s3LogDelivery(
          logs.bucketArn,
          account.accountId,
          IRREPLACEABLE.map((kind) => described(kind).bucketArn),
        ),
      },
      { parent: this },
    );
    return fromKinds(
      IRREPLACEABLE,
      (kind) =>
        new ProtectedBucket(
          `${kind}-replica`,
          {
            ...described(kind),
            keyArn: this.keyArn,
            // S3 replicates objects and deletions, but nothing that a lifecycle did.
            lifecycle: lifecycleOf(kind, spec),
            logs: { bucket: accessLogs.guardedName, bucketArn: logs.bucketArn, prefix: kind },
          },
          { parent: this },
        ),
    );
  }

  private rule(
    { arns, spec }: PipelineSetting,
    replica: ProtectedBucket,
  ): aws.types.input.s3.BucketReplicationConfigRule {
    const time = { status: "Enabled", time: { minutes: REPLICATION_MINUTES } };
    return {
      id: RULE_ID,
      status: "Enabled",
      priority: 0,
      filter: { prefix: "" },
      deleteMarkerReplication: { status: "Enabled" },
      sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
      destination: {
        bucket: replica.versionedName.apply(arns.bucket),
        encryptionConfiguration: { replicaKmsKeyId: this.keyArn },
        // The promise of a quarter of an hour is paid by the gigabyte; without it S3 takes no threshold.
        ...(spec.profile === "production"
          ? { replicationTime: time, metrics: { status: "Enabled", eventThreshold: time.time } }
          : { metrics: { status: "Enabled" } }),
      },
    };
  }

  /** S3 counts failures in the region of the source, and tells how late replicas are in theirs. */
  private watch({ setting, region, alarmTopicArn, tags }: ReplicationArgs): void {
    const { names, team, pipeline } = setting;
    const id = (kind: Irreplaceable) => `failed_${kind}`;
    new aws.cloudwatch.MetricAlarm(
      "replica-failed",
      {
        name: names.named("replica-failed"),
        alarmDescription: `Objects of ${team}/${pipeline} could not be replicated to ${region}`,
        metricQueries: [
          ...IRREPLACEABLE.map((kind) => ({
            id: id(kind),
            metric: {
              namespace: "AWS/S3",
              metricName: "OperationsFailedReplication",
              dimensions: {
                SourceBucket: names.bucket(kind),
                DestinationBucket: names.replicaBucket(kind, region),
                RuleId: RULE_ID,
              },
              stat: "Sum",
              period: 300,
            },
            returnData: false,
          })),
          {
            id: "failed",
            expression: `SUM([${IRREPLACEABLE.map((kind) => `FILL(${id(kind)}, 0)`).join(", ")}])`,
            label: "Failed operations",
            returnData: true,
          },
        ],
        comparisonOperator: "GreaterThanThreshold",
        threshold: 0,
        evaluationPeriods: 1,
        treatMissingData: "notBreaching",
        alarmActions: [alarmTopicArn],
        okActions: [alarmTopicArn],
        tags,
      },
      { parent: this },
    );
  }
}
