import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { TRAFFIC } from "../../programs/storage-layout.ts";
import { readDocument, writeDocument } from "../runtime/documents.ts";
import { TransformDigest } from "./documents.ts";

const Percent = Type.Integer({ minimum: 0, maximum: 100 });

/**
 * What the gate divides requests by: percent by endpoint. A version that takes finished features names the digest of the transform that
 * makes them; both stand in one document, so that no request gets another version's features.
 */
export const Traffic = Type.Record(
  Type.String(),
  Type.Union([Percent, Type.Object({ percent: Percent, transform: TransformDigest })]),
);
export type Traffic = Static<typeof Traffic>;

/**
 * Divides the traffic; nothing is written where it is divided so already. `confirm` runs between reading and writing, so that whoever
 * lost its hold meanwhile overwrites nothing. Throws `WriteConflict` where somebody else wrote.
 */
export async function divideTraffic(
  s3: S3Client,
  bucket: string,
  wanted: Readonly<Traffic>,
  confirm: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const place = { bucket, key: TRAFFIC };
  const before = await readDocument(s3, place);
  if (Value.Equal(before?.value, wanted)) return;
  await confirm();
  await writeDocument(
    s3,
    place,
    wanted,
    before === undefined ? { ifAbsent: true } : { ifMatch: before.etag },
  );
}
