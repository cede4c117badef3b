import { statfs } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * A backend of files is used only while this much is free. The engine (3.257) rewrites the whole state after every step, and keeps a
 * copy; when the disk is full in the midst of that, it leaves both cut off (gocloud's `fileblob` renames what it could not finish),
 * and then waits for ever. What is under way when it is asked to stop still writes: up to 64 steps, a few megabytes each.
 */
const leastBytes = 64 * 1024 * 1024;
const lookMs = 1_000;

/** Whether a backend has room for another operation; those that aren't of files look after themselves. */
export async function hasRoom(backendUrl: string): Promise<boolean> {
  if (!backendUrl.startsWith("file:///")) return true;
  try {
    const { bavail, bsize } = await statfs(fileURLToPath(new URL(backendUrl)));
    return bavail * bsize >= leastBytes;
  } catch {
    // A backend that isn't there is the engine's to complain of.
    return true;
  }
}

/** Looks every second, and calls `onFull` once when the room is used up; the function that it returns ends that. */
export function watchRoom(backendUrl: string, onFull: () => void): () => void {
  if (!backendUrl.startsWith("file:///")) return () => {};
  const timer = setInterval(async () => {
    if (await hasRoom(backendUrl)) return;
    clearInterval(timer);
    onFull();
  }, lookMs);
  return () => clearInterval(timer);
}
