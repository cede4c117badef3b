import { IRREPLACEABLE } from "../recovery.ts";
import {
  conditionOn,
  isAllow,
  isDeny,
  type PolicyStatement,
  RESOURCE_POLICIES,
  statementsIn,
} from "./documents.ts";

import { ALWAYS, each, IN_PRODUCTION, type Policy, RECOMMENDED, throughout } from "./policy.ts";
import type { Stack, StackResource } from "./stack.ts";
import { at, list, missing, properties, text } from "./values.ts";

const BUCKET = "aws:s3/bucket:Bucket";

function bucketStatements(bucket: StackResource, stack: Stack): readonly PolicyStatement[] {
  return stack
    .referring("aws:s3/bucketPolicy:BucketPolicy", "bucket", bucket)
    .flatMap((policy) => statementsIn(policy, RESOURCE_POLICIES));
}

/** Settings of a bucket that are resources of their own. */
function settings(bucket: StackResource, stack: Stack, kind: string): readonly StackResource[] {
  return stack.referring(`aws:s3/${kind}`, "bucket", bucket);
}

/** S3 writes server access logs only to a bucket that the service itself may encrypt for, and never logs the log bucket. */
function receivesLogs(bucket: StackResource, stack: Stack): boolean {
  return stack
    .ofType("aws:s3/bucketLogging:BucketLogging")
    .some(({ properties: { targetBucket } }) => stack.refersTo(targetBucket, bucket));
}

function deniesEverybody(
  statements: readonly PolicyStatement[],
  holds: (statement: PolicyStatement) => boolean,
): boolean {
  return statements.some((statement) => isDeny(statement) && statement.everybody && holds(statement));
}

const coversAll = ({ actions }: PolicyStatement) => actions.includes("s3:*") || actions.includes("*");

function encryptionRules(bucket: StackResource, stack: Stack) {
  return settings(
    bucket,
    stack,
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  ).flatMap(({ properties: { rules } }) => list(rules));
}

const PUBLIC_ACCESS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

function openings({ properties: bag }: StackResource): string | undefined {
  const open = PUBLIC_ACCESS.filter((name) => bag[name] !== true);
  return open.length > 0 ? `${open.join(", ")} must be true` : undefined;
}

export const storagePolicies: readonly Policy[] = [
  {
    id: "s3-public-access-blocked",
    title: "Every bucket blocks public access in all four ways",
    text: "One wrong ACL or bucket policy is enough to publish training data; the block makes both without effect.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["s3-bucket-level-public-access-prohibited"],
      fsbp: ["S3.8"],
      cis: ["2.1.4"],
      nist: ["AC-3", "SC-7"],
    },
    remedy: "Give the bucket a BucketPublicAccessBlock with all four settings true",
    check: each([BUCKET], (bucket, stack) => {
      const blocks = settings(bucket, stack, "bucketPublicAccessBlock:BucketPublicAccessBlock");
      return blocks.length === 0 ? "It has no public access block" : blocks.map(openings);
    }),
  },
  {
    id: "s3-no-public-principal",
    title: "No bucket policy allows everybody anything",
    text: "A bucket policy that allows the principal * without a condition is public, whatever was meant.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited"],
      fsbp: ["S3.2", "S3.3"],
      nist: ["AC-3"],
    },
    remedy: "Name the principals, or bind the statement to this account or organisation by a condition",
    check: each(["aws:s3/bucketPolicy:BucketPolicy"], (policy) =>
      statementsIn(policy, RESOURCE_POLICIES)
        .filter((statement) => isAllow(statement) && statement.everybody && statement.conditions.length === 0)
        .map(({ sid }) => `Statement ${sid} allows everybody`),
    ),
  },
  {
    id: "s3-deny-insecure-transport",
    title: "Every bucket refuses requests without TLS",
    text: "Over plain HTTP data and signatures can be read and changed on their way.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["s3-bucket-ssl-requests-only"],
      fsbp: ["S3.5"],
      cis: ["2.1.1"],
      nist: ["SC-8", "SC-8(1)"],
    },
    remedy:
      "Add a statement to the bucket policy that denies s3:* to everybody when aws:SecureTransport is false",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !deniesEverybody(
          bucketStatements(bucket, stack),
          (statement) =>
            coversAll(statement) && conditionOn(statement, "aws:SecureTransport")?.values[0] === "false",
        ),
    ),
  },
  {
    id: "s3-deny-outdated-tls",
    title: "Every bucket refuses TLS below 1.2",
    text: "TLS 1.0 and 1.1 have known weaknesses and are refused by current standards.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SC-8", "SC-13"] },
    remedy: "Add a statement that denies s3:* to everybody when the number s3:TlsVersion is less than 1.2",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !deniesEverybody(
          bucketStatements(bucket, stack),
          (statement) =>
            coversAll(statement) && Number(conditionOn(statement, "s3:TlsVersion")?.values[0]) >= 1.2,
        ),
    ),
  },
  {
    id: "s3-encrypted-with-customer-key",
    title: "Every data bucket encrypts with a customer managed key",
    text: "Whoever may read a bucket can read its data only with the key as well, whose use is logged and can be withdrawn. A bucket that receives server access logs uses S3's own keys, because the delivery can't use another.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["s3-default-encryption-kms"],
      fsbp: ["S3.17"],
      nist: ["SC-28", "SC-28(1)", "SC-12"],
    },
    remedy: "Set the default encryption to aws:kms with the ARN of a key of the stack",
    check: each([BUCKET], (bucket, stack) => {
      const rules = encryptionRules(bucket, stack);
      if (rules.length === 0) return "It has no default encryption";
      if (receivesLogs(bucket, stack)) return undefined;
      return rules.map((rule) => {
        const byDefault = at(rule, "applyServerSideEncryptionByDefault");
        const algorithm = at(byDefault, "sseAlgorithm");
        if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse")
          return "Its default encryption is not aws:kms";
        return missing(at(byDefault, "kmsMasterKeyId")) ? "Its default encryption names no key" : undefined;
      });
    }),
  },
  {
    id: "s3-bucket-key-enabled",
    title: "Encryption by KMS uses bucket keys",
    text: "Without a bucket key every object costs a request to KMS, which is throttled and paid for.",
    phase: "infrastructure",
    severity: "low",
    levels: RECOMMENDED,
    controls: {},
    remedy: "Set bucketKeyEnabled in the bucket's encryption rule",
    check: each([BUCKET], (bucket, stack) =>
      encryptionRules(bucket, stack).map(
        (rule) =>
          at(rule, "applyServerSideEncryptionByDefault.sseAlgorithm") === "aws:kms" &&
          at(rule, "bucketKeyEnabled") !== true,
      ),
    ),
  },
  {
    id: "s3-deny-wrong-encryption",
    title: "Every bucket refuses uploads encrypted otherwise than by its own rule",
    text: "A client can ask for another algorithm or key per object, and so put data out of reach of the key's policy.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-28", "AC-3"] },
    remedy:
      "Deny s3:PutObject where s3:x-amz-server-side-encryption or its key id is given and is not the bucket's own",
    check: each([BUCKET], (bucket, stack) => {
      const statements = bucketStatements(bucket, stack);
      const denies = (key: string) =>
        deniesEverybody(
          statements,
          (statement) =>
            statement.actions.some((action) => action === "s3:PutObject" || action === "s3:*") &&
            statement.conditions.some(
              (condition) => condition.key === key && /NotEquals|NotLike/.test(condition.operator),
            ),
        );
      if (!denies("s3:x-amz-server-side-encryption")) return "Another algorithm is not denied";
      const byKms = encryptionRules(bucket, stack).some(
        (rule) => at(rule, "applyServerSideEncryptionByDefault.sseAlgorithm") === "aws:kms",
      );
      return byKms && !denies("s3:x-amz-server-side-encryption-aws-kms-key-id")
        ? "Another key is not denied"
        : undefined;
    }),
  },
  {
    id: "s3-versioning-enabled",
    title: "Every bucket keeps versions",
    text: "Lineage names object versions, and an overwritten or deleted object can be had back only from a version.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { config: ["s3-bucket-versioning-enabled"], fsbp: ["S3.14"], nist: ["CP-9", "SI-12"] },
    remedy: "Give the bucket a BucketVersioning with status Enabled",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !settings(bucket, stack, "bucketVersioning:BucketVersioning").some(
          ({ properties: bag }) => at(bag, "versioningConfiguration.status") === "Enabled",
        ),
    ),
  },
  {
    id: "s3-access-logging-enabled",
    title: "Every data bucket logs its accesses",
    text: "Who read or wrote which object must be answerable after an incident. The log bucket itself can't log.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["s3-bucket-logging-enabled"],
      fsbp: ["S3.9"],
      cis: ["3.4"],
      nist: ["AU-2", "AU-12"],
    },
    remedy: "Give the bucket a BucketLogging to the access-log bucket",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !receivesLogs(bucket, stack) && settings(bucket, stack, "bucketLogging:BucketLogging").length === 0,
    ),
  },
  {
    id: "s3-acl-disabled",
    title: "No bucket uses ACLs",
    text: "With BucketOwnerEnforced the policy alone decides, and everything belongs to the account.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["s3-bucket-acl-prohibited"], fsbp: ["S3.12"], nist: ["AC-3"] },
    remedy: "Give the bucket a BucketOwnershipControls with BucketOwnerEnforced",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !settings(bucket, stack, "bucketOwnershipControls:BucketOwnershipControls").some(
          ({ properties: bag }) => at(bag, "rule.objectOwnership") === "BucketOwnerEnforced",
        ),
    ),
  },
  {
    id: "s3-inventory-enabled",
    title: "Every data bucket has an inventory",
    text: "The inventory shows encryption and storage class of every object without listing the bucket.",
    phase: "infrastructure",
    severity: "low",
    levels: RECOMMENDED,
    controls: { nist: ["CM-8"] },
    remedy: "Give the bucket an Inventory that reports to the access-log bucket",
    check: each(
      [BUCKET],
      (bucket, stack) =>
        !receivesLogs(bucket, stack) && settings(bucket, stack, "inventory:Inventory").length === 0,
    ),
  },
  {
    id: "s3-lifecycle-configured",
    title: "Every bucket ends its objects, old versions and broken uploads",
    text: "Data that nobody may keep for ever must go by itself, and leftovers cost money for ever.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["s3-lifecycle-policy-check"], fsbp: ["S3.13"], nist: ["SI-12", "AU-11"] },
    remedy:
      "Give the bucket a lifecycle that expires objects and noncurrent versions and aborts multipart uploads",
    check: each([BUCKET], (bucket, stack) => {
      const configurations = settings(
        bucket,
        stack,
        "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      );
      const rules = configurations
        .flatMap(({ properties: bag }) => list(bag.rules))
        .filter((rule) => at(rule, "status") === "Enabled");
      const absent = [
        ["expiration", "expiration of objects"],
        ["noncurrentVersionExpiration", "expiration of noncurrent versions"],
        ["abortIncompleteMultipartUpload", "end of incomplete multipart uploads"],
      ].filter(([name = ""]) => !rules.some((rule) => Object.hasOwn(properties(rule), name)));
      return absent.length > 0 ? `It has no ${absent.map(([, what]) => what).join(", no ")}` : undefined;
    }),
  },
  {
    id: "s3-replicated-to-another-region",
    title: "Data buckets are replicated to another region",
    text: "A region can be lost or cut off; what a team can't collect again must exist in a second one.",
    phase: "infrastructure",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { config: ["s3-bucket-replication-enabled"], fsbp: ["S3.7"], nist: ["CP-6", "CP-9"] },
    remedy: "Name a replica region in the spec: dataset.replicaRegion",
    check: throughout((stack) => {
      const region = stack.ofType("pulumi:providers:aws").map(({ properties: bag }) => text(bag.region))[0];
      const primary = stack
        .ofType(BUCKET)
        // A replica has no replica of its own.
        .filter(({ properties: bag }) => bag.region === undefined || bag.region === region)
        .filter((bucket) => isIrreplaceable(bucket) && !receivesLogs(bucket, stack));
      return primary
        .filter(
          (bucket) => settings(bucket, stack, "bucketReplicationConfig:BucketReplicationConfig").length === 0,
        )
        .map((resource) => ({ resource }));
    }),
  },
  {
    id: "s3-force-destroy-disabled",
    title: "No bucket can be deleted with its objects",
    text: "With forceDestroy one wrong destroy takes the data along; only a destroy that asks for it sets it.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["CP-9", "SI-12"] },
    remedy: "Leave forceDestroy false; delete data by DELETE …?data=delete",
    check: each([BUCKET], ({ properties: bag }) => bag.forceDestroy === true),
  },
];

/** Features are computed from validated data; whatever else is not irreplaceable needs no replica either. */
const isIrreplaceable = ({ name }: StackResource): boolean => IRREPLACEABLE.some((kind) => kind === name);
