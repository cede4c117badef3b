import { rangeProblem } from "./cidr.ts";
import { columnProblems } from "./column-rules.ts";
import { LOG_RETENTION_DAYS } from "./log-retention.ts";
import { scheduleProblem } from "./schedule-expression.ts";
import { algorithmProblems } from "./spec/algorithm-rules.ts";
import { approvalProblems } from "./spec/approvals.ts";
import { credentialProblems } from "./spec/credential-rules.ts";
import {
  businessMetricProblems,
  catalogProblems,
  featureStoreProblems,
  monitorProblems,
  qualityProblems,
} from "./spec/data-rules.ts";
import { featureProblems } from "./spec/feature-rules.ts";
import { lifetimeProblems } from "./spec/lifetime.ts";
import { pointer, type SpecProblem } from "./spec/problem.ts";
import { classificationProblems, frameworkProblems, profileProblems } from "./spec/protection-rules.ts";
import { publicUrlProblem } from "./spec/public-url.ts";
import { reconciliationProblems } from "./spec/reconciliation.ts";
import { servingProblems } from "./spec/serving-rules.ts";
import { notebookProblems, tuningProblems } from "./spec/training-rules.ts";
import type { PipelineSpec } from "./spec.ts";
import { RESERVED_TAG_PREFIX, TAG_LIMIT } from "./tags.ts";

export type { SpecProblem } from "./spec/problem.ts";

function* datasetProblems({ dataset }: PipelineSpec): Iterable<SpecProblem> {
  const seen = new Map<string, number>();
  for (const [index, column] of dataset.schema.entries()) {
    const at = pointer("dataset", "schema", index);
    const key = column.name.toLowerCase();
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else yield { path: `${at}/name`, message: `column "${column.name}" is already at index ${first}` };
    for (const { path, message } of columnProblems(column)) yield { path: `${at}${path}`, message };
  }
  const { archiveAfterDays, expireAfterDays } = dataset.retention;
  if (expireAfterDays <= archiveAfterDays) {
    yield {
      path: "/dataset/retention/expireAfterDays",
      message: `must be more than archiveAfterDays (${archiveAfterDays})`,
    };
  }
  if (dataset.quality.driftMethod === "ks" && dataset.quality.driftThreshold > 1) {
    yield {
      path: "/dataset/quality/driftThreshold",
      message: "must be at most 1: a Kolmogorov-Smirnov statistic is never larger",
    };
  }
}

function* trainingProblems({ training }: PipelineSpec): Iterable<SpecProblem> {
  const { spot, qualityGate, schedule, image } = training;
  if (spot.enabled && spot.maxWaitSeconds < spot.maxRunSeconds) {
    yield {
      path: "/training/spot/maxWaitSeconds",
      message: `must be at least maxRunSeconds (${spot.maxRunSeconds}), which it includes`,
    };
  }
  if (!Number.isFinite(qualityGate.threshold)) {
    yield { path: "/training/qualityGate/threshold", message: "must be a finite number" };
  }
  if (image?.endsWith(":latest")) {
    yield { path: "/training/image", message: 'must not be ":latest": name a fixed tag or a digest' };
  }
  const problem = schedule === undefined ? undefined : scheduleProblem(schedule);
  if (problem !== undefined) yield { path: "/training/schedule", message: problem };
  for (const [name, value] of Object.entries(training.hyperparameters)) {
    const path = pointer("training", "hyperparameters", name);
    if (name.length < 1 || name.length > 256) yield { path, message: "names have 1 to 256 characters" };
    if (typeof value === "number" && !Number.isFinite(value))
      yield { path, message: "must be a finite number" };
  }
}

function* tagProblems({ tags }: PipelineSpec): Iterable<SpecProblem> {
  const entries = Object.entries(tags);
  if (entries.length > TAG_LIMIT) {
    yield {
      path: "/tags",
      message: `at most ${TAG_LIMIT} tags: AWS allows 50 and the pipeline sets its own`,
    };
  }
  const seen = new Map<string, string>();
  for (const [key, value] of entries) {
    const path = pointer("tags", key);
    // The schema checks the values of a record only.
    if (key.length < 1 || key.length > 128) yield { path, message: "keys have 1 to 128 characters" };
    const lower = key.toLowerCase();
    const twin = seen.get(lower);
    // IAM compares tag keys without regard to case and refuses a role with two that differ only in it.
    if (twin !== undefined) yield { path, message: `differs from "${twin}" only in case` };
    else seen.set(lower, key);
    if (lower.startsWith("aws:") || lower.startsWith(RESERVED_TAG_PREFIX)) {
      yield { path, message: `keys that begin with "aws:" or "${RESERVED_TAG_PREFIX}" are reserved` };
    }
    if (!/^[\p{L}\p{N} _.:/=+\-@]*$/u.test(key + value)) {
      yield { path, message: "letters, digits, spaces and _ . : / = + - @ only" };
    }
  }
}

function* networkProblems({ network: { dedicated, cidr } }: PipelineSpec): Iterable<SpecProblem> {
  const path = "/network/cidr";
  if (cidr === undefined) return;
  if (!dedicated) yield { path, message: "has no effect unless network.dedicated is true" };
  const message = rangeProblem(cidr);
  if (message !== undefined) yield { path, message };
}

function* alertProblems({ alerts: { webhooks } }: PipelineSpec): Iterable<SpecProblem> {
  for (const [index, webhook] of webhooks.entries()) {
    const message = publicUrlProblem(webhook);
    if (message !== undefined) yield { path: pointer("alerts", "webhooks", index), message };
  }
}

function* monitoringProblems({ monitoring, training }: PipelineSpec): Iterable<SpecProblem> {
  if (!LOG_RETENTION_DAYS.some((days) => days === monitoring.logRetentionDays)) {
    yield {
      path: "/monitoring/logRetentionDays",
      message: `CloudWatch Logs accepts ${LOG_RETENTION_DAYS.join(", ")}, not ${monitoring.logRetentionDays}`,
    };
  }
  const trainingMinutes = Math.ceil(training.spot.maxRunSeconds / 60);
  if (monitoring.alarms.executionMinutes <= trainingMinutes) {
    yield {
      path: "/monitoring/alarms/executionMinutes",
      message: `must be more than the ${trainingMinutes} minutes that training alone may take`,
    };
  }
}

/**
 * Every breach of a rule that the schema can't express. The spec has passed the schema and has its defaults. Credentials are told
 * alone, for a message about another breach might repeat them.
 */
export function specProblems(spec: PipelineSpec): SpecProblem[] {
  const credentials = [...credentialProblems(spec)];
  if (credentials.length > 0) return credentials;
  return [
    ...datasetProblems(spec),
    ...trainingProblems(spec),
    ...tuningProblems(spec),
    ...algorithmProblems(spec),
    ...notebookProblems(spec),
    ...catalogProblems(spec),
    ...qualityProblems(spec),
    ...featureStoreProblems(spec),
    ...featureProblems(spec),
    ...servingProblems(spec),
    ...monitoringProblems(spec),
    ...monitorProblems(spec),
    ...businessMetricProblems(spec),
    ...alertProblems(spec),
    ...networkProblems(spec),
    ...tagProblems(spec),
    ...profileProblems(spec),
    ...approvalProblems(spec),
    ...lifetimeProblems(spec),
    ...reconciliationProblems(spec),
    ...classificationProblems(spec),
    ...frameworkProblems(spec),
  ];
}
