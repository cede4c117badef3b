import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { Verdict } from "../dataset/verdict.ts";
import { type ObjectPlace, readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";

const ObjectVersion = Type.Object(
  { bucket: Type.String(), key: Type.String(), versionId: Type.String() },
  { additionalProperties: false },
);

/** A verdict with what it is about, as it is kept. */
export const VerdictDocument = Type.Object(
  {
    source: ObjectVersion,
    /** Request of Lambda, or processing job, that came to it. */
    run: Type.String(),
    /** The copy; absent where a newer version of the object was there already. */
    destination: Type.Optional(ObjectVersion),
    verdict: Verdict,
  },
  { additionalProperties: false },
);
export type VerdictDocument = Static<typeof VerdictDocument>;

/** By a hash, as the object's key may take all the length that a key can have. */
export function verdictKey({ key, versionId }: { readonly key: string; readonly versionId: string }): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([key, versionId]))
    .digest("hex");
  return `${PREFIX.verdicts}${digest}.json`;
}

/** The verdict about an object's version, or undefined while there is none. */
export async function readVerdict(
  s3: S3Client,
  bucket: string,
  object: { readonly key: string; readonly versionId: string },
): Promise<VerdictDocument | undefined> {
  const found = (await readDocument(s3, { bucket, key: verdictKey(object) }))?.value;
  return Value.Check(VerdictDocument, found) ? found : undefined;
}

/** Writes it once. False where somebody else did: then that one counts. */
export async function writeVerdict(
  s3: S3Client,
  place: ObjectPlace,
  document: VerdictDocument,
): Promise<boolean> {
  try {
    await writeDocument(s3, place, document, { ifAbsent: true });
    return true;
  } catch (error) {
    if (error instanceof WriteConflict) return false;
    throw error;
  }
}
