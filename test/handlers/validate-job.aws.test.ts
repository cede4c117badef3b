import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { CreateProcessingJobCommandInput } from "@aws-sdk/client-sagemaker";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { nextBaseline } from "../../handlers/dataset/baseline-document.ts";
import { replaceBaseline } from "../../handlers/dataset/baseline-store.ts";
import { readProfile } from "../../handlers/dataset/profile-store.ts";
import { jobRequest } from "../../handlers/validate/job-request.ts";
import { runJob } from "../../handlers/validate/run-job.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import {
  bring,
  lineageGraph,
  publishedSum,
  SPECIES_DATASET,
  type Told,
  VALIDATION_IMAGE,
  verdictOf,
} from "./support/raw-objects.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const work = mkdtempSync(join(tmpdir(), "validation-job-"));

let pipeline: PipelineInAws;
let aws: AwsRecorder;

beforeAll(async () => {
  aws = await recordAws(inject("awsUrl"), lineageGraph());
  pipeline = await pipelineInAws(
    aSpec({
      dataset: SPECIES_DATASET,
    }),
  );
}, 120_000);

afterAll(async () => {
  await aws.close();
  expect(readdirSync(work)).toEqual([]);
  rmSync(work, { recursive: true });
});

/** What the function asks SageMaker for: its own calls are no calls of the job's role. */
const jobFor = (told: Told & { readonly size: number }): CreateProcessingJobCommandInput =>
  jobRequest(
    pipeline.environmentOf("validate"),
    { image: VALIDATION_IMAGE, tags: {} },
    {
      object: { ...told, bucket: pipeline.bucket("raw"), sequencer: "0055AED6DCD90281E5" },
      rules: {
        format: "csv",
        columns: pipeline.setting.spec.dataset.schema,
        quality: pipeline.setting.spec.dataset.quality,
        classification: "internal",
      },
      attempt: 1,
    },
  );

const surroundings = ({ Environment = {} }: CreateProcessingJobCommandInput) => ({
  ...Environment,
  AWS_ENDPOINT_URL: aws.url,
});

const argumentsOf = ({ AppSpecification }: CreateProcessingJobCommandInput) =>
  AppSpecification?.ContainerArguments ?? [];

const runHere = (job: CreateProcessingJobCommandInput) =>
  runJob(surroundings(job), argumentsOf(job), { now: () => NOW, workFolder: work });

it("does nothing twice where it is started again", async () => {
  const told = await bring(pipeline, "twice.csv", "id,species\n3,Gentoo\n");
  const job = jobFor(told);
  const before = (await publishedSum(pipeline, "RowsValidated")) ?? 0;
  expect(await runHere(job)).toBe(0);
  const verdict = await verdictOf(pipeline, "validated", told);
  expect(await runHere(job)).toBe(0);
  expect(await verdictOf(pipeline, "validated", told)).toEqual(verdict);
  expect(await publishedSum(pipeline, "RowsValidated")).toBe(before + 1);
});

it("says by its exit code that it can be tried again", async () => {
  const told = await bring(pipeline, "again.csv", "id,species\n4,Gentoo\n");
  const job = jobFor(told);
  const broken = await recordAws(aws.url, ({ method, path }) =>
    method === "PUT" && path.includes("/verdicts/")
      ? { status: 400, type: "text/xml", body: "<Error/>" }
      : undefined,
  );
  const env = { ...surroundings(job), AWS_ENDPOINT_URL: broken.url };
  expect(await runJob(env, argumentsOf(job), { now: () => NOW, workFolder: work })).toBe(1);
  await broken.close();
  expect(await runHere(job)).toBe(0);
  expect((await verdictOf(pipeline, "validated", told)).verdict.outcome).toBe("accepted");
});

it("tells of an object that is gone, which no other try would bring back", async () => {
  const told = await bring(pipeline, "gone.csv", "id,species\n5,Gentoo\n");
  const job = jobFor(told);
  await pipeline.s3.send(
    new DeleteObjectCommand({ Bucket: pipeline.bucket("raw"), Key: told.key, VersionId: told.versionId }),
  );
  expect(await runHere(job)).toBe(0);
  expect(await pipeline.takeAlerts()).toMatchObject([{ code: "data_gone", detail: { key: "gone.csv" } }]);
});

it("plays the rest of what its role is for: bad data, and a baseline", async () => {
  const first = await bring(pipeline, "first.csv", "id,species\n6,Gentoo\n7,Gentoo\n");
  await runHere(jobFor(first));
  const { destination } = await verdictOf(pipeline, "validated", first);
  const object = { key: destination.key, versionId: destination.versionId };
  const profile = (await readProfile(pipeline.s3, destination.bucket, object))!;
  const baseline = nextBaseline(undefined, [{ ...object, at: NOW.toISOString(), profile }]);
  await replaceBaseline(pipeline.s3, destination.bucket, undefined, baseline!);
  const bad = await bring(pipeline, "worse.csv", "id,species\nx,Gentoo\n");
  expect(await runHere(jobFor(bad))).toBe(0);
  expect(await pipeline.takeAlerts()).toMatchObject([{ code: "data_quarantined" }]);
});

/** What SageMaker does in the role's name before and while the program runs. */
const BY_SAGEMAKER = "SageMaker does it in the role's name";

expectExactGrants(() => pipeline.grantsOfRole("validation-job"), {
  "s3:ListBucket": "without it S3 answers 403, not 404, for what is not there",
  "s3:AbortMultipartUpload": "copies in parts are played by the function, whose code it is",
  "sagemaker:DescribeAction": "an action whose name is taken is played by the function, whose code it is",
  "ecr:BatchCheckLayerAvailability": BY_SAGEMAKER,
  "ecr:BatchGetImage": BY_SAGEMAKER,
  "ecr:GetDownloadUrlForLayer": BY_SAGEMAKER,
  "ecr:GetAuthorizationToken": BY_SAGEMAKER,
  "logs:CreateLogStream": BY_SAGEMAKER,
  "logs:DescribeLogStreams": BY_SAGEMAKER,
  "logs:PutLogEvents": BY_SAGEMAKER,
});
