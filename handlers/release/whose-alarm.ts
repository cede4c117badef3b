import type { ReleaseState } from "./documents.ts";
import type { RecordedReleases } from "./recorded-release.ts";

/** EventBridge dates events by whole seconds. */
const SECOND_MS = 1000;

/**
 * Whether an alarm that began at a moment (ISO 8601) is about what serves now. A release is answerable from when callers began to see it, which
 * is before it was recorded; what came back, from when it had all of the traffic again. `released` is the document of the release that is recorded.
 */
export function isAboutWhatServes(
  at: string,
  { by, recordedAt, returnedAt }: RecordedReleases,
  released: Pick<ReleaseState, "shiftingSince"> | undefined,
): boolean {
  const beganMs = Date.parse(at);
  if (returnedAt !== undefined && beganMs <= Date.parse(returnedAt)) return false;
  if (by !== "release" || released?.shiftingSince === undefined) return beganMs > Date.parse(recordedAt);
  // Nothing is shifted while an alarm rings, so one that began in the very second in which callers first saw the version is about it.
  return beganMs + SECOND_MS > Date.parse(released.shiftingSince);
}
