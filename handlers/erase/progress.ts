import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import { readDocument, writeDocument } from "../runtime/documents.ts";
import { SUBJECT_BUCKETS } from "./places.ts";
import { deleteVersion, listKeys } from "./versions.ts";

const Bucket = Type.Enum([...SUBJECT_BUCKETS]);
const Held = Type.Object({
  versionId: Type.String(),
  /** Of the version's content. */
  sha256: Type.String(),
  bytes: Type.Number(),
  /** Rows of the subject. */
  rows: Type.Number(),
});

/** What was done about one key whose versions held the subject. */
const Affected = Type.Object({
  bucket: Bucket,
  key: Type.String(),
  /** `found` → `written` → `deleting` → `done`; what has no rows left goes without being written. */
  state: Type.Enum(["found", "written", "deleting", "done"]),
  /** Versions that held the subject, and are deleted in the end. */
  held: Type.Array(Held),
  /** The version that is rewritten, where the current one held the subject and others' rows as well. */
  current: Type.Optional(
    Type.Object({
      versionId: Type.String(),
      sha256: Type.String(),
      bytes: Type.Number(),
      rowsLeft: Type.Number(),
      /** Of what is to be kept, where it was known before it was written. */
      keptSha256: Type.Optional(Type.String()),
    }),
  ),
  /** What took its place. */
  after: Type.Optional(Type.Object({ versionId: Type.String(), sha256: Type.String(), rows: Type.Number() })),
});
export type Affected = Static<typeof Affected>;

const Pass = Type.Object({
  startedAt: Type.String(),
  endedAt: Type.Optional(Type.String()),
  keys: Type.Number(),
  versions: Type.Number(),
  rows: Type.Number(),
  /** Keys of which a version held the subject. */
  found: Type.Number(),
  /** Objects with none of the subject's columns: no row in them can be told to be anybody's. */
  withoutColumns: Type.Number(),
});
export type Pass = Static<typeof Pass>;

const Place = Type.Object({ bucket: Bucket, key: Type.String() });

/** How far an erasure is. Names the subject by its pseudonym only. */
export const Progress = Type.Object({
  requestId: Type.String(),
  subject: Type.String(),
  requestedBy: Type.String(),
  reason: Type.String(),
  startedAt: Type.String(),
  /** Searches of everything from the first key to the last; the one that finds nothing is the last. */
  passes: Type.Array(Pass),
  /** Where the pass that is under way goes on. */
  cursor: Type.Object({ bucket: Bucket, after: Type.Optional(Type.String()) }),
  affected: Type.Array(Affected),
  /** Archived versions that this pass had to leave out; their restoration is asked for. */
  archived: Type.Array(Place),
  /** Versions that can't be searched, or not be written again, with the reason. */
  unsearchable: Type.Array(
    Type.Intersect([Place, Type.Object({ versionId: Type.String(), reason: Type.String() })]),
  ),
  /** Ids of the subject's predictions, by which its labels are told. */
  inferences: Type.Array(Type.String()),
  /** Records deleted from the online store. */
  records: Type.Number(),
});
export type Progress = Static<typeof Progress>;

export const proofKey = (requestId: string) => `${PREFIX.erasures}${requestId}.json`;
const progressKey = (requestId: string) => `${PREFIX.erasures}progress/${requestId}.json`;

/** The stored progress of an erasure. Two invocations at once don't go on together: the second to write meets `WriteConflict`. */
export class ProgressFile {
  readonly #s3: S3Client;
  readonly #place: { readonly bucket: string; readonly key: string };
  #etag: string | undefined;

  constructor(s3: S3Client, bucket: string, requestId: string) {
    this.#s3 = s3;
    this.#place = { bucket, key: progressKey(requestId) };
  }

  async load(): Promise<Progress | undefined> {
    const stored = await readDocument(this.#s3, this.#place);
    if (stored === undefined) return undefined;
    this.#etag = stored.etag;
    return Value.Parse(Progress, stored.value);
  }

  async save(progress: Progress): Promise<void> {
    const condition = this.#etag === undefined ? ({ ifAbsent: true } as const) : { ifMatch: this.#etag };
    this.#etag = (await writeDocument(this.#s3, this.#place, progress, condition)).etag;
  }

  /** Once the proof stands: keys of objects may tell of whom they are. */
  async remove(): Promise<void> {
    const { bucket, key } = this.#place;
    for await (const { versions, markers } of listKeys(this.#s3, bucket, { only: key })) {
      for (const { versionId } of [...versions, ...markers])
        await deleteVersion(this.#s3, bucket, key, versionId);
    }
  }
}
