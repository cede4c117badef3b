import type { S3Client } from "@aws-sdk/client-s3";
import type { Search } from "./findings.ts";
import { type Blocking, tooLargeToRewrite, withinLimits } from "./limits.ts";
import { ERASED_MARK, type Objects, type ObjectVersion, type Searched } from "./objects.ts";
import { kindOf, type SubjectBucket } from "./places.ts";
import type { Affected } from "./progress.ts";
import { Unsearchable } from "./records.ts";
import { isReadable, type KeyVersions, type Version } from "./versions.ts";

/** A successor is not what it must be. Nothing of what it was made from is deleted. */
export class SuccessorUnverified extends Error {
  override readonly name = "SuccessorUnverified";

  constructor(bucket: string, versionId: string) {
    super(
      `Version ${versionId} of an object in ${bucket} is not what was to be kept of the one before: nothing was deleted. ` +
        "Delete that version, then ask for the erasure again",
    );
  }
}

/** What an erasure is about, and with what it works. */
export interface Around {
  readonly s3: S3Client;
  readonly objects: Objects;
  readonly bucketName: (bucket: SubjectBucket) => string;
  readonly format: "csv" | "jsonl" | "parquet";
  readonly requestId: string;
  /** The search as it is by now: it learns of the subject's predictions on its way. */
  readonly search: () => Search;
}

/** What was found under one key. */
export interface Scanned {
  readonly versions: number;
  rows: number;
  /** Versions with none of the subject's columns. */
  withoutColumns: number;
  /** Whether a version is archived and not restored yet. */
  archived: boolean;
  readonly blocking: Blocking[];
  affected?: Affected;
  /** Of the feature store. */
  readonly records: Set<string>;
  readonly inferences: Set<string>;
}

export const objectVersion = (
  { bucketName, format }: Around,
  bucket: SubjectBucket,
  key: string,
  { versionId, bytes }: Pick<Version, "versionId" | "bytes">,
): ObjectVersion => ({
  bucket: bucketName(bucket),
  key,
  versionId,
  bytes,
  kind: kindOf(bucket, key, format) ?? "document",
});

/** What of a key is searched, and what is too large for it. Nothing is in an empty version. */
export const versionsOf = (
  { format }: Pick<Around, "format">,
  bucket: SubjectBucket,
  { key, versions }: KeyVersions,
) =>
  withinLimits(
    versions.filter(({ bytes }) => bytes > 0),
    kindOf(bucket, key, format) ?? "document",
  );

/** Searches every version of a key. Versions that nobody can search don't keep the others from being searched. */
export async function scanKey(around: Around, bucket: SubjectBucket, key: KeyVersions): Promise<Scanned> {
  const { searchable, tooLarge } = versionsOf(around, bucket, key);
  const scanned: Scanned = {
    versions: key.versions.length,
    rows: 0,
    withoutColumns: 0,
    archived: false,
    blocking: [...tooLarge],
    records: new Set(),
    inferences: new Set(),
  };
  const affected: Affected = { bucket, key: key.key, state: "found", held: [] };
  for (const version of searchable) {
    if (!(await isReadable(around.s3, around.bucketName(bucket), key.key, version))) {
      scanned.archived = true;
      continue;
    }
    try {
      const object = objectVersion(around, bucket, key.key, version);
      const searched = await around.objects.search(object, around.search());
      note(searched, version, { scanned, affected, object, requestId: around.requestId });
    } catch (error) {
      if (!(error instanceof Unsearchable)) throw error;
      scanned.blocking.push({ versionId: version.versionId, reason: error.message });
    }
  }
  if (affected.held.length > 0) scanned.affected = affected;
  return scanned;
}

function note(
  searched: Searched,
  version: Version,
  to: { scanned: Scanned; affected: Affected; object: ObjectVersion; requestId: string },
): void {
  const { versionId, bytes, isLatest } = version;
  const { scanned, affected } = to;
  scanned.rows += searched.rows;
  if (!searched.hasColumns) scanned.withoutColumns += 1;
  if (searched.found === 0) {
    // Of an invocation that ended right after it wrote the successor.
    if (isLatest && searched.metadata[ERASED_MARK] === to.requestId) {
      affected.after = { versionId, sha256: searched.sha256, rows: searched.rows };
    }
    return;
  }
  // A document counts as one row that stays; of a table without other rows nothing is left to write.
  const rowsLeft = to.object.kind === "document" ? 1 : searched.rows - searched.found;
  for (const record of searched.records) scanned.records.add(record);
  for (const inference of searched.inferences) scanned.inferences.add(inference);
  const isRewritten = isLatest && rowsLeft > 0;
  const tooLarge = isRewritten ? tooLargeToRewrite(version, to.object.kind) : undefined;
  if (tooLarge !== undefined) {
    scanned.blocking.push({ versionId, reason: tooLarge });
    return;
  }
  const { sha256, keptSha256 } = searched;
  const { after } = affected;
  if (after !== undefined && affected.held.length === 0) {
    const isItsSuccessor =
      after.rows === rowsLeft && (keptSha256 === undefined || keptSha256 === after.sha256);
    if (!isItsSuccessor) throw new SuccessorUnverified(to.object.bucket, after.versionId);
  }
  affected.held.push({ versionId, sha256, bytes, rows: searched.found });
  if (isRewritten) {
    affected.current = {
      versionId,
      bytes,
      sha256,
      rowsLeft,
      ...(keptSha256 !== undefined && { keptSha256 }),
    };
  }
}
