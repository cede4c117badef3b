import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html: a prefix, and keys behind it. */
const Manifest = Type.Unsafe<[{ prefix: string }, ...string[]]>(
  Type.Array(Type.Union([Type.Object({ prefix: Type.String() }), Type.String()]), { minItems: 1 }),
);
type Manifest = Static<typeof Manifest>;

/** Objects of all functions that run at the same time meet here, and each try is one of them less. */
const ATTEMPTS = 20;

/** Lists an accepted object for training. Idempotent. */
export async function listForTraining(s3: S3Client, bucket: string, key: string): Promise<void> {
  await change(s3, bucket, (stored = [{ prefix: `s3://${bucket}/` }]) => {
    const [prefix, ...keys] = Value.Parse(Manifest, stored);
    return keys.includes(key) ? undefined : [prefix, ...keys, key];
  });
}

/**
 * Takes an object that training can't read any more out of its list, because jobs fail at it. Idempotent. A manifest that somebody has broken
 * lists nothing, and is left as it is.
 */
export async function delistFromTraining(s3: S3Client, bucket: string, key: string): Promise<void> {
  await change(s3, bucket, (stored) => {
    if (!Value.Check(Manifest, stored) || !stored.includes(key)) return undefined;
    const [prefix, ...keys] = stored;
    return [prefix, ...keys.filter((each) => each !== key)];
  });
}

/** Writes what `changed` makes of what is stored, which may be nothing yet. Where it answers undefined, nothing is written. */
async function change(
  s3: S3Client,
  bucket: string,
  changed: (stored: unknown) => Manifest | undefined,
): Promise<void> {
  const place = { bucket, key: TRAINING_MANIFEST };
  for (let attempt = 1; ; attempt++) {
    const found = await readDocument(s3, place);
    const manifest = changed(found?.value);
    if (manifest === undefined) return;
    const condition = found === undefined ? ({ ifAbsent: true } as const) : { ifMatch: found.etag };
    try {
      await writeDocument(s3, place, manifest, condition);
      return;
    } catch (error) {
      if (!(error instanceof WriteConflict) || attempt === ATTEMPTS) throw error;
    }
  }
}
