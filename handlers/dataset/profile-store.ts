import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readDocument, writeDocument } from "../runtime/documents.ts";
import { type Profile, parseProfile } from "./profile.ts";

/** A version of an accepted object. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
}

/** Where its profile is. By a hash, as the object's key may take all the length that a key can have. */
export function profileKey({ key, versionId }: ObjectVersion): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([key, versionId]))
    .digest("hex");
  return `${PREFIX.profiles}${digest}.json`;
}

/** Keeps the profile of an object in the bucket that has the object. Idempotent. */
export async function writeProfile(
  s3: S3Client,
  bucket: string,
  object: ObjectVersion,
  profile: Profile,
): Promise<void> {
  await writeDocument(s3, { bucket, key: profileKey(object) }, profile);
}

/** The profile of an object, or undefined where there is none that this version of the code understands. */
export async function readProfile(
  s3: S3Client,
  bucket: string,
  object: ObjectVersion,
): Promise<Profile | undefined> {
  return parseProfile((await readDocument(s3, { bucket, key: profileKey(object) }))?.value);
}
