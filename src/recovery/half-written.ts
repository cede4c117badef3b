import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes what an engine that was killed while it wrote left of a stack in a file:// backend: drafts that the engine renames into place when
 * they are whole, and that nobody reads. Only for when no engine works on the stack. Other backends have none. Idempotent.
 */
export async function removeHalfWritten(
  backendUrl: string,
  { project, name }: { readonly project: string; readonly name: string },
): Promise<void> {
  if (!backendUrl.startsWith("file://")) return;
  const root = join(decodeURIComponent(new URL(backendUrl).pathname), ".pulumi");
  const folders = [
    { path: join(root, "stacks", project), prefix: `${name}.json` },
    ...["backups", "history", join("locks", "organization")].map((kind) => ({
      path: join(root, kind, project, name),
      prefix: "",
    })),
  ];
  for (const { path, prefix } of folders) {
    const files = await readdir(path).catch(() => []);
    const drafts = files.filter((file) => file.startsWith(prefix) && file.endsWith(".tmp"));
    for (const file of drafts) await rm(join(path, file), { force: true });
  }
}
