import type * as pulumi from "@pulumi/pulumi";
import { quarantineDenial } from "../containment.ts";
import { fromKinds } from "../from-kinds.ts";
import { lifecycleOf, logLifecycle } from "../lifecycle.ts";
import { type BucketKind, DATA_BUCKETS } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { servingLogDeliveries } from "../serving/log-deliveries.ts";
import type { Tags } from "../tags.ts";
import { s3LogDelivery } from "./bucket-policy.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import { ProtectedBucket } from "./protected-bucket.ts";

export type PipelineBuckets = Readonly<Record<BucketKind, ProtectedBucket>>;

/** The six data buckets and the one that takes their access logs and inventories. */
export function pipelineBuckets(
  setting: PipelineSetting,
  keys: PipelineKeys,
  tags: Tags,
  parent: pulumi.Resource,
): PipelineBuckets {
  const { account, arns, names, spec, dataOnDestroy } = setting;
  const { retention } = spec.dataset;
  const described = (kind: BucketKind) => ({
    bucket: names.bucket(kind),
    bucketArn: arns.bucket(names.bucket(kind)),
    accountId: account.accountId,
    dataOnDestroy,
    tags,
  });
  const accessLogs = new ProtectedBucket(
    "access-logs",
    {
      ...described("access-logs"),
      lifecycle: logLifecycle(retention),
      deliveries: [
        ...s3LogDelivery(
          described("access-logs").bucketArn,
          account.accountId,
          DATA_BUCKETS.map((kind) => described(kind).bucketArn),
        ),
        ...servingLogDeliveries(setting),
      ],
    },
    { parent },
  );
  const dataBuckets = fromKinds(
    DATA_BUCKETS,
    (kind) =>
      new ProtectedBucket(
        kind,
        {
          ...described(kind),
          keyArn: kind === "models" ? keys.models.arn : keys.data.arn,
          lifecycle: lifecycleOf(kind, spec),
          // Replaced models age like other data: a rollback may want them.
          ...(kind === "models" && { keepReplacedDays: retention.expireAfterDays }),
          denials: [
            quarantineDenial(
              described(kind).bucketArn,
              (role) => arns.role(names.named(role)),
              account.roleArn,
            ),
          ],
          inventory: spec.profile === "production" ? "Daily" : "Weekly",
          logs: {
            bucket: accessLogs.guardedName,
            bucketArn: described("access-logs").bucketArn,
            prefix: kind,
          },
        },
        { parent },
      ),
  );
  return { ...dataBuckets, "access-logs": accessLogs };
}
