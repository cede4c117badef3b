import type { S3Client } from "@aws-sdk/client-s3";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";

/** Accepted objects are listed at the same time, and each try is one of them less. */
const ATTEMPTS = 20;

/** Takes an object that is to go out of the list that training reads: a job fails at a key that is not there. Idempotent. */
export async function delistFromTraining(s3: S3Client, bucket: string, key: string): Promise<void> {
  const place = { bucket, key: TRAINING_MANIFEST };
  for (let attempt = 1; ; attempt++) {
    const found = await readDocument(s3, place);
    // [{ "prefix": "s3://…/" }, "key", …]: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    if (found === undefined || !Array.isArray(found.value) || !found.value.includes(key)) return;
    const others = found.value.filter((entry) => entry !== key);
    try {
      await writeDocument(s3, place, others, { ifMatch: found.etag });
      return;
    } catch (error) {
      if (!(error instanceof WriteConflict) || attempt === ATTEMPTS) throw error;
    }
  }
}
