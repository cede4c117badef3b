import type { ObjectKind } from "./places.ts";
import type { Version } from "./versions.ts";

/** This invocation's time is up. Everything is stored; the next one goes on from there. */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

const GIB = 1024 ** 3;

/** More than this an invocation can't read twice in its fifteen minutes. */
const MAX_BYTES = 12 * GIB;

/** In /tmp, of 10 GiB, beside what DuckDB spills. */
const MAX_PARQUET_BYTES = 8 * GIB;

/** A Parquet file and its successor must both fit there, and with other encodings the successor may be the larger one. */
const MAX_REWRITTEN_PARQUET_BYTES = 4 * GIB;

/** More than this an invocation can't read in its time, in which it searches all versions of a key. */
const MAX_KEY_BYTES = 24 * GIB;

/** A version that stays as it is until a person does something about it. */
export interface Blocking {
  readonly versionId: string;
  readonly reason: string;
}

/** Versions of a key that an invocation can search, the newest first as they are given, and those that are too large. */
export function withinLimits(
  versions: readonly Version[],
  kind: ObjectKind,
): { readonly searchable: readonly Version[]; readonly tooLarge: readonly Blocking[] } {
  const searchable: Version[] = [];
  const tooLarge: Blocking[] = [];
  let bytes = 0;
  for (const version of versions) {
    const reason = tooLargeAlone(version, kind) ?? tooLargeTogether(bytes + version.bytes);
    if (reason === undefined) {
      searchable.push(version);
      bytes += version.bytes;
    } else {
      tooLarge.push({ versionId: version.versionId, reason });
    }
  }
  return { searchable, tooLarge };
}

function tooLargeAlone({ bytes }: Version, kind: ObjectKind): string | undefined {
  if (kind === "parquet" && bytes > MAX_PARQUET_BYTES) return "It is a Parquet file of more than 8 GiB";
  return bytes > MAX_BYTES ? "It has more than 12 GiB" : undefined;
}

const tooLargeTogether = (bytes: number): string | undefined =>
  bytes > MAX_KEY_BYTES ? "With newer versions of its key it has more than 24 GiB" : undefined;

/** Why a version that was searched can't be written again; undefined where it can. */
export const tooLargeToRewrite = ({ bytes }: Pick<Version, "bytes">, kind: ObjectKind): string | undefined =>
  kind === "parquet" && bytes > MAX_REWRITTEN_PARQUET_BYTES
    ? "It is a Parquet file of more than 4 GiB, and the subject is in it beside others"
    : undefined;
