import type { S3Client } from "@aws-sdk/client-s3";
import { DescribeModelPackageCommand, type SageMakerClient } from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { RECORDED_RELEASE } from "../release/recorded-release.ts";
import { readDocument } from "../runtime/documents.ts";

const Recorded = Type.Object({ modelPackageArn: Type.String() });

const Evaluation = Type.Object({
  metrics: Type.Record(Type.String(), Type.Unknown()),
  /** Means of absolute attributions by column, where the evaluation tells them. */
  attributions: Type.Optional(Type.Record(Type.String(), Type.Number())),
});

const Metric = Type.Object({ value: Type.Number() });

/** The released model, and what it reached when it was registered. */
export interface ModelInUse {
  readonly modelPackageArn: string;
  /** Number of the version in the model package group. */
  readonly version: number;
  /** Metrics of its evaluation report; none where it can't be found. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly attributions?: Readonly<Record<string, number>>;
}

/** Whether the model in use may have answered: what doesn't say which version did counts, and all before the first release. */
export const isOfModel = (model: ModelInUse | undefined, modelVersion: number | undefined): boolean =>
  model === undefined || modelVersion === undefined || modelVersion === model.version;

/** Undefined before the first release. */
export async function modelInUse(
  s3: S3Client,
  sageMaker: SageMakerClient,
  modelsBucket: string,
): Promise<ModelInUse | undefined> {
  const release = await readDocument(s3, { bucket: modelsBucket, key: RECORDED_RELEASE });
  if (release === undefined) return undefined;
  const { modelPackageArn } = Value.Parse(Recorded, release.value);
  const version = Number(modelPackageArn.slice(modelPackageArn.lastIndexOf("/") + 1));
  const { ModelMetrics } = await sageMaker.send(
    new DescribeModelPackageCommand({ ModelPackageName: modelPackageArn }),
  );
  const evaluation = await evaluationAt(s3, modelsBucket, ModelMetrics?.ModelQuality?.Statistics?.S3Uri);
  return {
    modelPackageArn,
    version,
    metrics: Object.fromEntries(
      Object.entries(evaluation?.metrics ?? {}).flatMap(([name, metric]) =>
        Value.Check(Metric, metric) ? [[name, metric.value]] : [],
      ),
    ),
    ...(evaluation?.attributions && { attributions: evaluation.attributions }),
  };
}

/** The report that the training left, only where the pipeline's trainings leave theirs. */
async function evaluationAt(s3: S3Client, bucket: string, uri: string | undefined) {
  const folder = `s3://${bucket}/${PREFIX.evaluations}`;
  if (uri === undefined || !uri.startsWith(folder)) return undefined;
  const found = await readDocument(s3, { bucket, key: uri.slice(`s3://${bucket}/`.length) });
  return found !== undefined && Value.Check(Evaluation, found.value) ? found.value : undefined;
}
