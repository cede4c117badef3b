import { delistFromTraining } from "../manifests/training-manifest.ts";
import type { Affected } from "./progress.ts";
import { Unsearchable } from "./records.ts";
import { type Around, objectVersion, SuccessorUnverified } from "./scan.ts";
import { deleteVersion, listKeys } from "./versions.ts";

/**
 * Erases the subject from one key, step by step; `save` stores each step before the one that relies on it, and a step that was
 * interrupted is done again. Returns false where somebody wrote the object meanwhile: then nothing was done, and the next
 * pass finds it again. Throws `SuccessorUnverified`.
 */
export async function eraseFromKey(
  around: Around,
  affected: Affected,
  save: () => Promise<void>,
): Promise<boolean> {
  if (affected.state === "found") {
    if (!(await writeSuccessor(around, affected))) return false;
    affected.state = "written";
    await save();
  }
  if (affected.state === "written") {
    await verifySuccessor(around, affected);
    affected.state = "deleting";
    await save();
  }
  if (affected.state === "deleting") {
    await deleteHeld(around, affected);
    affected.state = "done";
    await save();
  }
  return true;
}

async function writeSuccessor(around: Around, affected: Affected): Promise<boolean> {
  const { bucket, key, current } = affected;
  if (current === undefined) return true;
  try {
    const written = await around.objects.rewrite(
      objectVersion(around, bucket, key, current),
      around.search(),
      {
        requestId: around.requestId,
        ...current,
      },
    );
    affected.after = { ...written, rows: current.rowsLeft };
    return true;
  } catch (error) {
    const { name } = error as Error;
    if (name === "PreconditionFailed" || name === "ConditionalRequestConflict") return false;
    throw error;
  }
}

/** Reads the successor back: its bytes are those that were kept, its rows as many as were left, and none is the subject's. */
async function verifySuccessor(around: Around, { bucket, key, after, current }: Affected): Promise<void> {
  if (after === undefined) return;
  const object = objectVersion(around, bucket, key, { versionId: after.versionId, bytes: 0 });
  const read = await around.objects.search(object, around.search()).catch((error: unknown) => {
    if (error instanceof Unsearchable) return undefined;
    throw error;
  });
  const isWhole =
    read?.found === 0 &&
    read.rows === after.rows &&
    read.sha256 === after.sha256 &&
    (current?.keptSha256 === undefined || current.keptSha256 === read.sha256);
  if (!isWhole) {
    throw new SuccessorUnverified(around.bucketName(bucket), after.versionId);
  }
}

async function deleteHeld(around: Around, { bucket, key, held, after }: Affected): Promise<void> {
  const { s3 } = around;
  const name = around.bucketName(bucket);
  const [before] = await all(listKeys(s3, name, { only: key }));
  const ids = new Set(held.map(({ versionId }) => versionId));
  // Without a marker on top, an older version would come back in place of the one that is deleted.
  const isUncovered =
    after === undefined && before?.versions.some(({ versionId, isLatest }) => isLatest && ids.has(versionId));
  if (isUncovered) {
    if (bucket === "validated") await delistFromTraining(s3, name, key);
    await deleteVersion(s3, name, key);
  }
  for (const { versionId } of held) await deleteVersion(s3, name, key, versionId);
  const [left] = await all(listKeys(s3, name, { only: key }));
  if (left === undefined || left.versions.length > 0) return;
  for (const { versionId } of left.markers) await deleteVersion(s3, name, key, versionId);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
