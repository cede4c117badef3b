import type { S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html: a prefix, and keys behind it. */
const Manifest = Type.Unsafe<[{ prefix: string }, ...string[]]>(
  Type.Array(Type.Union([Type.Object({ prefix: Type.String() }), Type.String()]), { minItems: 1 }),
);

/** Objects of all functions that run at the same time meet here, and each try is one of them less. */
const ATTEMPTS = 20;

/** Lists an accepted object for training. Idempotent. */
export async function listForTraining(s3: S3Client, bucket: string, key: string): Promise<void> {
  const place = { bucket, key: TRAINING_MANIFEST };
  for (let attempt = 1; ; attempt++) {
    const found = await readDocument(s3, place);
    const [prefix, ...keys] =
      found === undefined ? [{ prefix: `s3://${bucket}/` }] : Value.Parse(Manifest, found.value);
    if (keys.includes(key)) return;
    const condition = found === undefined ? ({ ifAbsent: true } as const) : { ifMatch: found.etag };
    try {
      await writeDocument(s3, place, [prefix, ...keys, key], condition);
      return;
    } catch (error) {
      if (!(error instanceof WriteConflict) || attempt === ATTEMPTS) throw error;
    }
  }
}
