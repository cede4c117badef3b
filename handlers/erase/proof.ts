import type { SubjectBucket } from "./places.ts";
import type { Progress } from "./progress.ts";
import type { Subject } from "./request.ts";

/** Where an erasure does not reach, in the proof's own words. */
export const NOT_REACHED = [
  "Replicas in another region and backups: they age out by their own retention, and a restore must be followed by the erasure again",
  "Models that were trained before: train them again where the law asks for it",
  "Counts and histograms of statistics: they hold no row, and of texts the subject's was replaced",
] as const;

/**
 * The proof of an erasure that is done. Names the subject by its pseudonym alone; a key in which its text stands is named by a
 * pseudonym as well.
 */
export function proofOf(
  progress: Progress,
  context: {
    readonly subject: Subject;
    readonly bucketName: (bucket: SubjectBucket) => string;
    readonly pseudonym: (text: string) => string;
    /** ARN of the function that did it. */
    readonly by: string;
    readonly now: Date;
  },
) {
  const { requestId, subject, requestedBy, reason, startedAt, passes, affected, records } = progress;
  const texts = context.subject.map(({ value }) => value.toLowerCase());
  const keyOf = (key: string) =>
    texts.some((text) => key.toLowerCase().includes(text))
      ? { keyPseudonym: context.pseudonym(key) }
      : { key };
  const {
    startedAt: from,
    endedAt: until,
    found: _,
    ...counts
  } = passes.at(-1) ?? { startedAt: "", found: 0 };
  return {
    version: 1,
    requestId,
    subject,
    columns: context.subject.map(({ name }) => name),
    requestedBy,
    reason,
    by: context.by,
    startedAt,
    erasedAt: context.now.toISOString(),
    counts: {
      objects: affected.length,
      versionsDeleted: affected.reduce((sum, { held }) => sum + held.length, 0),
      rowsErased: affected.reduce(
        (sum, { held }) => sum + held.reduce((rows, version) => rows + version.rows, 0),
        0,
      ),
      recordsDeleted: records,
    },
    objects: affected.map(({ bucket, key, held, after }) => ({
      bucket: context.bucketName(bucket),
      ...keyOf(key),
      before: held,
      ...(after && { after }),
    })),
    /** The search of everything after the last deletion. */
    search: { from, until, ...counts, found: 0 },
    notReached: NOT_REACHED,
  };
}
