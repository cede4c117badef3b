import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectTaggingCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { CreateProcessingJobCommandInput } from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createHandler } from "../../handlers/validate/handler.ts";
import { bundleJobs } from "../../scripts/handlers/main.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { crashingParquet, DELTA_COLUMNS, deltaParquet } from "./support/delta-parquet.ts";
import { lambdaContext, sqsEvent } from "./support/lambda-events.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import {
  bring,
  jobNamesOnce,
  lineageGraph,
  notification,
  publishedSum,
  SPECIES_DATASET,
  type Told,
  VALIDATION_IMAGE,
  verdictOf,
} from "./support/raw-objects.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const work = mkdtempSync(join(tmpdir(), "validation-process-"));

let pipeline: PipelineInAws;
let aws: AwsRecorder;
const programs = mkdtempSync(join(tmpdir(), "validation-program-"));

beforeAll(async () => {
  const [lineage, jobs] = [lineageGraph(), jobNamesOnce()];
  aws = await recordAws(inject("awsUrl"), (request) => lineage(request) ?? jobs(request));
  pipeline = await pipelineInAws(
    aSpec({
      dataset: SPECIES_DATASET,
    }),
  );
  await bundleJobs(programs);
}, 120_000);

afterAll(async () => {
  await aws.close();
  expect(readdirSync(work)).toEqual([]);
  for (const folder of [work, programs]) rmSync(folder, { recursive: true });
});

const aHandler = (maxBytes: number, of = pipeline) =>
  createHandler(
    { ...of.environmentOf("validate"), AWS_ENDPOINT_URL: aws.url },
    { now: () => NOW, workFolder: work, maxBytes },
  );

/** What the function asks SageMaker for, about an object that is too large for it. */
async function handedOver(told: Told, of = pipeline): Promise<CreateProcessingJobCommandInput> {
  const before = aws.requests.length;
  const event = sqsEvent("ingest", [{ Records: [notification(of, told)] }]);
  expect(await aHandler(10, of)(event, lambdaContext())).toEqual({ batchItemFailures: [] });
  const asked = aws.requests.slice(before).find(({ target }) => target === "SageMaker.CreateProcessingJob");
  return JSON.parse(asked?.body ?? "");
}

const surroundings = ({ Environment = {} }: CreateProcessingJobCommandInput) => ({
  ...Environment,
  AWS_ENDPOINT_URL: aws.url,
});

const argumentsOf = ({ AppSpecification }: CreateProcessingJobCommandInput) =>
  AppSpecification?.ContainerArguments ?? [];

/** The job's program in a process of its own, with what SageMaker gives a container and nothing else. */
async function runAlone(job: CreateProcessingJobCommandInput) {
  const child = spawn(process.execPath, [join(programs, "validate", "job.js"), ...argumentsOf(job)], {
    env: {
      ...surroundings(job),
      AWS_ACCESS_KEY_ID: "testing",
      AWS_SECRET_ACCESS_KEY: "testing",
      NODE_PATH: join(import.meta.dirname, "../../node_modules"),
      TMPDIR: work,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(String(chunk)));
  const [code] = await once(child, "close");
  return { code, output: output.join("") };
}

async function copyOf(kind: "validated" | "quarantine", key: string) {
  const place = { Bucket: pipeline.bucket(kind), Key: key };
  const { Metadata } = await pipeline.s3.send(new HeadObjectCommand(place));
  const { TagSet = [] } = await pipeline.s3.send(new GetObjectTaggingCommand(place));
  return {
    content: String(await pipeline.read(kind, key)),
    metadata: Metadata ?? {},
    tags: Object.fromEntries(TagSet.map(({ Key = "", Value }) => [Key, Value])),
  };
}

const manifest = async () =>
  JSON.parse(String(await pipeline.read("validated", "manifests/training.manifest")));

/** Without what differs between any two runs and any two objects. */
const comparable = ({ verdict }: { verdict: Record<string, unknown> }) => ({ ...verdict, checkedAt: "" });

it("comes in a process of its own to the verdict and the copy that the function comes to", async () => {
  const content = "id,species\n1,Adelie\n2,Gentoo\n";
  const byFunction = await bring(pipeline, "small.csv", content);
  const event = sqsEvent("ingest", [{ Records: [notification(pipeline, byFunction)] }]);
  await aHandler(1000)(event, lambdaContext());
  const byJob = await bring(pipeline, "2026/ä and + large.csv", content);
  const job = await handedOver(byJob);
  const { code, output } = await runAlone(job);
  expect(output).toContain('"outcome":"accepted"');
  expect(code).toBe(0);

  const [one, other] = [
    await verdictOf(pipeline, "validated", byFunction),
    await verdictOf(pipeline, "validated", byJob),
  ];
  expect(comparable(other)).toEqual(comparable(one));
  expect(other).toMatchObject({ run: job.ProcessingJobName, source: { versionId: byJob.versionId } });
  const copy = await copyOf("validated", `data/${byJob.key}`);
  expect(copy.content).toBe(content);
  const like = await copyOf("validated", "data/small.csv");
  expect({ ...copy.tags, run: "", "source-version": "" }).toEqual({
    ...like.tags,
    run: "",
    "source-version": "",
  });
  expect(copy.metadata).toMatchObject({ rows: "2", "source-version": byJob.versionId });
  expect(await manifest()).toContain(`data/${byJob.key}`);
  // Those of the function are in its log.
  expect(await publishedSum(pipeline, "RowsValidated")).toBe(2);
  expect(await pipeline.takeAlerts()).toEqual([]);
}, 60_000);

it("quarantines what is bad, and tells", async () => {
  const told = await bring(pipeline, "bad.csv", "id,species\n1,Adelie\n1,Gentoo\nx,Gentoo\n");
  const job = await handedOver(told);
  expect((await runAlone(job)).code).toBe(0);
  expect(await verdictOf(pipeline, "quarantine", told)).toMatchObject({
    run: job.ProcessingJobName,
    destination: { key: "rejected/bad.csv" },
    verdict: { outcome: "quarantined", rows: 3 },
  });
  expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "critical", code: "data_quarantined" }]);
  expect(await publishedSum(pipeline, "RowsQuarantined")).toBe(3);
}, 60_000);

it("has Parquet read by the program beside it, and quarantines what that dies of", async () => {
  const visits = await pipelineInAws(
    aSpec({ dataset: { format: "parquet", schema: [...DELTA_COLUMNS], validationImage: VALIDATION_IMAGE } }),
  );
  for (const [key, content, kind] of [
    ["good.parquet", deltaParquet(), "validated"],
    ["damaged.parquet", crashingParquet(), "quarantine"],
  ] as const) {
    const told = { ...(await bring(visits, key, content)), bucket: visits.bucket("raw") };
    expect((await runAlone(await handedOver(told, visits))).code).toBe(0);
    const { verdict } = await verdictOf(visits, kind, told);
    expect(verdict.reasons.map(({ code }: { code: string }) => code)).toEqual(
      kind === "validated" ? [] : ["unreadable"],
    );
  }
}, 120_000);
