import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { PREFIX } from "../../programs/storage-layout.ts";
import { type CaptureSource, captureFolder } from "./capture-keys.ts";
import { linesOf } from "./lines.ts";

/** Objects that are asked for before their turn comes: the gate writes one for each request. Of 50 connections, the rest is for others. */
const AHEAD = 40;

/** A line, and the key of the object that it stands in. */
export interface StoredLine {
  readonly key: string;
  readonly text: string;
}

async function* list(
  s3: S3Client,
  bucket: string,
  prefix: string,
  delimiter?: string,
): AsyncGenerator<{ readonly keys: readonly string[]; readonly folders: readonly string[] }> {
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        Delimiter: delimiter,
        ContinuationToken: token,
      }),
    );
    yield {
      keys: (page.Contents ?? []).map(({ Key = "" }) => Key),
      folders: (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => Prefix),
    };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

async function foldersOf(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { folders } of list(s3, bucket, prefix, "/")) found.push(...folders);
  return found;
}

/** Every endpoint and variant that has ever been captured: found by their folders, without listing what is in them. */
export async function captureSources(s3: S3Client, bucket: string): Promise<CaptureSource[]> {
  const endpoints = await foldersOf(s3, bucket, PREFIX.captures);
  const variants = await Promise.all(endpoints.map((endpoint) => foldersOf(s3, bucket, endpoint)));
  return variants.flat().map((folder) => {
    const [endpoint = "", variant = ""] = folder.slice(PREFIX.captures.length).split("/");
    return { endpoint, variant };
  });
}

/** Lines of a source's captures of an hour, in the order of their keys. */
export const capturedLines = (
  s3: S3Client,
  bucket: string,
  source: CaptureSource,
  at: Date,
): AsyncGenerator<StoredLine> => linesBelow(s3, bucket, captureFolder(source, at));

/** Keys of all objects below a prefix, in their order. */
export async function* keysBelow(s3: S3Client, bucket: string, prefix: string): AsyncGenerator<string> {
  for await (const { keys } of list(s3, bucket, prefix)) yield* keys;
}

/** Lines of all objects below a prefix, in the order of their keys: streamed, a few objects ahead. */
export async function* linesBelow(s3: S3Client, bucket: string, prefix: string): AsyncGenerator<StoredLine> {
  for await (const { keys } of list(s3, bucket, prefix)) {
    const opened: Promise<AsyncIterable<Uint8Array>>[] = [];
    for (const [index, key] of keys.entries()) {
      for (const next of keys.slice(opened.length, index + AHEAD)) {
        const opening = open(s3, bucket, next);
        // Told when its turn comes; until then nobody waits for it.
        opening.catch(() => undefined);
        opened.push(opening);
      }
      const body = await opened[index];
      if (body === undefined) continue;
      for await (const text of linesOf(body)) yield { key, text };
    }
  }
}

async function open(s3: S3Client, bucket: string, key: string): Promise<AsyncIterable<Uint8Array>> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (body ?? []) as AsyncIterable<Uint8Array>;
}
