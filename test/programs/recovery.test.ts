import { beforeAll, describe, expect, it, vi } from "vitest";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Statement } from "../../programs/policy-document.ts";
import { IRREPLACEABLE } from "../../programs/recovery.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import { awsResources, ofType, type Run, resource, runProgram } from "./support/run-program.ts";

// Each run of a whole production pipeline takes a while on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const REGION = "eu-central-1";

const production = (change: Parameters<typeof aSpec>[0] = {}) =>
  aSpec({
    profile: "production",
    dataset: { replicaRegion: REGION },
    alerts: { emails: ["ada@example.com"] },
    ...change,
  });

const run = (spec = production(), rest: Partial<Parameters<typeof anInput>[0]> = {}) =>
  runProgram(pipelineProgram(anInput({ spec, foundation: PRODUCTION_FOUNDATION, ...rest })));

const statements = (document: unknown) =>
  (JSON.parse(String(document)) as { readonly Statement: readonly Statement[] }).Statement;

describe("replicas", () => {
  let found: Run;
  beforeAll(async () => {
    found = await run();
  });

  it.each(IRREPLACEABLE)("%s has one in the replica region, under the key of that region", (kind) => {
    const replica = names.replicaBucket(kind, REGION);
    expect(resource(found, "s3/bucket:Bucket", `${kind}-replica`).inputs).toMatchObject({
      bucket: replica,
      region: REGION,
    });
    const { inputs } = resource(
      found,
      "s3/bucketReplicationConfig:BucketReplicationConfig",
      `${kind}-replication`,
    );
    expect(inputs).toMatchObject({ bucket: names.bucket(kind), role: "arn:aws:test:::replication-role" });
    expect(inputs.rules).toEqual([
      expect.objectContaining({
        status: "Enabled",
        filter: { prefix: "" },
        deleteMarkerReplication: { status: "Enabled" },
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
        destination: expect.objectContaining({
          bucket: `arn:aws:s3:::${replica}`,
          encryptionConfiguration: { replicaKmsKeyId: "arn:aws:test:::replicas-key" },
          replicationTime: { status: "Enabled", time: { minutes: 15 } },
        }),
      }),
    ]);
  });

  it("have every protection that their sources have, all of them in their region", () => {
    const partsOf = (bucket: string) =>
      awsResources(found)
        .filter(({ name }) => name === bucket || name.startsWith(`${bucket}-`))
        .map(({ type, name }) => `${type} ${name.slice(bucket.length)}`);
    for (const kind of IRREPLACEABLE) {
      const own = partsOf(`${kind}-replica`);
      expect(own).toHaveLength(9);
      expect(partsOf(kind)).toEqual(expect.arrayContaining(own));
    }
    const elsewhere = awsResources(found).filter(
      ({ name, inputs }) => /-replica(-|$)|^replicas-key/.test(name) && inputs.region !== REGION,
    );
    expect(elsewhere.map(({ name }) => name)).toEqual([]);
  });

  it("log to a bucket of their own region", () => {
    for (const { inputs } of ofType(found, "s3/bucketLogging:BucketLogging")) {
      const isReplica = inputs.region === REGION;
      expect(inputs.targetBucket).toBe(
        isReplica ? names.replicaBucket("access-logs", REGION) : names.bucket("access-logs"),
      );
    }
  });

  it("are written by replication alone, and read by the team", () => {
    const { inputs } = resource(found, "kms/key:Key", "replicas-key");
    const uses = statements(inputs.policy).filter(({ Sid }) => Sid !== "Administration");
    expect(uses.map(({ Sid, Action }) => [Sid, Action])).toEqual([
      ["Replication", ["kms:Encrypt", "kms:GenerateDataKey"]],
      ["Recovery", "kms:Decrypt"],
    ]);
    expect(uses[0]?.Condition?.ArnEquals).toEqual({
      "aws:PrincipalArn": `arn:aws:iam::111122223333:role/aidlc/${names.named("replication")}`,
    });
    expect(uses[1]?.Condition?.StringEquals).toMatchObject({ "aws:PrincipalTag/aidlc:team": "fraud" });
  });

  it("replace no key: the pipeline's own ones are of one region, whatever the spec says", async () => {
    const withoutReplicas = await run(aSpec(), {});
    for (const each of [found, withoutReplicas]) {
      expect(ofType(each, "kms/key:Key").map(({ inputs }) => inputs.multiRegion)).not.toContain(true);
    }
  });

  it("are copied by a role that S3 takes for these buckets only", () => {
    const { inputs } = resource(found, "iam/role:Role", "replication-role");
    expect(statements(inputs.assumeRolePolicy)[0]?.Condition).toEqual({
      StringEqualsIfExists: { "aws:SourceAccount": "111122223333" },
      ArnLikeIfExists: { "aws:SourceArn": IRREPLACEABLE.map((kind) => `arn:aws:s3:::${names.bucket(kind)}`) },
    });
  });

  it("raise the critical alarm when one could not be made", () => {
    const { inputs } = resource(found, "cloudwatch/metricAlarm:MetricAlarm", "replica-failed");
    expect(inputs.metricQueries).toHaveLength(IRREPLACEABLE.length + 1);
    expect(inputs.alarmActions).toEqual(["arn:aws:test:::critical"]);
  });
});

describe("backups", () => {
  let found: Run;
  beforeAll(async () => {
    found = await run();
  });

  it("take what can't be made again back to any second, and are kept monthly for a year", () => {
    const { inputs } = resource(found, "backup/plan:Plan", "backups-plan");
    expect(inputs.rules).toMatchObject([
      { enableContinuousBackup: true, lifecycle: { deleteAfter: 35 } },
      { schedule: "cron(0 4 1 * ? *)", lifecycle: { deleteAfter: 365 } },
    ]);
    expect(resource(found, "backup/selection:Selection", "backups-selection").inputs.resources).toEqual(
      IRREPLACEABLE.map((kind) => `arn:aws:s3:::${names.bucket(kind)}`),
    );
  });

  it("do not outlive the data's own retention", async () => {
    const retention = { archiveAfterDays: 5, expireAfterDays: 20 };
    const short = await run(production({ dataset: { replicaRegion: REGION, retention } }));
    const rules = resource(short, "backup/plan:Plan", "backups-plan").inputs.rules;
    expect(rules).toMatchObject([{ lifecycle: { deleteAfter: 20 } }, { lifecycle: { deleteAfter: 20 } }]);
  });

  it("lie under a key of their own, behind a lock that can be lifted and a policy that denies deletion", async () => {
    const roleArn = "arn:aws:iam::111122223333:role/provision";
    const assumed = await run(production(), { account: { ...ACCOUNT, roleArn } });
    expect(resource(assumed, "backup/vault:Vault", "backups").inputs.kmsKeyArn).toBe(
      "arn:aws:test:::backups-key",
    );
    const lock = resource(assumed, "backup/vaultLockConfiguration:VaultLockConfiguration", "backups-lock");
    expect(lock.inputs).not.toHaveProperty("changeableForDays");
    const policy = resource(assumed, "backup/vaultPolicy:VaultPolicy", "backups-policy").inputs.policy;
    expect(statements(policy)).toEqual([
      expect.objectContaining({
        Effect: "Deny",
        Action: expect.arrayContaining(["backup:DeleteRecoveryPoint", "backup:DeleteBackupVault"]),
        Condition: { ArnNotEquals: { "aws:PrincipalArn": roleArn } },
      }),
    ]);
  });

  it("go with the data and stay with the data", async () => {
    const vault = async (dataOnDestroy: "retain" | "delete") =>
      resource(await run(production(), { dataOnDestroy }), "backup/vault:Vault", "backups");
    expect(await vault("retain")).toMatchObject({ retainOnDelete: true, inputs: { forceDestroy: false } });
    expect(await vault("delete")).toMatchObject({ retainOnDelete: false, inputs: { forceDestroy: true } });
  });

  it("fit AWS's names: at most fifty characters", async () => {
    const long = await run(production(), { team: "a".repeat(24), pipeline: "b".repeat(32) });
    for (const type of ["backup/vault:Vault", "backup/plan:Plan", "backup/selection:Selection"]) {
      for (const { inputs } of ofType(long, type)) expect(String(inputs.name)).toMatch(/^[\w-]{2,50}$/);
    }
  });
});

describe("recovery", () => {
  it("comes with the replica region, in either profile, and stays when the profile changes", async () => {
    const learning = await run(aSpec({ dataset: { replicaRegion: REGION } }));
    const holdsData = ({ resources }: Run) =>
      resources
        .filter(({ retainOnDelete }) => retainOnDelete)
        .map(({ type, name }) => `${type} ${name}`)
        .toSorted();
    expect(holdsData(learning)).toEqual(holdsData(await run()));
  });

  it("is none without one", async () => {
    const without = await run(aSpec());
    expect(awsResources(without).filter(({ type, name }) => /backup\/|replica/.test(type + name))).toEqual(
      [],
    );
    expect(without.outputs).not.toHaveProperty("recovery");
  });

  it("is told in the outputs", async () => {
    const { outputs } = await run();
    expect(outputs.recovery).toMatchObject({
      region: REGION,
      replicas: { models: { name: names.replicaBucket("models", REGION) } },
      replicaKeyArn: "arn:aws:test:::replicas-key",
    });
  });
});
