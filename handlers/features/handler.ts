import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { S3Client } from "@aws-sdk/client-s3";
import { DescribeFeatureGroupCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SageMakerFeatureStoreRuntimeClient } from "@aws-sdk/client-sagemaker-featurestore-runtime";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import Type from "typebox";
import { Value } from "typebox/value";
import { Features } from "../../programs/spec/features.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { DatasetSchema } from "./accepted-file.ts";
import { ingest } from "./ingestion.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const ObjectCreated = Type.Object({
  "detail-type": Type.Literal("Object Created"),
  detail: Type.Object({
    bucket: Type.Object({ name: Type.String() }),
    object: Type.Object({ key: Type.String({ minLength: 1 }), "version-id": Type.String({ minLength: 1 }) }),
  }),
});

/** What ends a run in order needs: noting how far it came, and reporting what is left. */
const RESERVE_MS = 30_000;

class UnexpectedObject extends Error {
  override readonly name = "UnexpectedObject";
}

/**
 * Puts the rows of accepted objects into the feature group. Objects that fail, or that time ran out for, are reported alone and come back;
 * large ones go on where they were. Idempotent by object version, and within one by record.
 */
export function createHandler(env: Environment) {
  const names = variables(env, ["AIDLC_VALIDATED_BUCKET", "AIDLC_FEATURES_BUCKET", "AIDLC_FEATURE_GROUP"]);
  const { logger } = createTelemetry("features", env);
  const settings = createSettings(env);
  const s3 = awsClient(S3Client, env);
  const store = awsClient(SageMakerFeatureStoreRuntimeClient, env);
  const sagemaker = awsClient(SageMakerClient, env);
  const processor = new BatchProcessor(EventType.SQS);
  const group = names.AIDLC_FEATURE_GROUP;
  let held: Promise<ReadonlySet<string>> | undefined;

  /** Asked once: features of a group can't be changed. A failure is no answer, so that the next run asks again. */
  const groupFeatures = (): Promise<ReadonlySet<string>> => {
    held ??= readGroup(sagemaker, group).catch((error: unknown) => {
      held = undefined;
      throw error;
    });
    return held;
  };

  const put = async ({ body }: SQSRecord, isOver: () => boolean): Promise<void> => {
    const { bucket, object } = Value.Parse(ObjectCreated, JSON.parse(body)).detail;
    if (bucket.name !== names.AIDLC_VALIDATED_BUCKET) {
      throw new UnexpectedObject(`${bucket.name} is not the bucket of accepted data`);
    }
    const [schema, features, known] = await Promise.all([
      settings.document("dataset/schema", DatasetSchema),
      settings.optionalDocument("dataset/features", Features),
      groupFeatures(),
    ]);
    const place = { bucket: bucket.name, key: object.key, versionId: object["version-id"] };
    const ingestion = { s3, store, group, known, notesBucket: names.AIDLC_FEATURES_BUCKET, schema, features };
    const rows = await ingest(place, { ...ingestion, isOver });
    logger.info("Put accepted rows into the feature group", { key: place.key, rows });
  };

  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processPartialResponse(
      event,
      async (record: SQSRecord) => {
        try {
          await put(record, () => context.getRemainingTimeInMillis() < RESERVE_MS);
        } catch (error) {
          logger.warn("An object comes back", { messageId: record.messageId, error: error as Error });
          throw error;
        }
      },
      processor,
      // One after another: each has the whole disk and all connections.
      { context, processInParallel: false, throwOnFullBatchFailure: false },
    );
}

async function readGroup(sagemaker: SageMakerClient, group: string): Promise<ReadonlySet<string>> {
  const answer = await sagemaker.send(new DescribeFeatureGroupCommand({ FeatureGroupName: group }));
  if (answer.FeatureGroupStatus !== "Created") {
    throw new Error(`Feature group ${group} is ${answer.FeatureGroupStatus}, not Created`);
  }
  return new Set(answer.FeatureDefinitions?.flatMap(({ FeatureName }) => FeatureName ?? []));
}
