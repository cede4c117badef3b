import { availableParallelism, tmpdir } from "node:os";
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import Type from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import type { DataClassification } from "../../programs/spec.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readBaseline } from "../dataset/baseline-store.ts";
import { writeProfile } from "../dataset/profile-store.ts";
import type { DatasetRules } from "../dataset/rules.ts";
import { type Validation, validateData } from "../dataset/validate-data.ts";
import type { Verdict } from "../dataset/verdict.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry, type OwnMetric } from "../runtime/telemetry.ts";
import { recordValidation } from "./lineage.ts";
import { isFolder, type RawObject, rawObjects } from "./raw-object.ts";
import { type OpenedObject, openObject } from "./read-object.ts";
import { listForTraining } from "./training-manifest.ts";
import { readVerdict, type VerdictDocument, verdictKey, writeVerdict } from "./verdict-store.ts";
import { copyVerified } from "./verified-copy.ts";

const GB = 1024 ** 3;
/** What a function's time and /tmp are enough for. Parquet stands in /tmp beside the hashes of its rows. */
const MAX_BYTES = { csv: 10 * GB, jsonl: 10 * GB, parquet: 6 * GB } as const;

/** For the copy, which S3 makes at some 100 MB/s, and everything behind it. */
const AFTERWARDS_MS = 150_000;
/** A function that has at least this much is a fresh one: what it can't read in that time, none can. */
const FRESH_MS = 700_000;

const Schema = Type.Object({
  format: Dataset.properties.format,
  columns: Dataset.properties.schema,
  keys: Dataset.properties.keys,
});

/** What was begun with too little time left comes back, and is then begun by a function that has all of it. */
export class TooLate extends Error {
  override readonly name = "TooLate";
}

export interface Adjustments {
  readonly now?: () => Date;
  readonly workFolder?: string;
  /** In place of `MAX_BYTES`. */
  readonly maxBytes?: number;
}

/**
 * Validates objects that were brought into the raw bucket: each gets a verdict and a copy among the accepted or the quarantined data. Idempotent by
 * object version: its verdict is written last and once. Nothing is deleted.
 */
export function createHandler(
  env: Environment,
  { now = () => new Date(), workFolder = tmpdir(), maxBytes }: Adjustments = {},
) {
  const names = variables(env, [
    "AIDLC_RAW_BUCKET",
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_QUARANTINE_BUCKET",
    "AIDLC_LINEAGE_PREFIX",
    "AIDLC_DATA_CLASSIFICATION",
  ]);
  const validated = names.AIDLC_VALIDATED_BUCKET;
  const quarantine = names.AIDLC_QUARANTINE_BUCKET;
  const { logger, metrics } = createTelemetry("validate", env);
  const s3 = awsClient(S3Client, env);
  const sagemaker = awsClient(SageMakerClient, env);
  const settings = createSettings(env);
  const alerts = createAlerts(env);
  const processor = new BatchProcessor(EventType.SQS);
  const count = (name: OwnMetric, unit: keyof typeof MetricUnit, value: number) =>
    metrics.addMetric(name, MetricUnit[unit], value);

  const readRules = async (): Promise<DatasetRules> => {
    const [schema, quality] = await Promise.all([
      settings.document("dataset/schema", Schema),
      settings.document("dataset/quality", Dataset.properties.quality),
    ]);
    const classification = names.AIDLC_DATA_CLASSIFICATION as DataClassification;
    return { ...schema, quality, classification };
  };

  const judge = async (
    object: RawObject,
    rules: DatasetRules,
    context: Context,
  ): Promise<Validation & Pick<OpenedObject, "digests">> => {
    const baseline = await readBaseline(s3, validated);
    const opened = await openObject(s3, object, { isParquet: rules.format === "parquet", workFolder });
    const left = context.getRemainingTimeInMillis() - AFTERWARDS_MS;
    const signal = AbortSignal.timeout(Math.max(1, left));
    try {
      const validation = await validateData({
        data: opened.data,
        rules,
        workFolder,
        now: now(),
        signal,
        lanes: availableParallelism(),
        ...(baseline !== undefined && { baseline }),
      });
      if (signal.aborted && left < FRESH_MS - AFTERWARDS_MS)
        throw new TooLate(`No time was left for ${object.key}`);
      return { ...validation, digests: opened.digests };
    } finally {
      opened.close();
    }
  };

  const keepCopy = async (
    object: RawObject,
    { verdict, profile, digests }: Validation & Pick<OpenedObject, "digests">,
    run: string,
  ): Promise<VerdictDocument> => {
    const isAccepted = verdict.outcome === "accepted";
    const { bucket, key, versionId, sequencer } = object;
    const destination = isAccepted
      ? { bucket: validated, key: `${PREFIX.acceptedData}${key}` }
      : { bucket: quarantine, key: `${PREFIX.rejectedData}${key}` };
    const facts = { sha256: verdict.sha256, schema: verdict.schemaDigest, verdict: verdict.outcome, run };
    const copied = await copyVerified(s3, {
      source: { bucket, key, versionId },
      size: verdict.bytes,
      sha256: verdict.sha256,
      composite: digests.composite(),
      destination,
      metadata: { ...facts, "verdict-document": verdictKey(object), rows: String(verdict.rows) },
      tags: { ...facts, "source-version": versionId, severity: verdict.severity },
      sequencer,
    });
    if (isAccepted && copied !== undefined) {
      if (profile !== undefined)
        await writeProfile(s3, validated, { key: destination.key, versionId: copied }, profile);
      await listForTraining(s3, validated, destination.key);
    }
    return {
      source: { bucket, key, versionId },
      run,
      ...(copied !== undefined && { destination: { ...destination, versionId: copied } }),
      verdict,
    };
  };

  const tell = async ({ verdict, destination }: VerdictDocument, object: RawObject): Promise<void> => {
    if (verdict.severity === "none") return;
    const detail = {
      key: object.key,
      versionId: object.versionId,
      rows: verdict.rows,
      reasons: verdict.reasons.map(({ check, code, column, message }) => ({ check, code, column, message })),
      verdict: `s3://${validated}/${verdictKey(object)}`,
      ...(destination !== undefined && { copy: `s3://${destination.bucket}/${destination.key}` }),
    };
    await (verdict.outcome === "quarantined"
      ? alerts.publish("critical", {
          title: "Data was quarantined",
          code: "data_quarantined",
          detail,
          remedy:
            "Correct the data and bring it again; where it is right as it is, change the pipeline's spec",
        })
      : alerts.publish("warning", {
          title: "Accepted data drifts from the baseline",
          code: "data_drifted",
          detail,
          remedy: "Look into what changed; retrain once the new distribution is there to stay",
        }));
  };

  const measure = ({ outcome, rows, drift }: Verdict): void => {
    // A file of which no row could be read is no less of a failure.
    if (outcome === "accepted") count("RowsValidated", "Count", rows);
    else count("RowsQuarantined", "Count", Math.max(rows, 1));
    if (drift !== undefined) count("DriftScore", "NoUnit", drift.score);
  };

  const refuseTooLarge = async ({ key, versionId, size }: RawObject, limit: number): Promise<void> => {
    await alerts.publish("critical", {
      title: "An object is too large to be validated",
      code: "data_too_large",
      detail: { key, versionId, size, limit },
      remedy: `Bring the data in files of at most ${Math.floor(limit / GB)} GB; this one stays in the raw bucket`,
    });
  };

  const validateObject = async (object: RawObject, context: Context): Promise<void> => {
    if (isFolder(object) || (await readVerdict(s3, validated, object)) !== undefined) return;
    const rules = await readRules();
    const limit = maxBytes ?? MAX_BYTES[rules.format];
    if (object.size > limit) return refuseTooLarge(object, limit);
    const document = await keepCopy(object, await judge(object, rules, context), context.awsRequestId);
    await recordValidation(sagemaker, names.AIDLC_LINEAGE_PREFIX, document, logger);
    if (document.verdict.outcome === "quarantined") {
      await writeVerdict(s3, { bucket: quarantine, key: verdictKey(object) }, document);
    }
    await tell(document, object);
    // Last: from here on the object is done. Told twice is better than never; counted twice is not.
    if (await writeVerdict(s3, { bucket: validated, key: verdictKey(object) }, document))
      measure(document.verdict);
    const { outcome, severity, rows, reasons } = document.verdict;
    logger.info("An object was validated", {
      outcome,
      severity,
      rows,
      codes: reasons.map(({ code }) => code),
    });
  };

  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const validateRecord = async (record: SQSRecord) => {
      try {
        for (const object of rawObjects(record, names.AIDLC_RAW_BUCKET))
          await validateObject(object, context);
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
