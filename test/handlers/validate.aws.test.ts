import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectTaggingCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ListProcessingJobsCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import type { Context, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { nextBaseline } from "../../handlers/dataset/baseline-document.ts";
import { replaceBaseline } from "../../handlers/dataset/baseline-store.ts";
import { readProfile } from "../../handlers/dataset/profile-store.ts";
import { awsClient } from "../../handlers/runtime/aws.ts";
import { createHandler } from "../../handlers/validate/handler.ts";
import { fromArguments } from "../../handlers/validate/job-request.ts";
import { PartDigests } from "../../handlers/validate/part-digests.ts";
import { CopyMismatch, copyVerified } from "../../handlers/validate/verified-copy.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { crashingParquet, DELTA_COLUMNS, deltaParquet } from "./support/delta-parquet.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import {
  bring,
  jobNamesOnce,
  lineageGraph,
  notification,
  SPECIES_DATASET,
  type Told,
  VALIDATION_IMAGE,
  verdictOf,
} from "./support/raw-objects.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const work = mkdtempSync(join(tmpdir(), "validate-"));

let pipeline: PipelineInAws;
let aws: AwsRecorder;
let flights: PipelineInAws | undefined;
let visits: PipelineInAws | undefined;
/** Without an image for jobs. */
let plain: PipelineInAws | undefined;

/** How SageMaker says that the jobs ended. */
let jobStatus: "Failed" | "Stopped" = "Failed";

beforeAll(async () => {
  const [lineage, jobs] = [lineageGraph(), jobNamesOnce()];
  aws = await recordAws(
    inject("awsUrl"),
    (request) => lineage(request) ?? jobs(request),
    ({ target }, body) =>
      target === "SageMaker.DescribeProcessingJob" ? body.replace('"Completed"', `"${jobStatus}"`) : body,
  );
  pipeline = await pipelineInAws(
    aSpec({
      dataClassification: "internal",
      dataset: SPECIES_DATASET,
      tags: { project: "penguins" },
    }),
  );
}, 120_000);

afterAll(async () => {
  await aws.close();
  expect(readdirSync(work)).toEqual([]);
  rmSync(work, { recursive: true });
});

const aHandler = (adjustments = {}) =>
  createHandler(
    { ...pipeline.environmentOf("validate"), AWS_ENDPOINT_URL: aws.url },
    { now: () => NOW, workFolder: work, ...adjustments },
  );

const context = (remainingMs = 890_000) =>
  ({
    awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    getRemainingTimeInMillis: () => remainingMs,
  }) as Context;

function messages(...bodies: unknown[]): SQSEvent {
  return {
    Records: bodies.map((body, i) => ({
      messageId: `059f36b4-87a3-44ab-83d2-66197${i.toString().padStart(7, "0")}`,
      receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: "1545082649183",
        SenderId: "AIDAIENQZJOLO23YVJ4VO",
        ApproximateFirstReceiveTimestamp: "1545082649185",
      },
      messageAttributes: {},
      md5OfBody: "098f6bcd4621d373cade4e832627b4f6",
      eventSource: "aws:sqs",
      eventSourceARN: pipeline.setting.arns.queue(pipeline.setting.names.named("ingest")),
      awsRegion: "eu-west-1",
    })),
  };
}

const about = (...told: Told[]) =>
  messages(...told.map((one) => ({ Records: [notification(pipeline, one)] })));
const nothing = { batchItemFailures: [] };

const manifest = async () =>
  JSON.parse(String(await pipeline.read("validated", "manifests/training.manifest")));

/** Metrics that were told while something ran. Powertools writes them by a console of its own. */
async function metricsDuring(run: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const told: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((line) => told.push(String(line)) > 0);
  try {
    await run();
  } finally {
    write.mockRestore();
  }
  const metrics = told.filter((line) => line.includes("CloudWatchMetrics"));
  return Object.assign({}, ...metrics.map((line) => JSON.parse(line)));
}

it("copies good data with what is known of it, and lists it for training", async () => {
  const content = "id,species\n1,Adelie\n2,Gentoo\n";
  const told = await bring(pipeline, "2026/ä and + one.csv", content);
  const metrics = await metricsDuring(async () => {
    expect(await aHandler()(about(told), context())).toEqual(nothing);
  });
  expect(metrics).toMatchObject({ RowsValidated: 2 });
  expect(String(await pipeline.read("validated", `data/${told.key}`))).toBe(content);

  const place = { Bucket: pipeline.bucket("validated"), Key: `data/${told.key}` };
  const { Metadata, VersionId = "" } = await pipeline.s3.send(new HeadObjectCommand(place));
  const sha256 = createHash("sha256").update(content).digest("hex");
  expect(Metadata).toMatchObject({
    sha256,
    "source-version": told.versionId,
    verdict: "accepted",
    rows: "2",
  });
  const { TagSet = [] } = await pipeline.s3.send(new GetObjectTaggingCommand(place));
  expect(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]))).toEqual({
    sha256,
    "source-version": told.versionId,
    schema: expect.stringMatching(/^[0-9a-f]{64}$/),
    verdict: "accepted",
    severity: "none",
    run: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
  });
  expect(await verdictOf(pipeline, "validated", told)).toMatchObject({
    source: { key: told.key, versionId: told.versionId },
    destination: { key: `data/${told.key}`, versionId: VersionId },
    verdict: { outcome: "accepted", severity: "none", rows: 2, sha256, reasons: [] },
  });
  const profile = await readProfile(pipeline.s3, place.Bucket, { key: place.Key, versionId: VersionId });
  expect(profile).toMatchObject({ rows: 2, columns: { species: { counts: { Adelie: 1, Gentoo: 1 } } } });
  expect(await manifest()).toEqual([{ prefix: `s3://${place.Bucket}/` }, `data/${told.key}`]);
  expect(await pipeline.takeAlerts()).toEqual([]);
  const calls = aws.requests.map(({ target }) => target).filter((target) => target?.startsWith("SageMaker."));
  expect(calls).toEqual([
    "SageMaker.CreateArtifact",
    "SageMaker.CreateArtifact",
    "SageMaker.CreateAction",
    "SageMaker.AddAssociation",
    "SageMaker.AddAssociation",
  ]);
});

it("quarantines bad data whole, with reasons and masked samples, and tells", async () => {
  const told = await bring(pipeline, "bad.csv", "id,species\n1,Adelie\n1,Secret Penguin 7\nx,Gentoo\n");
  const metrics = await metricsDuring(() => aHandler()(about(told), context()));
  expect(metrics).toMatchObject({ RowsQuarantined: 3 });
  expect(await pipeline.keysIn("quarantine")).toEqual(expect.arrayContaining(["rejected/bad.csv"]));
  const document = await verdictOf(pipeline, "quarantine", told);
  expect(document).toEqual(await verdictOf(pipeline, "validated", told));
  expect(document.verdict).toMatchObject({ outcome: "quarantined", severity: "critical", rows: 3 });
  expect(document.verdict.reasons).toMatchObject([
    { check: "type", code: "wrong_type", column: "id", count: 1, samples: ["a"] },
    { check: "enum", code: "not_listed", column: "species", count: 1, samples: ["Aaaaaa Aaaaaaa 9"] },
    { check: "keys", code: "duplicate_keys", count: 1 },
  ]);
  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "critical", code: "data_quarantined", detail: { key: "bad.csv", rows: 3 } },
  ]);
  expect(await manifest()).not.toContain("data/bad.csv");
});

it("does nothing twice for a message that comes twice", async () => {
  const told = await bring(pipeline, "twice.csv", "id,species\n1,Gentoo\n");
  await metricsDuring(() => aHandler()(about(told, told), context()));
  const before = await verdictOf(pipeline, "validated", told);
  const metrics = await metricsDuring(() => aHandler()(about(told), context()));
  expect(metrics).not.toHaveProperty("RowsValidated");
  expect(await verdictOf(pipeline, "validated", told)).toEqual(before);
  expect((await manifest()).filter((key: unknown) => key === "data/twice.csv")).toHaveLength(1);
});

it("takes up what was interrupted before the verdict, without another copy", async () => {
  const told = await bring(pipeline, "again.csv", "id,species\n1,Gentoo\n");
  const broken = await recordAws(aws.url, ({ method, path }) =>
    method === "PUT" && path.includes("/verdicts/")
      ? { status: 400, type: "text/xml", body: "<Error/>" }
      : undefined,
  );
  const failing = createHandler(
    { ...pipeline.environmentOf("validate"), AWS_ENDPOINT_URL: broken.url },
    { now: () => NOW, workFolder: work },
  );
  expect((await failing(about(told), context())).batchItemFailures).toHaveLength(1);
  await broken.close();
  const place = { Bucket: pipeline.bucket("validated"), Key: "data/again.csv" };
  const { VersionId } = await pipeline.s3.send(new HeadObjectCommand(place));
  expect(await aHandler()(about(told), context())).toEqual(nothing);
  expect((await verdictOf(pipeline, "validated", told)).destination.versionId).toBe(VersionId);
});

it("leaves the copy of a newer version where an older one is told of later", async () => {
  const old = await bring(pipeline, "order.csv", "id,species\n1,Gentoo\n");
  const fresh = await bring(pipeline, "order.csv", "id,species\n2,Gentoo\n");
  await aHandler()(about({ ...fresh, sequencer: "0055AED6DCD90281E6" }), context());
  await aHandler()(about({ ...old, sequencer: "0055AED6DCD90281E5" }), context());
  expect(String(await pipeline.read("validated", "data/order.csv"))).toContain("2,Gentoo");
  expect(await verdictOf(pipeline, "validated", old)).not.toHaveProperty("destination");
});

it("returns only the messages that failed, and ignores S3's test event", async () => {
  const told = await bring(pipeline, "good.csv", "id,species\n1,Gentoo\n");
  const test = { Service: "Amazon S3", Event: "s3:TestEvent", Time: "2026-03-01T11:59:00.000Z", Bucket: "b" };
  const event = messages(
    "{",
    test,
    { Records: [notification(pipeline, told)] },
    {
      Records: [notification(pipeline, { ...told, bucket: "somebody-elses" })],
    },
  );
  const { batchItemFailures } = await aHandler()(event, context());
  const ids = event.Records.map(({ messageId }) => messageId);
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([ids[0], ids[3]]);
  expect(await verdictOf(pipeline, "validated", told)).toMatchObject({ verdict: { outcome: "accepted" } });
});

it.each([
  ["empty.csv", "", "empty_file"],
  ["cut.csv", 'id,species\n1,"Gen', "quote_never_closed"],
  ["binary.csv", Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0]), "compressed"],
  ["latin.csv", Buffer.from("id,species\n1,\xe9\n", "latin1"), "not_utf8"],
])("gives %s a verdict instead of failing", async (key, content, code) => {
  const told = await bring(pipeline, key, content);
  expect(await aHandler()(about(told), context())).toEqual(nothing);
  const { verdict } = await verdictOf(pipeline, "quarantine", told);
  expect(verdict).toMatchObject({ outcome: "quarantined", reasons: [{ code }] });
  await pipeline.takeAlerts();
});

it("tells of an object that is too large, and leaves it where it is", async () => {
  plain = await pipelineInAws();
  const told = await bring(plain, "large.csv", "species\nGentoo\n");
  const handler = createHandler(plain.environmentOf("validate"), { workFolder: work, maxBytes: 10 });
  expect(await handler(messages({ Records: [notification(plain, told)] }), context())).toEqual(nothing);
  expect(await plain.takeAlerts()).toMatchObject([
    {
      severity: "critical",
      code: "data_too_large",
      remedy: expect.stringContaining("dataset.validationImage"),
    },
  ]);
  await expect(verdictOf(plain, "validated", told)).rejects.toThrow();
});

const startedJobs = () =>
  aws.requests
    .filter(({ target }) => target === "SageMaker.CreateProcessingJob")
    .map(({ body }) => JSON.parse(body));

/** Of these objects, in their order. */
const jobsFor = (key: string) =>
  startedJobs().filter(
    ({ AppSpecification }) => fromArguments(AppSpecification.ContainerArguments).key === key,
  );

/** https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html, through SQS. */
const jobEnded = (ProcessingJobName: string) =>
  messages({
    version: "0",
    id: "0a15f67d-aa23-0123-0123-01a23w89r01t",
    "detail-type": "SageMaker Processing Job State Change",
    source: "aws.sagemaker",
    account: "123456789012",
    time: "2026-03-01T13:00:00Z",
    region: "eu-west-1",
    resources: [],
    detail: { ProcessingJobName, ProcessingJobStatus: jobStatus },
  });

it("hands an object that is too large over to one processing job, however often it is told", async () => {
  const key = `2026/${"ä and + ".repeat(70)}.csv`;
  const told = await bring(pipeline, key, "id,species\n1,Gentoo\n");
  const handler = aHandler({ maxBytes: 10 });
  expect(await handler(about(told, told), context())).toEqual(nothing);
  expect(await aHandler({ maxBytes: 10 })(about(told), context())).toEqual(nothing);
  const { jobPrefix, named } = pipeline.setting.names;
  const [first, ...again] = jobsFor(key);
  expect(again.map(({ ProcessingJobName }) => ProcessingJobName)).toEqual([
    first.ProcessingJobName,
    first.ProcessingJobName,
  ]);
  expect(first).toMatchObject({
    ProcessingJobName: expect.stringMatching(new RegExp(`^${jobPrefix("validate")}-[0-9a-f]{32}-1$`)),
    AppSpecification: {
      ImageUri: VALIDATION_IMAGE,
      ContainerEntrypoint: ["node", "/opt/ml/processing/input/program/job.js"],
    },
    RoleArn: pipeline.setting.arns.role(named("validation-job")),
    ProcessingResources: { ClusterConfig: { VolumeKmsKeyId: pipeline.keys.data } },
    Tags: expect.arrayContaining([{ Key: "project", Value: "penguins" }]),
  });
  const summary = await emulatorClient(SageMakerClient, pipeline.environmentOf("validate")).send(
    new ListProcessingJobsCommand({ NameContains: first.ProcessingJobName }),
  );
  expect(summary.ProcessingJobSummaries).toHaveLength(1);
  expect(await pipeline.takeAlerts()).toEqual([]);
});

it("tells of an object that is too large for a job as well", async () => {
  const told = await bring(pipeline, "huge.csv", "id,species\n1,Gentoo\n");
  await aHandler()(about({ ...told, size: 501 * 1024 ** 3 }), context());
  expect(jobsFor("huge.csv")).toEqual([]);
  expect(await pipeline.takeAlerts()).toMatchObject([
    { code: "data_too_large", detail: { key: "huge.csv", limit: 500 * 1024 ** 3 } },
  ]);
});

it("starts the next job after one that failed, three in all, and then tells", async () => {
  const told = await bring(pipeline, "failing.csv", "id,species\n1,Gentoo\n");
  await aHandler({ maxBytes: 10 })(about(told), context());
  const [{ ProcessingJobName: first }] = jobsFor("failing.csv");
  const attempt = (number: number) => first.replace(/1$/, String(number));
  expect(await aHandler()(jobEnded(first), context())).toEqual(nothing);
  // SageMaker may tell of one change several times.
  await aHandler()(jobEnded(first), context());
  await aHandler()(jobEnded(attempt(2)), context());
  expect(new Set(jobsFor("failing.csv").map(({ ProcessingJobName }) => ProcessingJobName))).toEqual(
    new Set([first, attempt(2), attempt(3)]),
  );
  expect(await pipeline.takeAlerts()).toEqual([]);
  await aHandler()(jobEnded(attempt(3)), context());
  expect(await pipeline.takeAlerts()).toMatchObject([
    {
      severity: "critical",
      code: "validation_job_failed",
      detail: { key: "failing.csv", job: attempt(3), status: "Failed", attempts: 3 },
    },
  ]);
});

it("starts no other job after one that was stopped", async () => {
  const told = await bring(pipeline, "stopped.csv", "id,species\n1,Gentoo\n");
  await aHandler({ maxBytes: 10 })(about(told), context());
  const [{ ProcessingJobName }] = jobsFor("stopped.csv");
  jobStatus = "Stopped";
  await aHandler()(jobEnded(ProcessingJobName), context());
  jobStatus = "Failed";
  expect(jobsFor("stopped.csv")).toHaveLength(1);
  expect(await pipeline.takeAlerts()).toMatchObject([{ code: "validation_job_failed" }]);
});

it("has nothing left to do after a job that failed behind its verdict", async () => {
  const told = await bring(pipeline, "judged.csv", "id,species\n1,Gentoo\n");
  await aHandler({ maxBytes: 10 })(about(told), context());
  await aHandler()(about(told), context());
  const [{ ProcessingJobName }] = jobsFor("judged.csv");
  await aHandler()(jobEnded(ProcessingJobName), context());
  expect(jobsFor("judged.csv")).toHaveLength(1);
  expect(await pipeline.takeAlerts()).toEqual([]);
});

it("warns of accepted data that drifts from the baseline", async () => {
  const told = await bring(pipeline, "first.csv", `id,species\n${rows("Gentoo")}`);
  await aHandler()(about(told), context());
  const place = { Bucket: pipeline.bucket("validated"), Key: "data/first.csv" };
  const { VersionId = "" } = await pipeline.s3.send(new HeadObjectCommand(place));
  const object = { key: place.Key, versionId: VersionId };
  const profile = (await readProfile(pipeline.s3, place.Bucket, object))!;
  const document = nextBaseline(undefined, [{ ...object, at: NOW.toISOString(), profile }]);
  await replaceBaseline(pipeline.s3, place.Bucket, undefined, document!);
  await pipeline.takeAlerts();

  const same = await bring(pipeline, "same.csv", `id,species\n${rows("Gentoo")}`);
  const other = await bring(pipeline, "other.csv", `id,species\n${rows("Adelie")}`);
  const metrics = await metricsDuring(() => aHandler()(about(same), context()));
  expect(metrics).toMatchObject({ DriftScore: 0 });
  expect(await pipeline.takeAlerts()).toEqual([]);
  await aHandler()(about(other), context());
  expect(await pipeline.takeAlerts()).toMatchObject([
    {
      severity: "warning",
      code: "data_drifted",
      detail: { reasons: [{ check: "drift", column: "species" }] },
    },
  ]);
  expect((await verdictOf(pipeline, "validated", other)).verdict).toMatchObject({
    outcome: "accepted",
    severity: "warning",
  });
});

const rows = (species: string) => Array.from({ length: 100 }, (_, id) => `${id},${species}\n`).join("");

const MB = 1024 ** 2;

/** Of S3's real sizes an object of 5 GB would be needed: parts are as small as S3 takes them. */
it("copies a large object in parts and proves it by S3's checksum of them or by reading it", async () => {
  // The function's kind of client: the test's own isn't listened to.
  const s3 = awsClient(S3Client, pipeline.environmentOf("validate"));
  const content = Buffer.alloc(11 * MB, "0123456789abcdef");
  const digests = new PartDigests(5 * MB);
  digests.update(content.subarray(0, 3 * MB));
  digests.update(content.subarray(3 * MB));
  expect(digests.composite()).toMatch(/-3$/);
  const source = {
    bucket: pipeline.bucket("raw"),
    key: "parts.csv",
    versionId: await pipeline.put("raw", "parts.csv", content),
  };
  const request = {
    source,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    composite: digests.composite(),
    destination: { bucket: pipeline.bucket("validated"), key: "data/parts.csv" },
    metadata: {},
    tags: { verdict: "accepted" },
    sequencer: "1",
  };
  const sizes = { maxBytes: 5 * MB, partBytes: 5 * MB };
  const versionId = await copyVerified(s3, request, sizes);
  expect((await pipeline.read("validated", "data/parts.csv")).equals(content)).toBe(true);
  expect(await copyVerified(s3, request, sizes)).toBe(versionId);
  const wrong = { ...request, sha256: "0".repeat(64), composite: "x-3" };
  await expect(copyVerified(s3, wrong, sizes)).rejects.toThrow(CopyMismatch);
  const missing = {
    ...request,
    source: { ...source, key: "missing.csv" },
    destination: { ...request.destination, key: "data/missing.csv" },
  };
  await expect(copyVerified(s3, missing, sizes)).rejects.toThrow();
  expect(await pipeline.keysIn("validated", "data/missing")).toEqual([]);
});

it("reads Parquet from a file of its own, which is gone afterwards", async () => {
  flights = await pipelineInAws(
    aSpec({
      dataset: {
        format: "parquet",
        schema: [
          { name: "date", type: "timestamp", nullable: false },
          { name: "delay", type: "integer", nullable: false },
          { name: "distance", type: "integer", nullable: false },
          { name: "origin", type: "string", nullable: false, pattern: "[A-Z]{3}" },
          { name: "destination", type: "string", nullable: false, pattern: "[A-Z]{3}" },
        ],
        quality: { maxDuplicateFraction: 0.001 },
      },
    }),
  );
  const content = readFileSync("node_modules/vega-datasets/data/flights-3m.parquet");
  const versionId = await flights.put("raw", "flights.parquet", content);
  const handler = createHandler(
    { ...flights.environmentOf("validate"), AWS_ENDPOINT_URL: aws.url },
    { now: () => NOW, workFolder: work },
  );
  const told = { key: "flights.parquet", versionId, size: content.length, bucket: flights.bucket("raw") };
  const metrics = await metricsDuring(async () => {
    expect(await handler(about(told), context())).toEqual(nothing);
  });
  expect(metrics).toMatchObject({ RowsValidated: 3_000_000 });
  expect(await flights.keysIn("validated", "data/")).toEqual(["data/flights.parquet"]);
}, 120_000);

it("quarantines a Parquet file that its reader dies of, beside the others of its batch", async () => {
  visits = await pipelineInAws(aSpec({ dataset: { format: "parquet", schema: [...DELTA_COLUMNS] } }));
  const handler = createHandler(
    { ...visits.environmentOf("validate"), AWS_ENDPOINT_URL: aws.url },
    { now: () => NOW, workFolder: work },
  );
  const content = crashingParquet();
  const bucket = visits.bucket("raw");
  const told = [
    { ...(await bring(visits, "first.parquet", deltaParquet())), bucket },
    { ...(await bring(visits, "damaged.parquet", content)), bucket },
    { ...(await bring(visits, "last.parquet", deltaParquet())), bucket },
  ];
  const metrics = await metricsDuring(async () => {
    expect(await handler(about(...told), context())).toEqual(nothing);
  });
  expect(metrics).toMatchObject({ RowsValidated: [8, 8], RowsQuarantined: 1 });
  expect(await visits.keysIn("validated", "data/")).toEqual(["data/first.parquet", "data/last.parquet"]);
  expect(await visits.read("quarantine", "rejected/damaged.parquet")).toEqual(content);
  expect(await verdictOf(visits, "quarantine", told[1] as Told)).toMatchObject({
    verdict: {
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      reasons: [{ check: "structure", code: "unreadable" }],
    },
  });
  expect(await visits.takeAlerts()).toMatchObject([
    { code: "data_quarantined", detail: { key: "damaged.parquet" } },
  ]);
});

const grants = () => [pipeline, flights, visits, plain].flatMap((one) => one?.grantsOf("validate") ?? []);

expectExactGrants(grants, {
  "s3:ListBucket": "without it S3 answers 403, not 404, for a document that is not there",
});
