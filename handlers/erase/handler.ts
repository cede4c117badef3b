import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import Type from "typebox";
import type { DatasetColumn } from "../../programs/spec.ts";
import { awsClient } from "../runtime/aws.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { openPseudonymKeys, type PseudonymKeys, pseudonym, recognise } from "../runtime/pseudonym-keys.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { Erasure } from "./erasure.ts";
import { featureRecords } from "./feature-records.ts";
import { OutOfTime } from "./limits.ts";
import { Objects } from "./objects.ts";
import { ParquetReader } from "./parquet-reader.ts";
import { SUBJECT_BUCKETS, type SubjectBucket } from "./places.ts";
import { type Progress, ProgressFile, proofKey } from "./progress.ts";
import { proofOf } from "./proof.ts";
import { ErasureRefused, type ErasureRequest, parseRequest, subjectOf, subjectText } from "./request.ts";

/** How far the erasure is. All but `done` ask to be invoked again with the same request. */
export type ErasureAnswer =
  | { readonly state: "done"; readonly proof: { readonly bucket: string; readonly key: string } }
  /** The time of one invocation was too short. */
  | { readonly state: "unfinished"; readonly again: "now" }
  /** Archived objects are being restored, which takes hours. */
  | { readonly state: "pending"; readonly again: "in five hours"; readonly archived: number }
  /** Versions that can't be searched, or not be written again: a person repairs or deletes them first (docs/erasure.md). */
  | {
      readonly state: "blocked";
      readonly again: "when they are repaired or deleted";
      readonly unsearchable: readonly {
        readonly bucket: string;
        readonly key: string;
        readonly versionId: string;
        readonly reason: string;
      }[];
    };

const DatasetDocument = Type.Object({
  format: Type.Enum(["csv", "jsonl", "parquet"]),
  columns: Type.Array(Type.Unsafe<DatasetColumn>(Type.Object({ name: Type.String(), type: Type.String() }))),
});

const FeatureStoreDocument = Type.Object({ recordIdentifier: Type.String() });

/** Of what a Lambda function has, the rest being Node's, the SDK's and what streams hold. */
const DUCKDB_SHARE = 0.5;

type ErasureContext = Pick<Context, "invokedFunctionArn" | "getRemainingTimeInMillis" | "memoryLimitInMB">;

/**
 * Erases a subject (docs/erasure.md). Invoked by name; the same request again goes on, or answers with the proof that there is.
 * Throws `ErasureRefused` for a request that can't be obeyed, and `WriteConflict` where the same erasure is under way.
 */
export function createHandler(env: Environment, now: () => Date = () => new Date()) {
  const { AIDLC_PSEUDONYMS: secretId, ...buckets } = variables(env, [
    "AIDLC_RAW_BUCKET",
    "AIDLC_QUARANTINE_BUCKET",
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_FEATURES_BUCKET",
    "AIDLC_PREDICTIONS_BUCKET",
    "AIDLC_PSEUDONYMS",
  ]);
  const bucketName = (kind: SubjectBucket) =>
    buckets[`AIDLC_${kind.toUpperCase() as Uppercase<SubjectBucket>}_BUCKET`];
  const s3 = awsClient(S3Client, env);
  const secrets = awsClient(SecretsManagerClient, env);
  const settings = createSettings(env);
  const { logger } = createTelemetry("erase", env);
  const validated = bucketName("validated");

  const featureStore = async () => {
    const group = env.AIDLC_FEATURE_GROUP;
    const document = await settings.optionalDocument("dataset/feature-store", FeatureStoreDocument);
    return group === undefined || document === undefined
      ? undefined
      : featureRecords(env, group, document.recordIdentifier);
  };

  return async (event: unknown, context: ErasureContext): Promise<ErasureAnswer> => {
    const request = parseRequest(event);
    const { requestId } = request;
    const { format, columns } = await settings.document("dataset/schema", DatasetDocument);
    const subject = subjectOf(request, columns);
    const keys = await openPseudonymKeys(secrets, secretId, now());
    const place = { bucket: validated, key: proofKey(requestId) };
    const proof = await readDocument(s3, place);
    if (proof !== undefined) {
      refuseAnother(keys, subjectText(subject), (proof.value as { subject: string }).subject, requestId);
      return { state: "done", proof: place };
    }
    const file = new ProgressFile(s3, validated, requestId);
    const progress = (await file.load()) ?? begun(request, pseudonym(keys, subjectText(subject)), now());
    refuseAnother(keys, subjectText(subject), progress.subject, requestId);

    const records = await featureStore();
    const memoryLimitMb = Math.floor(Number(context.memoryLimitInMB) * DUCKDB_SHARE);
    const remainingMs = () => context.getRemainingTimeInMillis();
    const objects = new Objects(s3, new ParquetReader({ env, memoryLimitMb, remainingMs }));
    const erasure = new Erasure(
      {
        around: { s3, objects, bucketName, format, requestId },
        search: {
          subject,
          columns: columns.map(({ name }) => name),
          recordIdentifier: records?.recordIdentifier,
        },
        records,
        remainingMs,
        now,
      },
      progress,
      file,
    );
    const open = await whatIsOpen(erasure, progress, bucketName);
    logger.info("erasure", { requestId, state: open?.state ?? "done", passes: progress.passes.length });
    if (open !== undefined) return open;
    const by = context.invokedFunctionArn;
    const named = (text: string) => pseudonym(keys, text);
    await prove(s3, place, proofOf(progress, { subject, bucketName, pseudonym: named, by, now: now() }));
    await file.remove();
    return { state: "done", proof: place };
  };
}

/** Passes until one finds nothing; undefined once nothing is left. */
async function whatIsOpen(
  erasure: Erasure,
  progress: Progress,
  bucketName: (bucket: SubjectBucket) => string,
): Promise<ErasureAnswer | undefined> {
  try {
    while ((await erasure.pass()).found > 0);
  } catch (error) {
    if (error instanceof OutOfTime) return { state: "unfinished", again: "now" };
    throw error;
  }
  const { archived, unsearchable } = progress;
  if (unsearchable.length > 0) {
    return {
      state: "blocked",
      again: "when they are repaired or deleted",
      unsearchable: unsearchable.map(({ bucket, ...rest }) => ({ ...rest, bucket: bucketName(bucket) })),
    };
  }
  return archived.length > 0
    ? { state: "pending", again: "in five hours", archived: archived.length }
    : undefined;
}

const begun = ({ requestId, requestedBy, reason }: ErasureRequest, subject: string, now: Date): Progress => ({
  requestId,
  subject,
  requestedBy,
  reason,
  startedAt: now.toISOString(),
  passes: [],
  cursor: { bucket: SUBJECT_BUCKETS[0] },
  affected: [],
  archived: [],
  unsearchable: [],
  inferences: [],
  records: 0,
});

function refuseAnother(keys: PseudonymKeys, subject: string, named: string, requestId: string): void {
  if (recognise(keys, subject, named)) return;
  throw new ErasureRefused(`Erasure "${requestId}" is of another subject: choose another id`);
}

/** Proofs are written once. One that is there already was written by an invocation that ended right afterwards. */
async function prove(s3: S3Client, place: { bucket: string; key: string }, proof: unknown): Promise<void> {
  try {
    await writeDocument(s3, place, proof, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}
