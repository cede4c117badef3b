import type { Logger } from "@aws-lambda-powertools/logger";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import type { DataClassification } from "../../programs/spec.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readBaseline } from "../dataset/baseline-store.ts";
import { writeProfile } from "../dataset/profile-store.ts";
import type { DatasetRules } from "../dataset/rules.ts";
import { type Validation, validateData } from "../dataset/validate-data.ts";
import { validateInChild } from "../dataset/validate-in-child.ts";
import type { Verdict } from "../dataset/verdict.ts";
import { listForTraining } from "../manifests/training-manifest.ts";
import type { Alerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { childBeside } from "../runtime/child-process.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import type { Settings } from "../runtime/settings.ts";
import type { OwnMetric } from "../runtime/telemetry.ts";
import { recordValidation } from "./lineage.ts";
import type { RawObject } from "./raw-object.ts";
import { type OpenedObject, openObject } from "./read-object.ts";
import { readVerdict, type VerdictDocument, verdictKey, writeVerdict } from "./verdict-store.ts";
import { copyVerified } from "./verified-copy.ts";

const CHILD = childBeside(import.meta.filename);

const Schema = Type.Object({
  format: Dataset.properties.format,
  columns: Dataset.properties.schema,
  keys: Dataset.properties.keys,
});

/** What was begun with too little time left comes back, and is then begun with all of it. */
export class TooLate extends Error {
  override readonly name = "TooLate";
}

/** Who validates, and how long it may take. */
export interface Run {
  /** Stands in the verdict: Lambda's request, or the processing job. */
  readonly id: string;
  readonly remainingMs: () => number;
  /** For the copy and everything behind it. */
  readonly afterwardsMs: number;
  /** A run that has at least this much left has begun just now: what it can't read in that time, none can. */
  readonly freshMs: number;
}

export interface ValidationParts {
  readonly alerts: Alerts;
  readonly logger: Logger;
  readonly settings: Settings;
  readonly now: () => Date;
  readonly workFolder: string;
  /** Of DuckDB, where there is more than a function has. */
  readonly memoryLimitMb?: number;
}

export type Measurement = readonly [name: OwnMetric, unit: "Count" | "NoUnit", value: number];

/** The validation of one object, in the function as in a processing job. */
export interface ObjectValidation {
  /** Whether the object's version has its verdict. */
  isDone(object: RawObject): Promise<boolean>;
  readRules(): Promise<DatasetRules>;
  /**
   * Gives the object its verdict and its copy among the accepted or the quarantined data. Idempotent: the verdict is written last and
   * once. Returns what is to be counted: nothing where somebody else came first.
   */
  validate(object: RawObject, rules: DatasetRules, run: Run): Promise<readonly Measurement[]>;
}

export function createValidation(env: Environment, parts: ValidationParts): ObjectValidation {
  const { alerts, logger, settings, now, workFolder, memoryLimitMb } = parts;
  const names = variables(env, [
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_QUARANTINE_BUCKET",
    "AIDLC_LINEAGE_PREFIX",
    "AIDLC_DATA_CLASSIFICATION",
  ]);
  const validated = names.AIDLC_VALIDATED_BUCKET;
  const quarantine = names.AIDLC_QUARANTINE_BUCKET;
  const s3 = awsClient(S3Client, env);
  const sagemaker = awsClient(SageMakerClient, env);

  const judge = async (
    object: RawObject,
    rules: DatasetRules,
    { remainingMs, afterwardsMs, freshMs }: Run,
  ): Promise<Validation & Pick<OpenedObject, "digests">> => {
    const baseline = await readBaseline(s3, validated);
    const opened = await openObject(s3, object, { isParquet: rules.format === "parquet", workFolder });
    const left = remainingMs() - afterwardsMs;
    const signal = AbortSignal.timeout(Math.max(1, left));
    const { data } = opened;
    const request = {
      rules,
      workFolder,
      now: now(),
      ...(memoryLimitMb !== undefined && { memoryLimitMb }),
      ...(baseline !== undefined && { baseline }),
    };
    try {
      const validation =
        "path" in data
          ? await validateInChild(CHILD, { ...request, path: data.path, limitMs: left }, { env })
          : await validateData({ ...request, data, signal });
      if (signal.aborted && left < freshMs - afterwardsMs)
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

  return {
    isDone: async (object) => (await readVerdict(s3, validated, object)) !== undefined,
    readRules: async () => {
      const [schema, quality] = await Promise.all([
        settings.document("dataset/schema", Schema),
        settings.document("dataset/quality", Dataset.properties.quality),
      ]);
      const classification = names.AIDLC_DATA_CLASSIFICATION as DataClassification;
      return { ...schema, quality, classification };
    },
    validate: async (object, rules, run) => {
      const document = await keepCopy(object, await judge(object, rules, run), run.id);
      await recordValidation(sagemaker, names.AIDLC_LINEAGE_PREFIX, document, logger);
      if (document.verdict.outcome === "quarantined") {
        await writeVerdict(s3, { bucket: quarantine, key: verdictKey(object) }, document);
      }
      await tell(document, object);
      // Last: from here on the object is done. Told twice is better than never; counted twice is not.
      const isFirst = await writeVerdict(s3, { bucket: validated, key: verdictKey(object) }, document);
      const { outcome, severity, rows, reasons } = document.verdict;
      logger.info("An object was validated", {
        outcome,
        severity,
        rows,
        codes: reasons.map(({ code }) => code),
      });
      return isFirst ? measurements(document.verdict) : [];
    },
  };
}

function measurements({ outcome, rows, drift }: Verdict): Measurement[] {
  return [
    outcome === "accepted"
      ? ["RowsValidated", "Count", rows]
      : // A file of which no row could be read is no less of a failure.
        ["RowsQuarantined", "Count", Math.max(rows, 1)],
    ...(drift === undefined ? [] : [["DriftScore", "NoUnit", drift.score] as const]),
  ];
}
