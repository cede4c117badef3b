import type { S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { lineageDocuments } from "../models/lineage-document.ts";
import { type ModelVersion, modelVersion } from "../models/model-package.ts";
import { s3Uri } from "../models/objects.ts";
import { signatureDocuments } from "../models/signed-manifest.ts";
import { type ObjectPlace, readDocument } from "../runtime/documents.ts";
import type { GateFacts, ReleasedModel } from "./rules.ts";

/** What the other functions of a registration write is not there yet. */
export class NotReady extends Error {
  override readonly name = "NotReady";
}

export interface RecordedFacts {
  readonly lineage: GateFacts["lineage"];
  readonly signature: GateFacts["signature"];
  readonly released: ReleasedModel | undefined;
}

/** What is recorded of a version and of the released one. Throws `NotReady`. */
export async function recordedFacts(
  s3: S3Client,
  bucket: string,
  model: ModelVersion,
  group: string,
): Promise<RecordedFacts> {
  const lineages = lineageDocuments(s3, bucket);
  const signatures = signatureDocuments(s3, bucket);
  const lineage = await lineages.read(model);
  if (lineage === undefined) throw missing(lineages.placeOf(model), "register-model");
  const signature = await signatures.read(model);
  if (signature === undefined) throw missing(signatures.placeOf(model), "sign-model");
  return { lineage, signature, released: await releasedModel(s3, bucket, group) };
}

const missing = (place: ObjectPlace, writer: string) =>
  new NotReady(
    `${s3Uri(place)} does not exist: look why ${writer} failed, send it the event in the dead-letter queue again, then this one`,
  );

/** Of the release's own document only what is needed here. */
const Released = Type.Object({ modelPackageArn: Type.String() });

async function releasedModel(
  s3: S3Client,
  bucket: string,
  group: string,
): Promise<ReleasedModel | undefined> {
  const current = await readDocument(s3, { bucket, key: `${PREFIX.releases}current.json` });
  if (current === undefined) return undefined;
  const { modelPackageArn } = Value.Parse(Released, current.value);
  const lineage = await lineageDocuments(s3, bucket).read(modelVersion(modelPackageArn, group));
  return { modelPackageArn, metrics: lineage?.evaluation?.metrics ?? {} };
}
