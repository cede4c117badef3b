import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

export interface StoredDocument {
  readonly value: unknown;
  /** For a write that must find what was read: `ifMatch`. */
  readonly etag: string;
  readonly versionId?: string;
}

/** A JSON document of the pipeline's own in a bucket, or undefined where there is none. */
export async function readDocument(
  s3: S3Client,
  { bucket, key, versionId }: ObjectPlace,
): Promise<StoredDocument | undefined> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    const text = (await answer.Body?.transformToString()) ?? "";
    return {
      value: JSON.parse(text),
      etag: answer.ETag ?? "",
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** Somebody else wrote the document meanwhile: read it again and decide anew. */
export class WriteConflict extends Error {
  override readonly name = "WriteConflict";
}

/**
 * Writes a JSON document. With `ifAbsent` or `ifMatch` it throws `WriteConflict` where the document is there already, or another
 * one than was read (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
 */
export async function writeDocument(
  s3: S3Client,
  { bucket, key }: ObjectPlace,
  value: unknown,
  condition: { readonly ifAbsent?: true; readonly ifMatch?: string } = {},
): Promise<{ readonly etag: string; readonly versionId?: string }> {
  try {
    const answer = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: JSON.stringify(value),
        ContentType: "application/json",
        ChecksumAlgorithm: "SHA256",
        ...(condition.ifAbsent && { IfNoneMatch: "*" }),
        ...(condition.ifMatch !== undefined && { IfMatch: condition.ifMatch }),
      }),
    );
    return {
      etag: answer.ETag ?? "",
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    };
  } catch (error) {
    const name = (error as { name?: string }).name;
    if (name === "PreconditionFailed" || name === "ConditionalRequestConflict") {
      throw new WriteConflict(`s3://${bucket}/${key} was written by somebody else`, { cause: error });
    }
    throw error;
  }
}
