import { GetObjectCommand, NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { executionManifest, PREFIX } from "../../programs/storage-layout.ts";
import { ManifestError, presentKeys } from "../manifests/accepted-objects.ts";
import { parseS3Uri, s3Uri } from "../models/objects.ts";
import { awsClient } from "../runtime/aws.ts";
import { WriteConflict, writeDocument } from "../runtime/documents.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";

/** Arguments of the step `Pin` of the SageMaker Pipeline. The execution's id becomes part of a key. */
const PinRequest = Type.Object({
  manifest: Type.String({ minLength: 1 }),
  execution: Type.String({ pattern: "^[A-Za-z0-9-]+$" }),
});

/** Output parameters of that step. */
export interface PinAnswer {
  readonly uri: string;
}

/**
 * Copies the manifest that an execution was started with to a key of the execution's own, which all its steps read: data that is
 * accepted meanwhile is the next execution's. What is listed and no longer there is left out, and counted in the log. Idempotent: the
 * first copy stays. Throws `ManifestError` where nothing can be trained on it, which fails the execution before a job costs something.
 */
export function createHandler(env: Environment) {
  const { AIDLC_VALIDATED_BUCKET: bucket } = variables(env, ["AIDLC_VALIDATED_BUCKET"]);
  const { logger } = createTelemetry("pin-manifest", env);
  const s3 = awsClient(S3Client, env);

  return async (event: unknown): Promise<PinAnswer> => {
    const { manifest, execution } = Value.Parse(PinRequest, event);
    const { keys, leftOut } = await presentKeys(s3, bucket, await manifestText(s3, bucket, manifest));
    const counts = { execution, objects: keys.length, leftOut };
    if (leftOut > 0) logger.warn("The manifest lists objects that are no longer there", counts);
    const copy = { bucket, key: executionManifest(execution) };
    const uri = s3Uri(copy);
    try {
      await writeDocument(s3, copy, [{ prefix: `s3://${bucket}/` }, ...keys], { ifAbsent: true });
      logger.info("Pinned the manifest", counts);
    } catch (error) {
      // The step was tried before: its copy may have been read already.
      if (!(error instanceof WriteConflict)) throw error;
      logger.info("The manifest is pinned already", { execution });
    }
    return { uri };
  };
}

async function manifestText(s3: S3Client, bucket: string, uri: string): Promise<string> {
  const place = parseS3Uri(uri);
  if (place?.bucket !== bucket || !place.key.startsWith(PREFIX.manifests)) {
    throw new ManifestError(
      `${uri} is no manifest of the pipeline: name one below s3://${bucket}/${PREFIX.manifests}`,
    );
  }
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: place.key }));
    return (await Body?.transformToString()) ?? "";
  } catch (error) {
    if (!(error instanceof NoSuchKey)) throw error;
    throw new ManifestError(`There is no ${uri}: bring data in, and train once some is accepted`, {
      cause: error,
    });
  }
}
