import { beforeAll, describe, expect, it } from "vitest";
import { foundationProgram } from "../../programs/foundation.ts";
import { DATA_BUCKETS, pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "./support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "./support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

interface Rule {
  readonly id: string;
  readonly filter: { readonly prefix: string };
  readonly transitions?: readonly { readonly days: number; readonly storageClass: string }[];
  readonly expiration?: { readonly days?: number; readonly expiredObjectDeleteMarker?: boolean };
  readonly noncurrentVersionExpiration?: { readonly noncurrentDays: number };
}

const lifecycle = (run: Run, bucket: string) =>
  resource(run, "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", `${bucket}-lifecycle`).inputs
    .rules as readonly Rule[];

/** What every bucket of either program has, whatever it holds. */
function expectCommonProtections(run: Run, bucket: string, physicalName: unknown): void {
  const inputs = (type: string, suffix: string) => resource(run, type, `${bucket}-${suffix}`).inputs;
  expect(inputs("s3/bucketVersioning:BucketVersioning", "versioning")).toEqual({
    bucket: physicalName,
    versioningConfiguration: { status: "Enabled" },
  });
  expect(inputs("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "public-access")).toEqual({
    bucket: physicalName,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  expect(inputs("s3/bucketOwnershipControls:BucketOwnershipControls", "ownership")).toEqual({
    bucket: physicalName,
    rule: { objectOwnership: "BucketOwnerEnforced" },
  });
  const policy = JSON.parse(String(inputs("s3/bucketPolicy:BucketPolicy", "policy").policy)) as {
    readonly Statement: readonly {
      readonly Sid: string;
      readonly Effect: string;
      readonly Condition: unknown;
    }[];
  };
  expect(policy.Statement).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        Sid: "DenyPlainHttp",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      }),
      expect.objectContaining({
        Sid: "DenyOldTls",
        Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } },
      }),
      expect.objectContaining({ Sid: "DenyWrongAlgorithm", Effect: "Deny" }),
      expect.objectContaining({ Sid: "DenyOtherAccounts", Effect: "Deny" }),
    ]),
  );
  expect(lifecycle(run, bucket).map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      "abort-multipart-uploads",
      "expire-noncurrent-versions",
      "remove-delete-markers",
    ]),
  );
}

function expectCustomerKey(run: Run, bucket: string, keyArn: string): void {
  const type = "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
  expect(resource(run, type, `${bucket}-encryption`).inputs.rules).toEqual([
    {
      applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
      bucketKeyEnabled: true,
    },
  ]);
  const policy = String(resource(run, "s3/bucketPolicy:BucketPolicy", `${bucket}-policy`).inputs.policy);
  expect(policy).toContain(`"ArnNotEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"${keyArn}"}`);
}

describe("buckets of a pipeline", () => {
  let run: Run;
  beforeAll(async () => {
    const retention = { archiveAfterDays: 30, expireAfterDays: 200 };
    run = await runProgram(pipelineProgram(anInput({ spec: aSpec({ dataset: { retention } }) })));
  });

  it.each(DATA_BUCKETS)("%s has its protections, its key, access logs and an inventory", (kind) => {
    const bucket = names.bucket(kind);
    expect(resource(run, "s3/bucket:Bucket", kind).inputs.bucket).toBe(bucket);
    expectCommonProtections(run, kind, bucket);
    expectCustomerKey(run, kind, `arn:aws:test:::${kind === "models" ? "models" : "data"}-key`);
    expect(resource(run, "s3/bucketLogging:BucketLogging", `${kind}-logging`).inputs).toMatchObject({
      bucket,
      targetBucket: names.bucket("access-logs"),
      targetPrefix: `access/${kind}/`,
    });
    expect(resource(run, "s3/inventory:Inventory", `${kind}-inventory`).inputs).toMatchObject({
      bucket,
      includedObjectVersions: "All",
      destination: {
        bucket: { bucketArn: `arn:aws:s3:::${names.bucket("access-logs")}`, encryption: { sseS3: {} } },
      },
    });
  });

  it("never deny an upload that says nothing of encryption: the bucket's default applies", () => {
    const policy = String(resource(run, "s3/bucketPolicy:BucketPolicy", "raw-policy").inputs.policy);
    const { Statement } = JSON.parse(policy) as { Statement: readonly { Sid: string; Condition: object }[] };
    const uploads = Statement.filter(({ Sid }) => /Algorithm|Key/.test(Sid));
    expect(uploads.map(({ Sid }) => Sid)).toEqual([
      "DenyWrongAlgorithm",
      "DenyWrongKey",
      "DenyManagedKey",
      "DenyCustomerProvidedKeys",
    ]);
    // Each needs some header to be there before it denies anything.
    for (const { Condition } of uploads) expect(JSON.stringify(Condition)).toMatch(/:"false"|StringEquals/);
  });

  it.each([
    ["raw", "GLACIER"],
    ["quarantine", "GLACIER"],
    ["features", "GLACIER_IR"],
    ["predictions", "GLACIER_IR"],
  ] as const)("%s archives to %s and expires everything", (kind, storageClass) => {
    expect(lifecycle(run, kind)).toContainEqual({
      id: "archive-and-expire",
      status: "Enabled",
      filter: { prefix: "" },
      transitions: [{ days: 30, storageClass }],
      expiration: { days: 200 },
    });
  });

  it("validated archives data so that trainings read it at once, and neither manifests nor baselines", () => {
    expect(lifecycle(run, "validated")).toContainEqual({
      id: "archive-and-expire",
      status: "Enabled",
      filter: { prefix: "data/" },
      transitions: [{ days: 30, storageClass: "GLACIER_IR" }],
      expiration: { days: 200 },
    });
    const transitions = lifecycle(run, "validated").flatMap(({ transitions = [] }) => transitions);
    expect(transitions).toHaveLength(1);
  });

  it.each(["validated", "features", "predictions"] as const)(
    "%s has nothing that must be restored before a job, a monitor or a query can read it",
    (kind) => {
      expect(JSON.stringify(lifecycle(run, kind))).not.toMatch(/"(GLACIER|DEEP_ARCHIVE)"/);
    },
  );

  it("validated expires the manifests of executions with the data that they list, and no other manifest", () => {
    const rules = lifecycle(run, "validated");
    const data = rules.find(({ id }) => id === "archive-and-expire");
    const ofManifests = rules.filter(({ filter, expiration }) => {
      const isOfManifests = filter.prefix.startsWith("manifests/") || "manifests/".startsWith(filter.prefix);
      return isOfManifests && expiration?.days !== undefined;
    });
    expect(ofManifests).toMatchObject([
      { filter: { prefix: "manifests/executions/" }, expiration: data?.expiration, status: "Enabled" },
    ]);
    expect(ofManifests[0]).not.toHaveProperty("transitions");
  });

  it("models archives and expires replaced artifacts only: the registry refers to current ones", () => {
    const rules = lifecycle(run, "models");
    expect(rules.filter(({ transitions }) => transitions !== undefined)).toEqual([]);
    expect(rules).toContainEqual(
      expect.objectContaining({
        filter: { prefix: "artifacts/" },
        noncurrentVersionTransitions: [{ noncurrentDays: 30, storageClass: "GLACIER" }],
      }),
    );
    // S3 obeys the shortest of the rules that an object falls under.
    const expiries = rules
      .filter(({ filter }) => "artifacts/".startsWith(filter.prefix))
      .flatMap(({ noncurrentVersionExpiration: expiry }) => expiry?.noncurrentDays ?? []);
    expect(expiries).toEqual([200]);
    const expiring = rules.filter(({ expiration }) => expiration?.days !== undefined);
    expect(expiring.map(({ filter }) => filter.prefix)).toEqual(["checkpoints/"]);
  });

  it("log buckets take SSE-S3 and deliveries for this pipeline's buckets only", () => {
    const bucket = names.bucket("access-logs");
    expectCommonProtections(run, "access-logs", bucket);
    const encryption = "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
    expect(resource(run, encryption, "access-logs-encryption").inputs.rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]);
    const policy = String(resource(run, "s3/bucketPolicy:BucketPolicy", "access-logs-policy").inputs.policy);
    const { Statement } = JSON.parse(policy) as { Statement: readonly { Sid: string; Condition: unknown }[] };
    expect(Statement.find(({ Sid }) => Sid === "AccessLogDelivery")?.Condition).toEqual({
      StringEquals: { "aws:SourceAccount": "111122223333" },
      ArnLike: { "aws:SourceArn": DATA_BUCKETS.map((kind) => `arn:aws:s3:::${names.bucket(kind)}`) },
    });
    expect(ofType(run, "s3/bucketLogging:BucketLogging").map(({ inputs }) => inputs.bucket)).not.toContain(
      bucket,
    );
  });
});

describe("buckets of a foundation", () => {
  it.each(["audit", "audit-access-logs"])("%s has its protections", async (bucket) => {
    const run = await runProgram(foundationProgram({ account: ACCOUNT }));
    expectCommonProtections(run, bucket, `aidlc-${bucket}-111122223333-eu-west-1`);
    if (bucket === "audit") expectCustomerKey(run, "audit", "arn:aws:test:::audit-key");
  });
});
