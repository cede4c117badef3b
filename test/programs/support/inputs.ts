import type { FoundationOutputs, PipelineInput, Release } from "../../../programs/inputs.ts";
import { pipelineNames } from "../../../programs/names.ts";
import type { SERVING_MODES } from "../../../programs/spec/serving.ts";
import { type PipelineSpec, parseSpec } from "../../../programs/spec.ts";

type ServingMode = (typeof SERVING_MODES)[number];

export const ACCOUNT = { accountId: "111122223333", region: "eu-west-1" } as const;

export const FOUNDATION: FoundationOutputs = {
  ...ACCOUNT,
  profile: "learning",
  network: {
    vpcId: "vpc-0aaaaaaaaaaaaaaaa",
    cidr: "10.64.0.0/16",
    subnetIds: ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
    privateSubnetIds: [],
    s3PrefixListId: "pl-6da54004",
  },
  permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/aidlc/aidlc-boundary-eu-west-1",
  trailArn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/aidlc-eu-west-1",
  auditBucket: {
    name: "aidlc-audit-111122223333-eu-west-1",
    arn: "arn:aws:s3:::aidlc-audit-111122223333-eu-west-1",
  },
  auditKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0f0e0d0c-0b0a-4908-8706-050403020100",
  artifacts: {
    bucket: {
      name: "aidlc-artifacts-111122223333-eu-west-1",
      arn: "arn:aws:s3:::aidlc-artifacts-111122223333-eu-west-1",
    },
    keyArn: "arn:aws:kms:eu-west-1:111122223333:key/0f0e0d0c-0b0a-4908-8706-050403020101",
  },
  dataLayerArn: "arn:aws:lambda:eu-west-1:111122223333:layer:aidlc-duckdb:1",
  jobLogGroups: { processing: "/aws/sagemaker/ProcessingJobs", training: "/aws/sagemaker/TrainingJobs" },
};

/** A foundation that production pipelines can stand on. */
export const PRODUCTION_FOUNDATION: FoundationOutputs = {
  ...FOUNDATION,
  profile: "production",
  network: {
    ...FOUNDATION.network,
    privateSubnetIds: ["subnet-0cccccccccccccccc", "subnet-0dddddddddddddddd"],
    endpointSecurityGroupId: "sg-0eeeeeeeeeeeeeeee",
  },
};

export const MINIMAL_SPEC = {
  apiVersion: "aidlc/v1",
  account: "main",
  owner: "ada@example.com",
  dataClassification: "internal",
  dataset: { format: "csv", schema: [{ name: "species", type: "string" }] },
  training: { qualityGate: { metric: "accuracy", threshold: 0.9 } },
} as const;

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merge(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) merged[key] = merge(base[key], value);
  return merged;
}

/** A valid spec with its defaults, changed at some places. */
export function aSpec(change: DeepPartial<PipelineSpec> = {}): PipelineSpec {
  return parseSpec(merge(MINIMAL_SPEC, change));
}

export function anInput(change: Partial<PipelineInput> = {}): PipelineInput {
  return {
    team: "fraud",
    pipeline: "churn",
    spec: aSpec(),
    account: ACCOUNT,
    foundation: FOUNDATION,
    ...change,
  };
}

const INTERNAL_DOMAIN = {
  name: "predictions.example.com",
  certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020102",
};

/** A production pipeline in the serving mode, with a release where one is asked for. */
export function productionInput(mode: ServingMode, { released = false } = {}): PipelineInput {
  const spec = aSpec({
    profile: "production",
    dataset: { replicaRegion: "eu-central-1" },
    serving: { mode, ...(mode === "ecs" && { internalDomain: INTERNAL_DOMAIN }) },
    alerts: { emails: ["ada@example.com"] },
    training: { schedule: "cron(0 3 * * ? *)", retrainOn: ["drift", "degradation"] },
  });
  return anInput({
    spec,
    foundation: PRODUCTION_FOUNDATION,
    ...(released && { release: aRelease(mode) }),
  });
}

/** The first released model of `anInput`'s pipeline. */
export function aRelease(mode: ServingMode): Release {
  const group = pipelineNames(anInput()).named("models");
  return {
    modelPackageArn: `arn:aws:sagemaker:eu-west-1:111122223333:model-package/${group}/1`,
    imageDigest: `sha256:${"0".repeat(64)}`,
    ...((mode === "serverless" || mode === "realtime") && {
      endpoint: { name: pipelineNames(anInput()).named("live"), variantName: "main" },
    }),
  };
}
