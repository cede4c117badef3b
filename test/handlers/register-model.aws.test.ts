import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { sha256, withDigest } from "../../handlers/features/parameters.ts";
import type { LineageDocument } from "../../handlers/models/lineage-document.ts";
import { createHandler } from "../../handlers/register-model/handler.ts";
import { executionManifest, TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { json, jsonError } from "./support/aws-answers.ts";
import { callsDuring, expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { modelPackageEvent, type Registry, registryOf } from "./support/registered-model.ts";
import { answersOfTraining, type TrainedModel, train } from "./support/trained-model.ts";

let pipeline: PipelineInAws;
let registry: Registry;
let aws: AwsRecorder;
let handler: ReturnType<typeof createHandler>;
const digests: Record<string, string> = {};

/** What the server in front of the emulator answers instead of it, by target. */
const instead = new Map<string, () => ReturnType<typeof json>>();
let steps: TrainedModel["steps"] = [];

beforeAll(async () => {
  pipeline = await pipelineInAws();
  registry = await registryOf(pipeline);
  digests.training = await registry.pushImage("training", "1", "trains");
  digests.inference = await registry.pushImage("inference", "1", "serves");
  const answers = answersOfTraining(() => steps);
  aws = await recordAws(
    inject("awsUrl"),
    (request) => instead.get(request.target ?? "")?.() ?? answers(request),
  );
  handler = createHandler({ ...pipeline.environmentOf("register-model"), AWS_ENDPOINT_URL: aws.url });
});

afterAll(() => aws.close());

const documentOf = async (version: number): Promise<LineageDocument> =>
  JSON.parse((await pipeline.read("models", `lineage/${version}.json`)).toString());

/** Features as they were fitted to what a manifest lists. */
async function putTransform(manifest: string): Promise<string> {
  const transform = withDigest({
    version: 1,
    declaration: sha256("declaration"),
    data: { sha256: sha256(manifest), rows: 2 },
    target: "species",
    inputs: [],
    derive: [],
    impute: [],
    scale: [],
    encode: [],
    features: [],
    sql: "SELECT species FROM accepted",
  });
  await pipeline.put("models", `transforms/${transform.digest}.json`, JSON.stringify(transform));
  return transform.digest;
}

/** S3 dates versions by whole seconds: what should be later must be in a later one. */
const nextSecond = () => setTimeout(1000 - (Date.now() % 1000));

async function putManifest(...keys: string[]) {
  const text = JSON.stringify([{ prefix: `s3://${pipeline.bucket("validated")}/` }, ...keys]);
  await pipeline.put("validated", TRAINING_MANIFEST, text);
  return text;
}

async function trained(change: Parameters<typeof train>[2] = {}) {
  const model = await train(pipeline, registry, change);
  steps = model.steps;
  return model;
}

it("records data, code, images, hyperparameters, metrics and jobs of a version", async () => {
  const one = await pipeline.put("validated", "data/one.csv", "species\nAdelie\n");
  const two = await pipeline.put("validated", "data/two.csv", "species\nGentoo\n");
  const manifest = await putManifest("data/one.csv", "data/two.csv");
  const digest = await putTransform(manifest);
  await nextSecond();
  const model = await trained({ metadata: { "aidlc-transform": digest } });

  expect(await handler(modelPackageEvent(model.arn))).toEqual({ modelPackageArn: model.arn, gaps: [] });

  const validated = pipeline.bucket("validated");
  const repository = (kind: "training" | "inference") =>
    `123456789012.dkr.ecr.eu-west-1.amazonaws.com/${pipeline.setting.names.repository(kind)}`;
  expect(await documentOf(model.version)).toMatchObject({
    model: { arn: model.arn, artifactUri: `s3://${pipeline.bucket("models")}/${model.artifactKey}` },
    trigger: "manual",
    execution: {
      arn: model.executionArn,
      steps: [
        { name: "Process", status: "Succeeded" },
        { name: "Train" },
        { name: "Evaluate" },
        { name: "QualityGate", jobArn: null },
        { name: "Register" },
      ],
    },
    data: {
      manifest: {
        bucket: validated,
        key: executionManifest(model.execution),
        versionId: expect.stringMatching(/.+/),
        sha256: sha256(manifest),
      },
      objects: [
        { bucket: validated, key: "data/one.csv", versionId: one, size: 15 },
        { bucket: validated, key: "data/two.csv", versionId: two, size: 15 },
      ],
    },
    code: {
      sourceVersion: null,
      images: [
        { image: `${repository("training")}:1`, digest: digests.training },
        { image: `${repository("inference")}:1`, digest: digests.inference },
      ],
    },
    jobs: { train: { arn: expect.stringContaining(model.trainingJob) } },
    searchArn: null,
    hyperparameters: { max_depth: "6", eta: "0.2" },
    evaluation: { key: `evaluations/${model.execution}/evaluation.json`, metrics: { accuracy: 0.97 } },
    transform: digest,
    graph: "recorded",
    gaps: [],
  });
});

it("names the versions that the training read, not those that came since", async () => {
  const read = await pipeline.put("validated", "data/moving.csv", "species\nAdelie\n");
  const manifest = await putManifest("data/moving.csv");
  await nextSecond();
  const model = await trained();
  await nextSecond();
  await pipeline.put("validated", "data/moving.csv", "species\nGentoo\n");
  await pipeline.put("validated", "data/moving.csv-2", "species\nGentoo\n");
  await putManifest("data/moving.csv", "data/moving.csv-2");

  await handler(modelPackageEvent(model.arn));

  const { data } = await documentOf(model.version);
  expect(data?.manifest.sha256).toBe(sha256(manifest));
  expect(data?.objects).toMatchObject([{ key: "data/moving.csv", versionId: read }]);
});

it("puts the version into SageMaker's graph, with an edge from each thing that it came from", async () => {
  const model = await trained();
  const calls = await callsDuring(["CreateArtifact", "AddAssociation"], () =>
    handler(modelPackageEvent(model.arn)),
  );

  const artifacts = calls.filter(({ operation }) => operation === "CreateArtifact").map(({ input }) => input);
  expect(artifacts).toMatchObject([
    { ArtifactType: "Model", Source: { SourceUri: model.arn } },
    { ArtifactType: "DataSet", Source: { SourceTypes: [{ SourceIdType: "S3Version" }] } },
    { ArtifactType: "Image", Source: { SourceUri: expect.stringMatching(/training@sha256:/) } },
    { ArtifactType: "Image", Source: { SourceUri: expect.stringMatching(/inference@sha256:/) } },
    { ArtifactType: "Evaluation", Properties: { accuracy: "0.97" } },
  ]);
  const edges = calls.filter(({ operation }) => operation === "AddAssociation").map(({ input }) => input);
  expect(edges.map(({ AssociationType }) => AssociationType)).toEqual([
    "ContributedTo",
    "ContributedTo",
    "ContributedTo",
    "AssociatedWith",
  ]);
  expect(new Set(edges.map(({ DestinationArn }) => DestinationArn)).size).toBe(1);
});

it("records a version once, however often the event comes", async () => {
  const model = await trained();
  await handler(modelPackageEvent(model.arn));
  const first = await documentOf(model.version);

  const calls = await callsDuring(["CreateArtifact", "AddAssociation", "PutObject"], () =>
    handler(modelPackageEvent(model.arn)),
  );

  expect(calls).toEqual([]);
  expect(await documentOf(model.version)).toEqual(first);
});

it("follows a search to its best job", async () => {
  const model = await trained();
  const searchArn = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/b1d2f3a4c5e6-tune";
  steps = model.steps.map((step) =>
    step.StepName === "Train"
      ? { ...step, StepName: "Tune", Metadata: { TuningJob: { Arn: searchArn } } }
      : step,
  );
  instead.set("SageMaker.DescribeHyperParameterTuningJob", () =>
    json({ BestTrainingJob: { TrainingJobName: model.trainingJob } }),
  );
  await handler(modelPackageEvent(model.arn));
  instead.clear();

  expect(await documentOf(model.version)).toMatchObject({
    searchArn,
    jobs: { train: { arn: expect.stringContaining(model.trainingJob) } },
    hyperparameters: { max_depth: "6" },
    gaps: [],
  });
});

it("tells the version of the source bundle that the images were built from", async () => {
  const image = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/${pipeline.setting.names.repository("inference")}:source-v7`;
  await registry.pushImage("inference", "source-v7", "serves better");
  const model = await registry.register({ image });
  steps = [];

  await handler(modelPackageEvent(model.arn));

  expect((await documentOf(model.version)).code.sourceVersion).toBe("v7");
});

it("names as gaps what it can't find, and records the rest", async () => {
  await pipeline.put("validated", "data/one.csv", "species\nAdelie\n");
  await putManifest("data/one.csv", "data/never-there.csv");
  const model = await trained({ metrics: "many" });
  steps = model.steps.filter(({ StepName }) => StepName !== "Train");
  const gone = await registry.register({
    execution: "zzzzzzzzzzzz",
    image: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/${pipeline.setting.names.repository("inference")}:gone`,
  });

  const { gaps } = await handler(modelPackageEvent(model.arn));
  expect(gaps).toEqual(["job_unknown", "objects_missing", "evaluation_unreadable"]);
  expect((await documentOf(model.version)).gaps).toContainEqual({
    code: "objects_missing",
    detail: `1: s3://${pipeline.bucket("validated")}/data/never-there.csv`,
  });
  expect((await handler(modelPackageEvent(gone.arn))).gaps).toEqual([
    "execution_unknown",
    "job_unknown",
    "job_unknown",
    "job_unknown",
    "manifest_unknown",
    "image_missing",
    "evaluation_missing",
  ]);
});

it("tells when the features were fitted to other data, or are not what their digest names", async () => {
  const gapsWith = async (digest: string) => {
    const model = await trained({ metadata: { "aidlc-transform": digest } });
    return (await handler(modelPackageEvent(model.arn))).gaps;
  };
  await pipeline.put("validated", "data/one.csv", "species\nAdelie\n");
  const manifest = await putManifest("data/one.csv");
  const fitting = await putTransform(manifest);
  expect(await gapsWith(fitting)).toEqual([]);
  expect(await gapsWith(await putTransform("another manifest"))).toEqual(["transform_of_other_data"]);
  expect(await gapsWith("0".repeat(64))).toEqual(["transform_missing"]);
  const changed = (await pipeline.read("models", `transforms/${fitting}.json`))
    .toString()
    .replace("SELECT", "DROP");
  await pipeline.put("models", `transforms/${fitting}.json`, changed);
  expect(await gapsWith(fitting)).toEqual(["transform_changed"]);
});

it("keeps the document and warns when SageMaker refuses the graph", async () => {
  const model = await trained();
  await pipeline.takeAlerts();
  instead.set("SageMaker.CreateArtifact", () => jsonError("ResourceLimitExceeded", "Too many artifacts"));
  await handler(modelPackageEvent(model.arn));
  instead.clear();

  expect((await documentOf(model.version)).graph).toBe("incomplete");
  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "warning", code: "lineage_graph_incomplete", detail: { reason: "ResourceLimitExceeded" } },
  ]);
});

it("writes no document while SageMaker has trouble, so that the event comes again", async () => {
  const model = await trained();
  instead.set("SageMaker.AddAssociation", () => ({
    ...jsonError("InternalFailure", "Trouble"),
    status: 500,
  }));
  await expect(handler(modelPackageEvent(model.arn))).rejects.toMatchObject({ name: "InternalFailure" });
  instead.clear();
  expect(await pipeline.keysIn("models", `lineage/${model.version}.json`)).toEqual([]);

  await handler(modelPackageEvent(model.arn));
  expect((await documentOf(model.version)).graph).toBe("recorded");
});

expectExactGrants(() => pipeline.grantsOf("register-model"), {
  "s3:ListBucket": "S3 tells a missing object from a forbidden one only to whoever may list",
});
