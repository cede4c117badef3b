import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { digestObject, isMissing } from "../models/objects.ts";
import { COPY_PART_BYTES } from "./part-digests.ts";

/** The most that S3 copies at once. */
const MAX_COPY_BYTES = 5 * 1024 ** 3;

export interface CopyRequest {
  readonly source: { readonly bucket: string; readonly key: string; readonly versionId: string };
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** S3's checksum of a copy in parts; see `PartDigests`. */
  readonly composite: string;
  readonly destination: { readonly bucket: string; readonly key: string };
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly sequencer: string;
}

/** A copy is not what was read: nothing that relies on it may follow. */
export class CopyMismatch extends Error {
  override readonly name = "CopyMismatch";
}

export interface CopySizes {
  readonly maxBytes: number;
  readonly partBytes: number;
}

/**
 * Copies a version of an object and proves the copy: by size and by the checksum that S3 computed while it copied or, where it has none, by
 * reading it again. Idempotent: a copy of the same version is proven and left as it is. Returns its version, or undefined where a copy
 * of a newer version is there. Throws `CopyMismatch`.
 */
export async function copyVerified(
  s3: S3Client,
  request: CopyRequest,
  sizes: CopySizes = { maxBytes: MAX_COPY_BYTES, partBytes: COPY_PART_BYTES },
): Promise<string | undefined> {
  const there = await presentCopy(s3, request.destination);
  if (there !== undefined && there.sequencer > request.sequencer) return undefined;
  const versionId =
    there?.sourceVersion === request.source.versionId
      ? there.versionId
      : await (request.size > sizes.maxBytes ? copyInParts : copyAtOnce)(s3, request, sizes.partBytes);
  await prove(s3, request, versionId);
  return versionId;
}

async function presentCopy(s3: S3Client, { bucket, key }: CopyRequest["destination"]) {
  try {
    const { VersionId = "null", Metadata = {} } = await s3.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key }),
    );
    return {
      versionId: VersionId,
      sourceVersion: Metadata["source-version"],
      sequencer: Metadata["source-sequencer"] ?? "",
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function settings({ destination, metadata, tags, source, sequencer }: CopyRequest) {
  return {
    Bucket: destination.bucket,
    Key: destination.key,
    Metadata: { ...metadata, "source-version": source.versionId, "source-sequencer": sequencer },
    Tagging: new URLSearchParams(tags).toString(),
    ChecksumAlgorithm: "SHA256",
  } as const;
}

const copySource = ({ source: { bucket, key, versionId } }: CopyRequest) =>
  `${bucket}/${encodeURIComponent(key)}?versionId=${encodeURIComponent(versionId)}`;

async function copyAtOnce(s3: S3Client, request: CopyRequest): Promise<string> {
  const { VersionId = "null" } = await s3.send(
    new CopyObjectCommand({
      ...settings(request),
      CopySource: copySource(request),
      MetadataDirective: "REPLACE",
      TaggingDirective: "REPLACE",
    }),
  );
  return VersionId;
}

async function copyInParts(s3: S3Client, request: CopyRequest, partBytes: number): Promise<string> {
  const { Bucket, Key } = settings(request);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(settings(request)));
  const upload = { Bucket, Key, UploadId };
  try {
    const parts: CompletedPart[] = [];
    for (let from = 0; from < request.size; from += partBytes) {
      const PartNumber = parts.length + 1;
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          ...upload,
          PartNumber,
          CopySource: copySource(request),
          CopySourceRange: `bytes=${from}-${Math.min(from + partBytes, request.size) - 1}`,
        }),
      );
      parts.push({ PartNumber, ETag: CopyPartResult?.ETag, ChecksumSHA256: CopyPartResult?.ChecksumSHA256 });
    }
    const { VersionId = "null" } = await s3.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
    );
    return VersionId;
  } catch (error) {
    // Parts of an upload that is never ended are paid for.
    await s3.send(new AbortMultipartUploadCommand(upload));
    throw error;
  }
}

async function prove(s3: S3Client, request: CopyRequest, versionId: string): Promise<void> {
  const { bucket, key } = request.destination;
  const place = { Bucket: bucket, Key: key, VersionId: versionId };
  const { ContentLength, ChecksumSHA256 } = await s3.send(
    new HeadObjectCommand({ ...place, ChecksumMode: "ENABLED" }),
  );
  const expected = Buffer.from(request.sha256, "hex").toString("base64");
  const known = ChecksumSHA256 ?? (await digestOf(s3, { bucket, key, versionId }));
  if (ContentLength === request.size && (known === expected || parts(known) === parts(request.composite)))
    return;
  throw new CopyMismatch(`s3://${bucket}/${key}, version ${versionId}, is not what was read`);
}

/** Without the number of parts, which not every S3 adds. */
const parts = (checksum: string) => checksum.replace(/-\d+$/, "");

async function digestOf(
  s3: S3Client,
  place: { bucket: string; key: string; versionId: string },
): Promise<string> {
  const { sha256 } = await digestObject(s3, place);
  return Buffer.from(sha256, "hex").toString("base64");
}
