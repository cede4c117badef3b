import { createHash } from "node:crypto";
import type { ECRClient } from "@aws-sdk/client-ecr";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { TransformError } from "../features/parameters.ts";
import { readTransform } from "../features/transform-store.ts";
import { parseEvaluationReport } from "../models/evaluation-report.ts";
import { imageDigest, parseImage } from "../models/images.ts";
import type { LineageDocument } from "../models/lineage-document.ts";
import { METADATA, type ModelPackage } from "../models/model-package.ts";
import { isMissing, parseS3Uri } from "../models/objects.ts";
import { dataVersions } from "./data-versions.ts";
import { followExecution, type TrainingRun } from "./execution.ts";
import { Gaps } from "./gaps.ts";

export interface LineageSources {
  readonly sagemaker: SageMakerClient;
  readonly s3: S3Client;
  readonly ecr: ECRClient;
  readonly modelsBucket: string;
  readonly validatedBucket: string;
  /** Name of the pipeline's SageMaker Pipeline. */
  readonly trainingPipeline: string;
}

/** Finds out where a version came from. Changes nothing; what can't be found is among the document's gaps. */
export async function traceLineage(
  sources: LineageSources,
  model: ModelPackage,
): Promise<Omit<LineageDocument, "graph">> {
  const { sagemaker, s3, validatedBucket } = sources;
  const gaps = new Gaps();
  const run = await followExecution(sagemaker, executionArn(sources, model), gaps);
  const [artifactUri = ""] = model.containers.map((container) => container.artifactUri);
  if (run.artifactUri !== null && run.artifactUri !== artifactUri) {
    gaps.add("artifact_of_another_job", `${artifactUri}, not ${run.artifactUri}`);
  }
  const data = run.manifest === null ? null : await dataVersions(s3, run.manifest, validatedBucket, gaps);
  if (run.manifest === null) gaps.add("manifest_unknown", model.metadata[METADATA.manifest] ?? "");
  const images = await imagesOf(sources.ecr, model, run, gaps);
  return {
    version: 1,
    model: { arn: model.arn, createdAt: model.createdAt.toISOString(), artifactUri },
    trigger: model.metadata[METADATA.trigger] ?? null,
    execution: run.execution,
    data,
    code: { sourceVersion: sourceVersion(images), images },
    jobs: run.jobs,
    searchArn: run.searchArn,
    hyperparameters: { ...run.hyperparameters },
    evaluation: await evaluationOf(sources, model, gaps),
    transform: await transformOf(sources, model, data, gaps),
    gaps: gaps.found,
  };
}

function executionArn({ trainingPipeline }: LineageSources, { arn, metadata }: ModelPackage): string {
  const place = arn.slice(0, arn.indexOf(":model-package/"));
  return `${place}:pipeline/${trainingPipeline}/execution/${metadata[METADATA.execution] ?? "unknown"}`;
}

type Images = LineageDocument["code"]["images"];

async function imagesOf(
  ecr: ECRClient,
  model: ModelPackage,
  { jobs }: TrainingRun,
  gaps: Gaps,
): Promise<Images> {
  const names = [jobs.process?.image, jobs.train?.image, ...model.containers.map(({ image }) => image)];
  const images: Images = [];
  for (const image of new Set(names)) {
    if (image === undefined) continue;
    const digest = (await imageDigest(ecr, image)) ?? null;
    if (digest === null) gaps.add("image_missing", image);
    images.push({ image, digest });
  }
  return images;
}

/** A delivery of code tags its images by the version of the bundle that they were built from. */
function sourceVersion(images: Images): string | null {
  for (const { image } of images) {
    const version = /^source-(.+)$/.exec(parseImage(image)?.tag ?? "")?.[1];
    if (version !== undefined) return version;
  }
  return null;
}

/** Features must have been fitted to the very list of data that the training read. */
async function transformOf(
  { s3, modelsBucket }: LineageSources,
  { metadata }: ModelPackage,
  data: LineageDocument["data"],
  gaps: Gaps,
): Promise<string | null> {
  const digest = metadata[METADATA.transform];
  if (digest === undefined) return null;
  try {
    const transform = await readTransform(s3, modelsBucket, digest);
    if (transform === undefined) gaps.add("transform_missing", digest);
    else if (data !== null && transform.data.sha256 !== data.manifest.sha256) {
      gaps.add("transform_of_other_data", digest);
    }
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    gaps.add("transform_changed", digest);
  }
  return digest;
}

async function evaluationOf(
  { s3, modelsBucket }: LineageSources,
  { evaluationUri = "" }: ModelPackage,
  gaps: Gaps,
): Promise<LineageDocument["evaluation"]> {
  const place = parseS3Uri(evaluationUri);
  if (place?.bucket !== modelsBucket) {
    gaps.add("evaluation_unknown", evaluationUri);
    return null;
  }
  const found = await s3
    .send(new GetObjectCommand({ Bucket: place.bucket, Key: place.key }))
    .catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  const text = (await found?.Body?.transformToString()) ?? "";
  const report = parseEvaluationReport(text);
  if (report === undefined) {
    gaps.add(found === undefined ? "evaluation_missing" : "evaluation_unreadable", evaluationUri);
    return null;
  }
  const bias = Object.entries(report.bias ?? {}).map(([column, { gap }]) => [column, gap] as const);
  return {
    ...place,
    versionId: found?.VersionId ?? "null",
    sha256: createHash("sha256").update(text).digest("hex"),
    metrics: Object.fromEntries(Object.entries(report.metrics).map(([name, { value }]) => [name, value])),
    bias: Object.fromEntries(bias),
  };
}
