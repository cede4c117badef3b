import type { AwsAccount } from "./inputs.ts";

/** The partition that a region belongs to; China's, with service names of its own, is not supported. */
export function partitionOf(region: string): "aws" | "aws-us-gov" {
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/**
 * ARNs of resources whose names are known before they exist. Policies built from them are complete at the first
 * preview; where AWS needs an order, the program takes the real output instead.
 */
export function arnsIn({ accountId, region }: Pick<AwsAccount, "accountId" | "region">) {
  const partition = partitionOf(region);
  const regional = (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  const iam = (resource: string) => `arn:${partition}:iam::${accountId}:${resource}`;
  return {
    partition,
    regional,
    root: iam("root"),
    role: (name: string) => iam(`role/aidlc/${name}`),
    policy: (name: string) => iam(`policy/aidlc/${name}`),
    bucket: (name: string) => `arn:${partition}:s3:::${name}`,
    alarm: (name: string) => regional("cloudwatch", `alarm:${name}`),
    topic: (name: string) => regional("sns", name),
    queue: (name: string) => regional("sqs", name),
    rule: (name: string) => regional("events", `rule/${name}`),
    vault: (name: string) => regional("backup", `backup-vault:${name}`),
    logGroup: (name: string) => regional("logs", `log-group:${name}`),
    repository: (name: string) => regional("ecr", `repository/${name}`),
    function: (name: string) => regional("lambda", `function:${name}`),
    /** Secrets Manager appends a hyphen and six characters to every name. */
    secret: (name: string) => regional("secretsmanager", `secret:${name}-??????`),
    catalog: regional("glue", "catalog"),
    database: (name: string) => regional("glue", `database/${name}`),
    tables: (database: string, table = "*") => regional("glue", `table/${database}/${table}`),
    parameter: (name: string) => regional("ssm", `parameter${name}`),
    trail: (name: string) => regional("cloudtrail", `trail/${name}`),
    sagemaker: (kind: string, name: string) => regional("sagemaker", `${kind}/${name}`),
    budget: (name: string) => `arn:${partition}:budgets::${accountId}:budget/${name}`,
    budgets: `arn:${partition}:budgets::${accountId}:*`,
  };
}

export type Arns = ReturnType<typeof arnsIn>;
