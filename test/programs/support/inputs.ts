import type { FoundationOutputs, PipelineInput } from "../../../programs/inputs.ts";
import { type PipelineSpec, parseSpec } from "../../../programs/spec.ts";

export const ACCOUNT = { accountId: "111122223333", region: "eu-west-1" } as const;

export const FOUNDATION: FoundationOutputs = {
  ...ACCOUNT,
  network: {
    vpcId: "vpc-0aaaaaaaaaaaaaaaa",
    cidr: "10.64.0.0/16",
    subnetIds: ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
    s3PrefixListId: "pl-6da54004",
  },
  permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/aidlc/aidlc-boundary-eu-west-1",
  trailArn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/aidlc-eu-west-1",
  auditBucket: {
    name: "aidlc-audit-111122223333-eu-west-1",
    arn: "arn:aws:s3:::aidlc-audit-111122223333-eu-west-1",
  },
  auditKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0f0e0d0c-0b0a-4908-8706-050403020100",
  jobLogGroups: { processing: "/aws/sagemaker/ProcessingJobs", training: "/aws/sagemaker/TrainingJobs" },
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
