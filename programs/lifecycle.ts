import type { LifecycleRule } from "./components/protected-bucket.ts";
import type { DataBucket } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX } from "./storage-layout.ts";

type Retention = PipelineSpec["dataset"]["retention"];

function archiveAndExpire(prefix: string, { archiveAfterDays, expireAfterDays }: Retention): LifecycleRule {
  return {
    id: "archive-and-expire",
    status: "Enabled",
    filter: { prefix },
    transitions: [{ days: archiveAfterDays, storageClass: "GLACIER" }],
    expiration: { days: expireAfterDays },
  };
}

/**
 * Current model artifacts are neither archived nor expired: the registry refers to them and a rollback must find them
 * at once. What a newer version replaced ages like other data; checkpoints serve one training job.
 */
function modelRules({ archiveAfterDays, expireAfterDays }: Retention): LifecycleRule[] {
  return [
    {
      id: "archive-and-expire-replaced-artifacts",
      status: "Enabled",
      filter: { prefix: PREFIX.artifacts },
      noncurrentVersionTransitions: [{ noncurrentDays: archiveAfterDays, storageClass: "GLACIER" }],
      noncurrentVersionExpiration: { noncurrentDays: expireAfterDays },
    },
    {
      id: "expire-checkpoints",
      status: "Enabled",
      filter: { prefix: PREFIX.checkpoints },
      expiration: { days: 14 },
    },
  ];
}

/** Lifecycle of a data bucket; rules that every bucket has are the bucket component's. */
export function lifecycleOf(bucket: DataBucket, retention: Retention): LifecycleRule[] {
  if (bucket === "models") return modelRules(retention);
  // Manifests and baselines stand beside the accepted data and must stay readable.
  return [archiveAndExpire(bucket === "validated" ? PREFIX.acceptedData : "", retention)];
}

export const logLifecycle = (retention: Retention): LifecycleRule[] => [archiveAndExpire("", retention)];
