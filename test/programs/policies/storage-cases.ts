import { document, one, type PolicyCase, type PolicyCases } from "./policy-cases.ts";

const NAME = "aidlc-raw-fraud-churn";
const bucket = (properties = {}) => one("s3/bucket:Bucket", "raw", { bucket: NAME, ...properties });
const part = (kind: string, properties = {}, name = "raw-part") =>
  one(`s3/${kind}`, name, { bucket: NAME, ...properties });
const policy = (...statements: readonly object[]) =>
  part("bucketPolicy:BucketPolicy", { policy: document(...statements) });
const deny = (condition: object, action = "s3:*") => ({
  Sid: "Deny",
  Effect: "Deny",
  Principal: "*",
  Action: action,
  Resource: [`arn:aws:s3:::${NAME}`, `arn:aws:s3:::${NAME}/*`],
  Condition: condition,
});
const encryption = (byDefault: object, bucketKeyEnabled = true) =>
  part("bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
    rules: [{ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }],
  });
const byKms = { sseAlgorithm: "aws:kms", kmsMasterKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" };
const open = { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true };

const lifecycle = (...rules: readonly object[]): PolicyCase["kept"] => [
  bucket(),
  part("bucketLifecycleConfiguration:BucketLifecycleConfiguration", { rules }),
];

export const storageCases: PolicyCases = {
  "s3-public-access-blocked": {
    broken: [bucket(), part("bucketPublicAccessBlock:BucketPublicAccessBlock", open)],
    kept: [
      bucket(),
      part("bucketPublicAccessBlock:BucketPublicAccessBlock", { ...open, restrictPublicBuckets: true }),
    ],
  },
  "s3-no-public-principal": {
    broken: [policy({ Sid: "Read", Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" })],
    kept: [
      policy({
        Sid: "Read",
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:role/reader" },
        Action: "s3:GetObject",
        Resource: "*",
      }),
    ],
  },
  "s3-deny-insecure-transport": {
    broken: [bucket(), policy(deny({ Bool: { "aws:SecureTransport": "true" } }))],
    kept: [bucket(), policy(deny({ Bool: { "aws:SecureTransport": "false" } }))],
  },
  "s3-deny-outdated-tls": {
    broken: [bucket(), policy(deny({ NumericLessThan: { "s3:TlsVersion": "1.1" } }))],
    kept: [bucket(), policy(deny({ NumericLessThan: { "s3:TlsVersion": "1.2" } }))],
  },
  "s3-encrypted-with-customer-key": {
    broken: [bucket(), encryption({ sseAlgorithm: "aws:kms" })],
    kept: [bucket(), encryption(byKms)],
  },
  "s3-bucket-key-enabled": {
    broken: [bucket(), encryption(byKms, false)],
    kept: [bucket(), encryption(byKms)],
  },
  "s3-deny-wrong-encryption": {
    broken: [
      bucket(),
      encryption(byKms),
      policy(deny({ StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } }, "s3:PutObject")),
    ],
    kept: [
      bucket(),
      encryption(byKms),
      policy(
        deny({ StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } }, "s3:PutObject"),
        deny(
          { ArnNotEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": byKms.kmsMasterKeyId } },
          "s3:PutObject",
        ),
      ),
    ],
  },
  "s3-versioning-enabled": {
    broken: [
      bucket(),
      part("bucketVersioning:BucketVersioning", { versioningConfiguration: { status: "Suspended" } }),
    ],
    kept: [
      bucket(),
      part("bucketVersioning:BucketVersioning", { versioningConfiguration: { status: "Enabled" } }),
    ],
  },
  "s3-access-logging-enabled": {
    broken: [bucket()],
    kept: [
      bucket(),
      one("s3/bucket:Bucket", "access-logs", { bucket: "logs" }),
      part("bucketLogging:BucketLogging", { targetBucket: "logs" }),
    ],
  },
  "s3-acl-disabled": {
    broken: [
      bucket(),
      part("bucketOwnershipControls:BucketOwnershipControls", { rule: { objectOwnership: "ObjectWriter" } }),
    ],
    kept: [
      bucket(),
      part("bucketOwnershipControls:BucketOwnershipControls", {
        rule: { objectOwnership: "BucketOwnerEnforced" },
      }),
    ],
  },
  "s3-inventory-enabled": {
    broken: [bucket()],
    kept: [bucket(), part("inventory:Inventory", { name: "weekly" })],
  },
  "s3-lifecycle-configured": {
    broken: lifecycle({ status: "Enabled", expiration: { days: 365 } }),
    kept: lifecycle({
      status: "Enabled",
      expiration: { days: 365 },
      noncurrentVersionExpiration: { noncurrentDays: 30 },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    }),
  },
  "s3-replicated-to-another-region": {
    broken: [bucket()],
    kept: [bucket(), part("bucketReplicationConfig:BucketReplicationConfig", { rules: [] })],
  },
  "s3-force-destroy-disabled": {
    broken: [bucket({ forceDestroy: true })],
    kept: [bucket({ forceDestroy: false })],
  },
};
