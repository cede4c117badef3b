import type { S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { TRAFFIC } from "../../programs/storage-layout.ts";
import { readDocument, writeDocument } from "../runtime/documents.ts";

/** What the gate divides requests by: percent by endpoint. */
export const Traffic = Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 100 }));

/**
 * Divides the traffic; nothing is written where it is divided so already. `confirm` runs between reading and writing, so that whoever
 * lost its hold meanwhile overwrites nothing. Throws `WriteConflict` where somebody else wrote.
 */
export async function divideTraffic(
  s3: S3Client,
  bucket: string,
  wanted: Readonly<Record<string, number>>,
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
