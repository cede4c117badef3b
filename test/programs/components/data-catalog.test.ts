import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ACCOUNT, anInput, aSpec } from "../support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const ROLE = "arn:aws:test:::etl-role";

const SPEC = aSpec({
  dataset: {
    format: "csv",
    schema: [
      { name: "Id", type: "integer", nullable: false },
      { name: "note", type: "string", nullable: true },
    ],
    catalog: { schedule: "cron(0 4 ? * MON *)" },
  },
});

describe("the data catalog", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SPEC })));
  });

  it("describes accepted data as the spec declares it", () => {
    const { inputs } = resource(run, "glue/catalogTable:CatalogTable", "accepted-table");
    expect(inputs).toMatchObject({
      databaseName: names.database,
      parameters: { classification: "csv", "skip.header.line.count": "1" },
      storageDescriptor: {
        location: `s3://${names.bucket("validated")}/data/`,
        serDeInfo: { serializationLibrary: "org.apache.hadoop.hive.serde2.OpenCSVSerde" },
        columns: [
          { name: "id", type: "bigint" },
          { name: "note", type: "string" },
        ],
      },
    });
  });

  it("has a database whose name Athena takes, however long the pipeline's is", () => {
    const { database } = pipelineNames({ account: ACCOUNT, team: "a".repeat(24), pipeline: "b".repeat(32) });
    expect(database).toMatch(/^[a-z0-9_]{1,255}$/);
    expect(names.database).toMatch(/^[a-z0-9_]{1,255}$/);
  });

  it("has a job that gives its script every argument that the script asks for", () => {
    const { inputs } = resource(run, "glue/job:Job", "compaction");
    const script = readFileSync(new URL("../../../handlers/etl/compact.py", import.meta.url), "utf8");
    const [, list = ""] = /^ARGUMENTS = \[(.*)\]$/m.exec(script) ?? [];
    const asked = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => `--${name}`);
    expect(asked).toContain("--source");
    expect(["--JOB_NAME", ...Object.keys(inputs.nonOverridableArguments as object)].toSorted()).toEqual(
      asked.toSorted(),
    );
    expect(inputs).toMatchObject({
      glueVersion: "5.0",
      roleArn: ROLE,
      command: { scriptLocation: `s3://${names.bucket("models")}/scripts/compact.py` },
      defaultArguments: { "--job-bookmark-option": "job-bookmark-enable" },
    });
  });

  it("encrypts what Glue writes with the pipeline's keys: objects, logs and bookmarks", () => {
    const { inputs } = resource(run, "glue/securityConfiguration:SecurityConfiguration", "etl-encryption");
    expect(inputs.encryptionConfiguration).toEqual({
      s3Encryption: { s3EncryptionMode: "SSE-KMS", kmsKeyArn: "arn:aws:test:::data-key" },
      cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS", kmsKeyArn: "arn:aws:test:::logs-key" },
      jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn: "arn:aws:test:::data-key" },
    });
    for (const type of ["glue/job:Job", "glue/crawler:Crawler"]) {
      expect(ofType(run, type).map(({ inputs: each }) => each.securityConfiguration)).toEqual([inputs.name]);
    }
  });

  it("lets whoever provisions encrypt the script under the models' key, and decrypt nothing", () => {
    const script = resource(run, "s3/bucketObjectv2:BucketObjectv2", "compaction-script").inputs;
    expect(script).toMatchObject({ kmsKeyId: "arn:aws:test:::models-key" });
    const { policy } = resource(run, "kms/key:Key", "models-key").inputs;
    const { Statement } = JSON.parse(String(policy));
    const uploads = Statement.find(({ Sid }: { Sid: string }) => Sid === "Uploads");
    expect(uploads).toMatchObject({
      Action: "kms:GenerateDataKey",
      Condition: {
        StringEquals: {
          "kms:EncryptionContext:aws:s3:arn": `arn:aws:s3:::${names.bucket("models")}`,
        },
      },
    });
  });

  it("compacts on schedule, then crawls, and tells when that failed", () => {
    expect(resource(run, "glue/trigger:Trigger", "compaction-schedule").inputs).toMatchObject({
      type: "SCHEDULED",
      schedule: "cron(0 4 ? * MON *)",
      actions: [{ jobName: names.named("compaction") }],
    });
    expect(resource(run, "glue/trigger:Trigger", "crawl-after-compaction").inputs).toMatchObject({
      type: "CONDITIONAL",
      predicate: { conditions: [{ jobName: names.named("compaction"), state: "SUCCEEDED" }] },
      actions: [{ crawlerName: names.named("catalog") }],
    });
    const { eventPattern } = resource(run, "cloudwatch/eventRule:EventRule", "compaction-failed").inputs;
    expect(JSON.parse(String(eventPattern)).detail.state).toContain("FAILED");
  });
});

describe("Lake Formation", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput({ spec: SPEC })));
  });

  it("lends its role's access only to who was opted in, whatever the account grants to everybody", () => {
    const locations = ofType(run, "lakeformation/resource:Resource").map(({ inputs }) => inputs);
    expect(locations.map(({ arn }) => arn).toSorted()).toEqual([
      `arn:aws:s3:::${names.bucket("features")}/compacted`,
      `arn:aws:s3:::${names.bucket("predictions")}/captures`,
      `arn:aws:s3:::${names.bucket("validated")}/data`,
    ]);
    for (const location of locations) {
      expect(location).toMatchObject({ hybridAccessEnabled: true, roleArn: "arn:aws:test:::data-lake-role" });
    }
    for (const { inputs } of ofType(run, "lakeformation/optIn:OptIn")) {
      expect(inputs.principals).toEqual([{ dataLakePrincipalIdentifier: ROLE }]);
    }
  });

  it("grants the catalog's keeper what it needs and nobody anything else", () => {
    const grants = ofType(run, "lakeformation/permissions:Permissions");
    expect(Object.fromEntries(grants.map(({ name, inputs }) => [name, inputs.permissions]))).toEqual({
      "catalog-access": ["ALTER", "CREATE_TABLE", "DESCRIBE"],
      "table-access": ["ALTER", "DESCRIBE", "INSERT", "SELECT"],
      "validated-location-access": ["DATA_LOCATION_ACCESS"],
      "features-location-access": ["DATA_LOCATION_ACCESS"],
      "predictions-location-access": ["DATA_LOCATION_ACCESS"],
    });
    expect(new Set(grants.map(({ inputs }) => inputs.principal))).toEqual(new Set([ROLE]));
  });
});
