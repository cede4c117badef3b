import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { type AcceptedObject, nextBaseline } from "../dataset/baseline-document.ts";
import { openBaseline, replaceBaseline } from "../dataset/baseline-store.ts";
import { awsClient } from "../runtime/aws.ts";
import { WriteConflict } from "../runtime/documents.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { readAcceptedObject } from "./accepted-objects.ts";
import { recordVersion } from "./lineage.ts";

/** The queue starts at most five of these at a time, so each has lost to all others by then, and more than once. */
const ATTEMPTS = 20;

/**
 * Merges the profiles of accepted objects into a new version of the drift baseline: one for all objects of a batch. Messages whose
 * object can't be read come back alone; where the baseline can't be written, all do. Idempotent by object version.
 */
export function createHandler(env: Environment, now: () => Date = () => new Date()) {
  const { AIDLC_VALIDATED_BUCKET: bucket } = variables(env, ["AIDLC_VALIDATED_BUCKET"]);
  const { logger } = createTelemetry("baseline", env);
  const s3 = awsClient(S3Client, env);
  const sagemaker = awsClient(SageMakerClient, env);
  const processor = new BatchProcessor(EventType.SQS);

  const merge = async (accepted: readonly AcceptedObject[]): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const opened = await openBaseline(s3, bucket);
      const next = nextBaseline(opened?.document, accepted);
      if (next === undefined) return;
      try {
        const version = await replaceBaseline(s3, bucket, opened, next);
        const rows = next.generations.reduce((sum, { profile }) => sum + profile.rows, 0);
        logger.info("The drift baseline has a new version", { version, rows });
        await recordVersion(
          sagemaker,
          { bucket, version, ...(opened && { before: opened.version }) },
          logger,
        );
        return;
      } catch (error) {
        if (!(error instanceof WriteConflict) || attempt === ATTEMPTS) throw error;
      }
    }
  };

  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const accepted: AcceptedObject[] = [];
    const read = async (record: SQSRecord) => {
      try {
        const object = await readAcceptedObject(s3, bucket, record, now());
        if (object === undefined) logger.info("An object was not validated", { messageId: record.messageId });
        else accepted.push(object);
      } catch (error) {
        logger.warn("A message comes back", { messageId: record.messageId, error: error as Error });
        throw error;
      }
    };
    const response = await processPartialResponse(event, read, processor, {
      context,
      processInParallel: true,
      throwOnFullBatchFailure: false,
    });
    await merge(accepted);
    return response;
  };
}
