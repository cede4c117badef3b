import type { S3Client } from "@aws-sdk/client-s3";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";
import { parseTransformParameters, TransformError, type TransformParameters } from "./parameters.ts";

/** In the bucket of the models: what a model needs is kept as long as the model. */
export const transformKey = (digest: string) => `${PREFIX.transforms}${digest}.json`;

/** Keeps fitted parameters under their digest; the same parameters once only. */
export async function storeTransform(
  s3: S3Client,
  bucket: string,
  parameters: TransformParameters,
): Promise<string> {
  const key = transformKey(parameters.digest);
  try {
    await writeDocument(s3, { bucket, key }, parameters, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
  return `s3://${bucket}/${key}`;
}

/**
 * The parameters of this digest, proven to be those: for `applyTransform`. Keep the object: it holds what was prepared. Undefined where
 * there are none; throws `TransformError` where they were changed.
 */
export async function readTransform(
  s3: S3Client,
  bucket: string,
  digest: string,
): Promise<TransformParameters | undefined> {
  const key = transformKey(digest);
  const stored = await readDocument(s3, { bucket, key });
  if (stored === undefined) return undefined;
  const parameters = parseTransformParameters(stored.value);
  if (parameters.digest === digest) return parameters;
  throw new TransformError("corrupt_parameters", `${key} holds the transform ${parameters.digest}`);
}
