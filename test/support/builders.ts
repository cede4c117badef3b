import { randomBytes } from "node:crypto";

/** A document that isn't parsed yet: a test bends it into what it needs. */
// biome-ignore lint/suspicious/noExplicitAny: documents of tests are wrong on purpose, in any way there is
export type Document = any;

/** The smallest useful spec: two columns, a quality gate, everything else by default. */
export function validSpec(change: (spec: Document) => void = () => {}): Document {
  const spec = {
    apiVersion: "aidlc/v1",
    account: "main",
    owner: "ada@example.com",
    dataClassification: "internal",
    dataset: {
      format: "csv",
      schema: [
        { name: "age", type: "integer", min: 0, max: 120 },
        { name: "label", type: "string", nullable: true, enum: ["yes", "no"] },
      ],
    },
    training: { qualityGate: { metric: "auc", threshold: 0.8 } },
  };
  change(spec);
  return spec;
}

export function awsAccount(change: Document = {}): Document {
  return {
    accountId: "111122223333",
    region: "eu-central-1",
    roleArn: "arn:aws:iam::111122223333:role/aidlc-provisioner",
    ...change,
  };
}

/** What a provisioned foundation hands to pipelines. */
export function foundationOutputs(
  accountId = "111122223333",
  region = "eu-central-1",
  profile: "learning" | "production" = "learning",
) {
  const artifacts = `aidlc-artifacts-${accountId}-${region}`;
  return {
    accountId,
    region,
    profile,
    network: {
      vpcId: "vpc-1",
      cidr: "10.64.0.0/16",
      subnetIds: ["subnet-1"],
      privateSubnetIds: profile === "production" ? ["subnet-2", "subnet-3"] : [],
      s3PrefixListId: "pl-1",
    },
    permissionsBoundaryArn: `arn:aws:iam::${accountId}:policy/aidlc-boundary-${region}`,
    trailArn: `arn:aws:cloudtrail:${region}:${accountId}:trail/aidlc-${region}`,
    auditBucket: { name: `aidlc-audit-${accountId}-${region}`, arn: `arn:aws:s3:::aidlc-audit-${accountId}` },
    auditKeyArn: `arn:aws:kms:${region}:${accountId}:key/1`,
    artifacts: {
      bucket: { name: artifacts, arn: `arn:aws:s3:::${artifacts}` },
      keyArn: `arn:aws:kms:${region}:${accountId}:key/2`,
    },
    dataLayerArn: `arn:aws:lambda:${region}:${accountId}:layer:aidlc-duckdb:1`,
    jobLogGroups: { processing: "/aws/sagemaker/ProcessingJobs", training: "/aws/sagemaker/TrainingJobs" },
  };
}

/** A name that no other test of the file uses. */
export function uniqueName(stem: string): string {
  return `${stem}-${randomBytes(4).toString("hex").replace(/^\d/, "a")}`;
}
