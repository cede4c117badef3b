import type { LifecycleRule } from "./components/protected-bucket.ts";
import type { DataBucket } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX } from "./storage-layout.ts";

type Retention = PipelineSpec["dataset"]["retention"];

/** GLACIER is cheapest to keep and takes hours to restore; what is in GLACIER_IR is read at once, as if it were not archived. */
type Archive = "GLACIER" | "GLACIER_IR";

/**
 * Whatever its age, somebody reads it without a restore: trainings, fits and the compaction accepted data, queries of the catalog
 * what is compacted, jobs their feature sets, monitors captures, labels and what a model answered first. One class for all of a bucket:
 * of rules that overlap S3 takes the cheaper class, so nothing could be excepted from a colder one.
 */
const READ_AT_ONCE: readonly DataBucket[] = ["validated", "features", "predictions"];

const archiveOf = (bucket: DataBucket): Archive => (READ_AT_ONCE.includes(bucket) ? "GLACIER_IR" : "GLACIER");

function archiveAndExpire(
  prefix: string,
  storageClass: Archive,
  { archiveAfterDays, expireAfterDays }: Retention,
): LifecycleRule {
  return {
    id: "archive-and-expire",
    status: "Enabled",
    filter: { prefix },
    transitions: [{ days: archiveAfterDays, storageClass }],
    expiration: { days: expireAfterDays },
  };
}

/**
 * Current model artifacts are neither archived nor expired: the registry refers to them and a rollback must find them
 * at once. What a newer version replaced ages like other data; checkpoints serve one training job.
 */
function modelRules({ archiveAfterDays }: Retention): LifecycleRule[] {
  return [
    {
      id: "archive-replaced-artifacts",
      status: "Enabled",
      filter: { prefix: PREFIX.artifacts },
      noncurrentVersionTransitions: [{ noncurrentDays: archiveAfterDays, storageClass: "GLACIER" }],
    },
    {
      id: "expire-checkpoints",
      status: "Enabled",
      filter: { prefix: PREFIX.checkpoints },
      expiration: { days: 14 },
      noncurrentVersionExpiration: { noncurrentDays: 7 },
    },
  ];
}

/** An execution's manifest outlives what it lists by nothing. Never archived: a step that is tried again reads it at once. */
const executionManifestRule = ({ expireAfterDays }: Retention): LifecycleRule => ({
  id: "expire-execution-manifests",
  status: "Enabled",
  filter: { prefix: PREFIX.executionManifests },
  expiration: { days: expireAfterDays },
});

/** Captured requests are people's data and serve the monitors only, so they may go sooner than predictions do. */
const captureRule = ({ retentionDays }: PipelineSpec["monitoring"]["capture"]): LifecycleRule => ({
  id: "expire-captures",
  status: "Enabled",
  filter: { prefix: PREFIX.captures },
  expiration: { days: retentionDays },
});

/** Lifecycle of a data bucket; rules that every bucket has are the bucket component's. */
export function lifecycleOf(bucket: DataBucket, { dataset, monitoring }: PipelineSpec): LifecycleRule[] {
  const { retention } = dataset;
  if (bucket === "models") return modelRules(retention);
  const archive = archiveOf(bucket);
  // Manifests and baselines stand beside the accepted data and neither age nor expire with it.
  if (bucket === "validated") {
    return [archiveAndExpire(PREFIX.acceptedData, archive, retention), executionManifestRule(retention)];
  }
  const rules = [archiveAndExpire("", archive, retention)];
  return bucket === "predictions" ? [...rules, captureRule(monitoring.capture)] : rules;
}

export const logLifecycle = (retention: Retention): LifecycleRule[] => [
  archiveAndExpire("", "GLACIER", retention),
];
