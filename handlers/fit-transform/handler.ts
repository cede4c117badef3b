import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { Features } from "../../programs/spec/features.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { type Engine, startEngine } from "../dataset/engine.ts";
import { acceptedRows, DatasetSchema, download } from "../features/accepted-file.ts";
import { fitTransform } from "../features/fit.ts";
import { storeTransform } from "../features/transform-store.ts";
import { manifestKeys } from "../manifests/accepted-objects.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";

/** Arguments of the step `Fit` of the SageMaker Pipeline: the manifest that the step `Pin` copied. */
const FitRequest = Type.Object({ manifest: Type.String({ minLength: 1 }) });

/** Output parameters of that step. */
export interface FitAnswer {
  readonly digest: string;
  readonly uri: string;
}

/** DuckDB keeps the accepted rows and spills what is more; the rest of the function's memory is Node's. */
const ENGINE_MEMORY_MB = 1800;

/**
 * Fits the declared features to the accepted data that a training will read, and keeps the parameters under their digest. Idempotent: the
 * same declaration and manifest give the same digest. Throws `ManifestError` and `TransformError`, which fail the execution.
 */
export function createHandler(env: Environment) {
  const { AIDLC_VALIDATED_BUCKET: validated, AIDLC_MODELS_BUCKET: models } = variables(env, [
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_MODELS_BUCKET",
  ]);
  const { logger } = createTelemetry("fit-transform", env);
  const settings = createSettings(env);
  const s3 = awsClient(S3Client, env);

  return async (event: unknown): Promise<FitAnswer> => {
    const { manifest } = Value.Parse(FitRequest, event);
    const [schema, features] = await Promise.all([
      settings.document("dataset/schema", DatasetSchema),
      settings.document("dataset/features", Features),
    ]);
    const text = await manifestText(s3, validated, manifest);
    const keys = manifestKeys(text, validated);
    const workFolder = await mkdtemp(join(tmpdir(), "fit-"));
    // One thread: sums of doubles depend on their order, and the digest on every bit of them.
    const engine = await startEngine({ workFolder, memoryLimitMb: ENGINE_MEMORY_MB, threads: 1 });
    try {
      await loadAccepted(engine, keys, { s3, bucket: validated, schema, workFolder });
      const parameters = await fitTransform(
        { features, columns: schema.columns },
        {
          ask: (sql) => engine.rows(sql),
          sha256: createHash("sha256").update(text).digest("hex"),
        },
      );
      const uri = await storeTransform(s3, models, parameters);
      const { digest, data } = parameters;
      logger.info("Fitted the features", { digest, rows: data.rows, objects: keys.length });
      return { digest, uri };
    } finally {
      engine.close();
      await rm(workFolder, { recursive: true, force: true });
    }
  };
}

async function manifestText(s3: S3Client, bucket: string, uri: string): Promise<string> {
  const base = `s3://${bucket}/${PREFIX.executionManifests}`;
  if (!uri.startsWith(base)) throw new Error(`${uri} is no manifest of an execution: pin one below ${base}`);
  const Key = uri.slice(`s3://${bucket}/`.length);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  return (await Body?.transformToString()) ?? "";
}

interface Loading {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly schema: DatasetSchema;
  readonly workFolder: string;
}

/** The rows of all objects as the table `accepted`; of the files there is never more than one. */
async function loadAccepted(
  engine: Engine,
  keys: readonly string[],
  { s3, bucket, schema, workFolder }: Loading,
): Promise<void> {
  const path = join(workFolder, "accepted");
  for (const [index, key] of keys.entries()) {
    await download(s3, { bucket, key }, path);
    const rows = await acceptedRows(engine, path, schema);
    await engine.run(index === 0 ? `CREATE TABLE accepted AS ${rows}` : `INSERT INTO accepted ${rows}`);
    await rm(path);
  }
}
