import { createHash } from "node:crypto";
import type { AwsAccount } from "./inputs.ts";

export const DATA_BUCKETS = ["raw", "quarantine", "validated", "features", "models", "predictions"] as const;
export type DataBucket = (typeof DATA_BUCKETS)[number];
export const BUCKETS = [...DATA_BUCKETS, "access-logs"] as const;
export type BucketKind = (typeof BUCKETS)[number];

export const KEY_PURPOSES = ["data", "models", "logs"] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

export const PIPELINE_ROLES = [
  "validation",
  "processing",
  "training",
  "orchestration",
  "inference",
  "monitoring",
  "cicd",
  "alerts",
  "schedule",
] as const;
export type PipelineRole = (typeof PIPELINE_ROLES)[number];

export const LOG_GROUPS = ["validation", "monitoring", "inference", "cicd"] as const;
export type LogGroupKind = (typeof LOG_GROUPS)[number];

export const REPOSITORIES = ["training", "inference"] as const;
export type RepositoryKind = (typeof REPOSITORIES)[number];

export interface PipelineIdentity {
  readonly account: Pick<AwsAccount, "accountId" | "region">;
  readonly team: string;
  readonly pipeline: string;
}

const HASH_LENGTH = 8;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 40 bits of SHA-256 in base32. Hashes the parts as JSON, so that ["a", "b-c"] and ["a-b", "c"] differ. */
export function shortHash(...parts: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest();
  let bits = digest.readUIntBE(0, 5);
  let text = "";
  for (let index = 0; index < HASH_LENGTH; index++) {
    text = BASE32.charAt(bits % 32) + text;
    bits = Math.floor(bits / 32);
  }
  return text;
}

const STEM_LENGTH = 32;

/** Longest part behind the prefix: 63 characters, the shortest limit (SageMaker, S3), less the 47 of the prefix. */
export const PART_LENGTH = 15;

/**
 * Physical names of a pipeline's resources: a function of account, region, team and pipeline only, so a change of
 * the spec never renames, and so replaces, anything.
 *
 * The hash stands before the part (`aidlc-<team>-<pipeline>-<hash>-<part>`): policies that grant on `<prefix>-*` then
 * never reach another pipeline whose name begins alike. Buckets put the part first (`aidlc-<part>-…-<hash>`), so that
 * one CloudTrail selector per part covers every pipeline's data buckets and leaves the log buckets out; nothing grants
 * on bucket prefixes.
 */
export function pipelineNames({ account, team, pipeline }: PipelineIdentity) {
  const hash = shortHash(account.accountId, account.region, team, pipeline);
  const stem = `${team}-${pipeline}`.slice(0, STEM_LENGTH).replace(/-$/, "");
  const prefix = `aidlc-${stem}-${hash}`;
  const path = `${team}/${pipeline}`;
  const named = (part: string) => `${prefix}-${part}`;

  return {
    /** Of every name that `named` gives, followed by a hyphen. */
    prefix,
    /** For IAM, SageMaker, SNS, SQS, EventBridge, Scheduler, Budgets and CloudWatch; `part` has at most 15 characters. */
    named,
    /** SageMaker allows 38 characters before the execution and step that it appends to a job's name. */
    jobPrefix: (step: "process" | "train" | "evaluate") => `aidlc-${hash}-${step}`,
    hash,
    bucket: (kind: BucketKind) => `aidlc-${kind}-${stem}-${hash}`,
    keyAlias: (purpose: KeyPurpose) => `alias/aidlc/${path}/${purpose}`,
    repository: (kind: RepositoryKind) => `aidlc/${path}/${kind}`,
    logGroup: (kind: LogGroupKind | "*") => `/aidlc/${path}/${kind}`,
    parameter: (name: string) => `/aidlc/${path}/${name}`,
    metricNamespace: `AIDLC/${path}`,
  };
}

export type PipelineNames = ReturnType<typeof pipelineNames>;

/** Names of the account's foundation; IAM is global, so even these carry the region. */
export function foundationNames({ accountId, region }: Pick<AwsAccount, "accountId" | "region">) {
  return {
    auditBucket: `aidlc-audit-${accountId}-${region}`,
    accessLogBucket: `aidlc-audit-access-logs-${accountId}-${region}`,
    auditKeyAlias: "alias/aidlc/foundation/audit",
    trail: `aidlc-${region}`,
    boundary: `aidlc-boundary-${region}`,
    network: `aidlc-${region}`,
    processingLogGroup: "/aws/sagemaker/ProcessingJobs",
    trainingLogGroup: "/aws/sagemaker/TrainingJobs",
  };
}
