import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, open, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline as piped } from "node:stream/promises";
import { AppError } from "../errors.ts";

/** The largest file that a request may bring; larger ones are dropped into the folder. */
const largestUploadBytes = 2 * 1024 ** 3;

/** Plain files of these names, and what else lies in a folder. What begins with a dot is nobody's business. */
export async function lookInto(
  folder: string,
  isName: (name: string) => boolean,
): Promise<{ readonly files: readonly string[]; readonly others: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  const others: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    (entry.isFile() && isName(entry.name) ? files : others).push(join(folder, entry.name));
  }
  return { files, others };
}

/** What `receiveFile` has begun to write, and has not ended. */
export async function beginningsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\..*\.part$/.test(name)).map((name) => join(folder, name));
}

/** Passes over a file that somebody else has moved meanwhile. */
export async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Throws `payload_too_large` for a request that announces more than may come: before any of it has. */
export function refuseTooLarge(bytes: number): void {
  if (bytes <= largestUploadBytes) return;
  throw new AppError(
    "payload_too_large",
    "A file of more than 2 GiB comes by no request: drop it into the pipeline's raw folder",
  );
}

const brokenOff = new Set(["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"]);

/** Writes a file as it arrives and returns how many bytes came. */
export async function receiveFile(body: Readable, path: string): Promise<number> {
  let bytes = 0;
  try {
    await piped(
      body,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          refuseTooLarge(bytes);
          yield chunk;
        }
      },
      createWriteStream(path, { flags: "wx", mode: 0o600 }),
    );
  } catch (error) {
    // What the disk has to say has other codes: these are the caller's end of the connection.
    if (!brokenOff.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw new AppError("invalid_request", `The file broke off after ${bytes} bytes: give it once more`, {
      cause: error,
    });
  }
  return bytes;
}

/** A copy under its name only once it is whole on the disk; a copy that was made before is one, too. */
export async function copyVerified(from: string, to: string, sha256: string): Promise<void> {
  const part = `${to}.part`;
  await copyFile(from, part);
  const hash = createHash("sha256");
  await piped(createReadStream(part), hash);
  if (hash.digest("hex") !== sha256) {
    await rm(part, { force: true });
    throw new Error(`The copy of ${basename(from)} differs from what was validated`);
  }
  const file = await open(part, "r+");
  await file.sync();
  await file.close();
  await rename(part, to);
}
