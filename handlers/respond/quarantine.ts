import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { QUARANTINED_TAG } from "../../programs/containment.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { delistFromTraining } from "../manifests/training-manifest.ts";
import { headObject } from "../models/objects.ts";

/** Four of them are in memory; 10,000 of them are 160 GB. */
const PART_BYTES = 16 * 1024 * 1024;

/** S3 allows ten tags. */
const MOST_TAGS = 10;

const LONGEST_KEY = 1024;

export interface Suspect {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  /** Whether trainings may read it. */
  readonly isAcceptedData: boolean;
}

export interface SetApart {
  readonly versionId?: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly copy: string;
  /** False where it is made sure that no training is given the object any more. */
  readonly listed?: false;
}

/**
 * Marks an object, so that from now on nobody reads it but who looks into it, takes it out of the list of what is trained on, and copies it
 * to the quarantine bucket at `copyKey`.
 * S3 compares what arrives with checksums of what was read, part by part, and refuses anything else. Undefined where the object is
 * gone. Idempotent. Throws where the copy has another length than the object.
 */
export async function setApart(
  s3: S3Client,
  { bucket: Bucket, key: Key, versionId, isAcceptedData }: Suspect,
  quarantine: { readonly bucket: string; readonly key: string },
): Promise<SetApart | undefined> {
  let version = versionId;
  let size: number;
  try {
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, VersionId: versionId }));
    // Whatever is written meanwhile is another object.
    version ??= head.VersionId;
    size = head.ContentLength ?? 0;
  } catch (error) {
    const { name } = error as Error;
    if (name === "NotFound" || name === "NoSuchKey" || name === "NoSuchVersion") return undefined;
    throw error;
  }
  const place = { Bucket, Key, VersionId: version };
  await mark(s3, place);
  // Before the copy, which may fail: the mark alone makes trainings fail.
  const isTrainedOn = isAcceptedData && (await isCurrent(s3, place));
  if (isTrainedOn) await delistFromTraining(s3, Bucket, Key);
  const copied = await copy(s3, place, quarantine);
  if (copied.bytes !== size) {
    throw new Error(`The copy of s3://${Bucket}/${Key} has ${copied.bytes} bytes and not ${size}`);
  }
  return {
    ...copied,
    copy: `s3://${quarantine.bucket}/${quarantine.key}`,
    ...(version !== undefined && { versionId: version }),
    ...(isTrainedOn && { listed: false }),
  };
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId: string | undefined;
}

/** Setting tags replaces all of them, so those that are there are set again. */
async function mark(s3: S3Client, place: Place): Promise<void> {
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand(place));
  if (TagSet.some(({ Key, Value }) => Key === QUARANTINED_TAG && Value === "true")) return;
  const others = TagSet.filter(({ Key }) => Key !== QUARANTINED_TAG).slice(0, MOST_TAGS - 1);
  const tags = [...others, { Key: QUARANTINED_TAG, Value: "true" }];
  await s3.send(new PutObjectTaggingCommand({ ...place, Tagging: { TagSet: tags } }));
}

/** Manifests name keys, so that a training reads the newest version, and never one that was replaced. */
async function isCurrent(s3: S3Client, { Bucket, Key, VersionId }: Place): Promise<boolean> {
  const current = await headObject(s3, { bucket: Bucket, key: Key });
  return current !== undefined && current.versionId === VersionId;
}

async function copy(
  s3: S3Client,
  place: Place,
  target: { readonly bucket: string; readonly key: string },
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { Body, ContentType } = await s3.send(new GetObjectCommand(place));
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const body = Body instanceof Readable ? Body : Readable.from([]);
  body.on("error", (error) => counted.destroy(error));
  await new Upload({
    client: s3,
    partSize: PART_BYTES,
    queueSize: 4,
    params: {
      Bucket: target.bucket,
      Key: target.key,
      Body: body.pipe(counted),
      ChecksumAlgorithm: "SHA256",
      ...(ContentType !== undefined && { ContentType }),
    },
  }).done();
  return { bytes, sha256: hash.digest("hex") };
}

/** Where an incident's copy of an object stands; its own key behind it, as far as that fits. */
export function copyKey(eventId: string, bucketKind: string, key: string, versionId = ""): string {
  const folder = `${PREFIX.incidents}${eventId}/${bucketKind}/`;
  const named = `${folder}${versionId}${versionId && "/"}${key}`;
  if (Buffer.byteLength(named) <= LONGEST_KEY) return named;
  return `${folder}${createHash("sha256").update(`${versionId}/${key}`).digest("hex")}`;
}
