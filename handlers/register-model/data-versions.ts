import { createHash } from "node:crypto";
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import type { LineageDocument } from "../models/lineage-document.ts";
import { headObject, type ObjectFacts, parseS3Uri } from "../models/objects.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import type { Gaps } from "./gaps.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html: a common beginning, then what follows it. */
const Manifest = Type.Array(Type.Union([Type.Object({ prefix: Type.String() }), Type.String()]));

const HEADS_AT_ONCE = 50;
/** Of missing objects that a gap names. */
const NAMED = 10;

/**
 * The objects that a manifest lists, each in the version that was current at `readAt`: manifests name no versions. S3 dates versions
 * by whole seconds, so what was written in the very second in which the job began counts as read.
 */
export async function dataVersions(
  s3: S3Client,
  manifest: { readonly uri: string; readonly readAt: Date },
  validatedBucket: string,
  gaps: Gaps,
): Promise<LineageDocument["data"]> {
  const place = parseS3Uri(manifest.uri);
  if (place?.bucket !== validatedBucket) {
    gaps.add("manifest_elsewhere", manifest.uri);
    return null;
  }
  const version = await versionAt(s3, place, manifest.readAt);
  if (version === undefined) {
    gaps.add("manifest_missing", manifest.uri);
    return null;
  }
  const { versionId } = version;
  const text = await contentOf(s3, version);
  const uris = listedUris(text);
  if (uris === undefined) {
    gaps.add("manifest_unreadable", manifest.uri);
    return null;
  }
  const objects = await inParallel(uris, HEADS_AT_ONCE, async (uri) => {
    const listed = parseS3Uri(uri);
    // What lies elsewhere can't be read here, and is no accepted data.
    return listed?.bucket === validatedBucket ? versionAt(s3, listed, manifest.readAt) : undefined;
  });
  const missing = uris.filter((_, index) => objects[index] === undefined);
  if (missing.length > 0) {
    gaps.add("objects_missing", `${missing.length}: ${missing.slice(0, NAMED).join(", ")}`);
  }
  return {
    manifest: { ...place, versionId, sha256: createHash("sha256").update(text).digest("hex") },
    objects: objects.flatMap((object) => (object === undefined ? [] : [dataObject(object)])),
  };
}

const dataObject = ({ bucket, key, versionId, size, metadata }: ObjectFacts) => ({
  bucket,
  key,
  versionId,
  size,
  metadata: { ...metadata },
});

async function contentOf(s3: S3Client, { bucket, key, versionId }: ObjectFacts): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  return (await Body?.transformToString()) ?? "";
}

/** Addresses in a manifest, or undefined where it is none. */
export function listedUris(text: string): readonly string[] | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Value.Check(Manifest, manifest)) return undefined;
  const [head, ...rest] = manifest;
  if (typeof head !== "object") return undefined;
  return rest.flatMap((entry) => (typeof entry === "string" ? [`${head.prefix}${entry}`] : []));
}

/** The version of an object that was current at a moment, or undefined where there was none. */
async function versionAt(
  s3: S3Client,
  place: { readonly bucket: string; readonly key: string },
  at: Date,
): Promise<ObjectFacts | undefined> {
  const current = await headObject(s3, place);
  if (current !== undefined && current.modifiedAt <= at) return current;
  const versionId = await olderVersion(s3, place, at);
  return versionId === undefined ? undefined : headObject(s3, { ...place, versionId });
}

async function olderVersion(
  s3: S3Client,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  at: Date,
): Promise<string | undefined> {
  let KeyMarker: string | undefined;
  let VersionIdMarker: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, KeyMarker, VersionIdMarker }),
    );
    // Versions and delete markers of a key come newest first; keys that begin alike come after it.
    const states = [
      ...(page.Versions ?? []),
      ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isDeleted: true })),
    ].filter(({ Key, LastModified }) => Key === key && LastModified !== undefined && LastModified <= at);
    states.sort((one, other) => (other.LastModified?.getTime() ?? 0) - (one.LastModified?.getTime() ?? 0));
    const [newest] = states;
    if (newest !== undefined) return "isDeleted" in newest ? undefined : newest.VersionId;
    KeyMarker = page.NextKeyMarker;
    VersionIdMarker = page.NextVersionIdMarker;
  } while (KeyMarker === key);
  return undefined;
}
