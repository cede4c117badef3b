import { createHash } from "node:crypto";
import type { AwsAccount } from "./inputs.ts";

export const DATA_BUCKETS = ["raw", "quarantine", "validated", "features", "models", "predictions"] as const;
export type DataBucket = (typeof DATA_BUCKETS)[number];
export const BUCKETS = [...DATA_BUCKETS, "access-logs"] as const;
export type BucketKind = (typeof BUCKETS)[number];

export const KEY_PURPOSES = ["data", "models", "logs", "signing"] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** Keys of replicas and of backups: none of a pipeline's purposes, whose loss they are for. */
const RECOVERY_KEYS = ["replicas", "backups"] as const;
export type RecoveryKey = (typeof RECOVERY_KEYS)[number];

export const LOG_GROUPS = ["cicd"] as const;
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
    jobPrefix: (step: "process" | "train" | "evaluate" | "validate") => `aidlc-${hash}-${step}`,
    hash,
    /** Where AWS allows no more than 32 characters: load balancers and target groups; `part` has at most 17. */
    short: (part: string) => `aidlc-${hash}-${part}`,
    /**
     * The CodePipeline. It keeps its artifacts below the first 20 characters of its name, in a bucket that all pipelines
     * of the account share, so the hash must be among them.
     */
    delivery: `aidlc-${hash}-delivery`,
    artifactPrefix: `aidlc-${hash}-`,
    /** In the account's bucket for artifacts. */
    sourceKey: `${path}/source.zip`,
    bucket: (kind: BucketKind) => `aidlc-${kind}-${stem}-${hash}`,
    keyAlias: (purpose: KeyPurpose | "edge-logs") => `alias/aidlc/${path}/${purpose}`,
    /** Of a bucket's replica: bucket names are the whole world's, so its region is in the hash. */
    replicaBucket: (kind: BucketKind, region: string) =>
      `aidlc-${kind}-${stem}-${shortHash(account.accountId, account.region, team, pipeline, region)}`,
    recoveryKeyAlias: (kind: RecoveryKey) => `alias/aidlc/${path}/${kind}`,
    /** Of the pipeline's repositories, followed by a slash and their kind. */
    repositories: `aidlc/${path}`,
    repository: (kind: RepositoryKind) => `aidlc/${path}/${kind}`,
    /** `kind` is a function, one of LOG_GROUPS, or "*". */
    logGroup: (kind: string) => `/aidlc/${path}/${kind}`,
    /**
     * Of services that deliver their logs through CloudWatch's own resource policy, which has no room for more names
     * than these (https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
     */
    vendedLogGroup: (kind: string) => `/aws/vendedlogs/aidlc/${path}/${kind}`,
    parameter: (name: string) => `/aidlc/${path}/${name}`,
    secret: `aidlc/${path}`,
    /** Glue names it after the role and the security configuration of the crawler. */
    crawlerLogGroup: `/aws-glue/crawlers-role/${named("etl")}-${named("etl")}`,
    /** Glue and Athena take no hyphens in databases and tables. */
    database: prefix.replaceAll("-", "_"),
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
    artifactsBucket: `aidlc-artifacts-${accountId}-${region}`,
    artifactsKeyAlias: "alias/aidlc/foundation/artifacts",
    trail: `aidlc-${region}`,
    boundary: `aidlc-boundary-${region}`,
    network: `aidlc-${region}`,
    configRecorder: `aidlc-${region}`,
    configRule: (rule: string) => `aidlc-${rule}`,
    accessAnalyzer: "aidlc-external-access",
    apiGatewayRole: `aidlc-apigateway-logs-${region}`,
    /** The region is the account's: layers are regional, and their names need no region. */
    dataLayer: "aidlc-duckdb",
    processingLogGroup: "/aws/sagemaker/ProcessingJobs",
    trainingLogGroup: "/aws/sagemaker/TrainingJobs",
  };
}
