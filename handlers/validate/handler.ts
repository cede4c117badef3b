import { tmpdir } from "node:os";
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { createAlerts } from "../runtime/alerts.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { createJobs } from "./jobs.ts";
import { isFolder, type RawObject, toldBy } from "./raw-object.ts";
import { createValidation } from "./validation.ts";

const GB = 1024 ** 3;
/** What a function's time and /tmp are enough for. Parquet stands in /tmp beside the hashes of its rows. */
const MAX_BYTES = { csv: 10 * GB, jsonl: 10 * GB, parquet: 6 * GB } as const;

/** The copy is made by S3 at some 100 MB/s. */
const AFTERWARDS_MS = 150_000;
const FRESH_MS = 700_000;

export interface Adjustments {
  readonly now?: () => Date;
  readonly workFolder?: string;
  /** In place of `MAX_BYTES`. */
  readonly maxBytes?: number;
}

/**
 * Validates objects that were brought into the raw bucket: each gets a verdict and a copy among the accepted or the quarantined data. What
 * is too large is handed over to a processing job. Idempotent by object version. Nothing is deleted.
 */
export function createHandler(
  env: Environment,
  { now = () => new Date(), workFolder = tmpdir(), maxBytes }: Adjustments = {},
) {
  const { AIDLC_RAW_BUCKET: raw } = variables(env, ["AIDLC_RAW_BUCKET"]);
  const { logger, metrics } = createTelemetry("validate", env);
  const settings = createSettings(env);
  const alerts = createAlerts(env);
  const validation = createValidation(env, { alerts, logger, settings, now, workFolder });
  const jobs = createJobs(env, { alerts, logger, settings });
  const processor = new BatchProcessor(EventType.SQS);

  const validateObject = async (object: RawObject, context: Context): Promise<void> => {
    if (isFolder(object) || (await validation.isDone(object))) return;
    const rules = await validation.readRules();
    const limit = maxBytes ?? MAX_BYTES[rules.format];
    if (object.size > limit) return jobs.handOver(object, rules, limit);
    const measured = await validation.validate(object, rules, {
      id: context.awsRequestId,
      remainingMs: () => context.getRemainingTimeInMillis(),
      afterwardsMs: AFTERWARDS_MS,
      freshMs: FRESH_MS,
    });
    for (const [name, unit, value] of measured) metrics.addMetric(name, MetricUnit[unit], value);
  };

  /** A job that failed may have come as far as the verdict. */
  const afterJob = async (name: string): Promise<void> => {
    const ended = await jobs.describe(name);
    if (!(await validation.isDone(ended.object))) await jobs.goOn(ended, await validation.readRules());
  };

  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const validateRecord = async (record: SQSRecord) => {
      try {
        const told = toldBy(record, raw);
        if ("endedJob" in told) await afterJob(told.endedJob);
        else for (const object of told.objects) await validateObject(object, context);
      } catch (error) {
        logger.error("A message comes back", { messageId: record.messageId, error: error as Error });
        throw error;
      }
    };
    try {
      // One after the other: each takes all the memory that there is.
      return await processPartialResponse(event, validateRecord, processor, {
        context,
        processInParallel: false,
        throwOnFullBatchFailure: false,
      });
    } finally {
      metrics.publishStoredMetrics();
    }
  };
}
