import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import Type from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";
import { BaselineDocument, profileOfBaseline } from "./baseline-document.ts";
import type { Profile } from "./profile.ts";

const CURRENT = `${PREFIX.baselines}current.json`;

/** Names the newest version, which is at `baselines/<version>.json` and never changes. */
const Pointer = Type.Object({ version: Type.String({ pattern: "^[0-9]{6,}-[0-9a-f]{12}$" }) });

export interface Baseline {
  /** Number and digest, such as `000012-3f6c0d5be2a1`. */
  readonly version: string;
  readonly profile: Profile;
}

const place = (bucket: string, version: string) => ({ bucket, key: `${PREFIX.baselines}${version}.json` });

/**
 * The newest drift baseline in the bucket of accepted data; undefined while no data was accepted, or where the last was made by code whose
 * profiles can't be compared with ours.
 */
export async function readBaseline(s3: S3Client, bucket: string): Promise<Baseline | undefined> {
  const found = await openBaseline(s3, bucket);
  return found?.document && { version: found.version, profile: profileOfBaseline(found.document) };
}

export interface OpenBaseline {
  readonly version: string;
  /** Absent where it is of another format. */
  readonly document?: BaselineDocument;
  /** Of the pointer, for `replaceBaseline`. */
  readonly etag: string;
}

/** The newest version as it is stored; undefined when there is none. */
export async function openBaseline(s3: S3Client, bucket: string): Promise<OpenBaseline | undefined> {
  const pointer = await readDocument(s3, { bucket, key: CURRENT });
  if (pointer === undefined) return undefined;
  const { version } = Value.Parse(Pointer, pointer.value);
  const document = (await readDocument(s3, place(bucket, version)))?.value;
  return {
    version,
    etag: pointer.etag,
    ...(Value.Check(BaselineDocument, document) && { document }),
  };
}

/**
 * Makes a document the newest version, in place of the one that was opened, and returns its version. Throws `WriteConflict` when another
 * one has become the newest meanwhile: open it and merge again. Documents of versions that lost this way stay, named by nothing.
 */
export async function replaceBaseline(
  s3: S3Client,
  bucket: string,
  opened: OpenBaseline | undefined,
  document: BaselineDocument,
): Promise<string> {
  const digest = createHash("sha256").update(JSON.stringify(document)).digest("hex").slice(0, 12);
  const version = `${String(document.number).padStart(6, "0")}-${digest}`;
  try {
    await writeDocument(s3, place(bucket, version), document, { ifAbsent: true });
  } catch (error) {
    // The same version, as its name says: somebody was here before and got no further.
    if (!(error instanceof WriteConflict)) throw error;
  }
  const condition = opened === undefined ? { ifAbsent: true as const } : { ifMatch: opened.etag };
  await writeDocument(s3, { bucket, key: CURRENT }, { version }, condition);
  return version;
}
