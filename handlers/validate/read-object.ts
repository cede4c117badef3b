import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { streamSource, watched } from "../dataset/byte-source.ts";
import type { DataPlace } from "../dataset/validate-data.ts";
import { COPY_PART_BYTES, PartDigests } from "./part-digests.ts";
import type { RawObject } from "./raw-object.ts";

export interface OpenedObject {
  readonly data: DataPlace;
  /** Of the bytes that were read; for a copy in parts. */
  readonly digests: PartDigests;
  close(): void;
}

/** Text is read as it comes. Parquet is read here and there, so it is fetched first. */
export async function openObject(
  s3: S3Client,
  { bucket, key, versionId }: RawObject,
  { isParquet, workFolder }: { readonly isParquet: boolean; readonly workFolder: string },
): Promise<OpenedObject> {
  const digests = new PartDigests(COPY_PART_BYTES);
  const get = async (): Promise<Readable> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    if (!(Body instanceof Readable)) throw new Error(`s3://${bucket}/${key} has no content`);
    return Body;
  };
  if (!isParquet) {
    const open = async () => watched(streamSource(await get()), (bytes) => digests.update(bytes));
    return { data: { open }, digests, close: () => {} };
  }
  const folder = mkdtempSync(join(workFolder, "object-"));
  const path = join(folder, "data.parquet");
  const close = () => rmSync(folder, { recursive: true, force: true });
  try {
    const body = await get();
    body.on("data", (bytes: Uint8Array) => digests.update(bytes));
    await pipeline(body, createWriteStream(path));
    return { data: { path }, digests, close };
  } catch (error) {
    close();
    throw error;
  }
}
