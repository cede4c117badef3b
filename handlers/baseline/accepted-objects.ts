import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSRecord } from "aws-lambda";
import Type from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import type { AcceptedObject } from "../dataset/baseline-document.ts";
import { readProfile } from "../dataset/profile-store.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; unlike in S3's own notifications, the key is as it is. */
const ObjectCreated = Type.Object({
  "detail-type": Type.Literal("Object Created"),
  time: Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" }),
  detail: Type.Object({
    bucket: Type.Object({ name: Type.String() }),
    object: Type.Object({ key: Type.String({ minLength: 1 }), "version-id": Type.String({ minLength: 1 }) }),
  }),
});

/**
 * Validation writes an object and then its profile; one that was interrupted between is begun anew after 90 minutes, and by then the object
 * has another version. A message comes back every 35 minutes and four times, so that none of these ends among the unprocessed.
 */
const PROFILE_DUE_MS = 2 * 3_600_000;

/** An event of something that the baseline isn't made of: the queue's policy or the rule's pattern is not what it should be. */
export class UnexpectedObject extends Error {
  override readonly name = "UnexpectedObject";
}

/** The object's profile isn't there yet. */
export class ProfilePending extends Error {
  override readonly name = "ProfilePending";
}

/**
 * The object that a message tells of, with its profile; undefined for one that never got a profile, because something else than validation
 * wrote it: an erasure rewrites objects whose rows the baseline has already. Throws `ProfilePending` for two hours, and `UnexpectedObject`.
 */
export async function readAcceptedObject(
  s3: S3Client,
  bucket: string,
  { body }: SQSRecord,
  now: Date,
): Promise<AcceptedObject | undefined> {
  const { time, detail } = Value.Parse(ObjectCreated, JSON.parse(body));
  const { key, "version-id": versionId } = detail.object;
  if (detail.bucket.name !== bucket || !key.startsWith(PREFIX.acceptedData)) {
    throw new UnexpectedObject(`s3://${detail.bucket.name}/${key} is no accepted data of this pipeline`);
  }
  const profile = await readProfile(s3, bucket, { key, versionId });
  if (profile !== undefined) return { key, versionId, at: time, profile };
  if (now.getTime() - Date.parse(time) < PROFILE_DUE_MS)
    throw new ProfilePending(`${key} has no profile yet`);
  return undefined;
}
