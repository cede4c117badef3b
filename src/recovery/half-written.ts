import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Removes files that a killed engine had begun to write beside a stack's state, in a backend of files; other backends have none. The CLI
 * removes locks of a stack, but not where it was killed before it had made the stack: those are removed too. Only for when every
 * process of that engine is proved dead. Idempotent.
 */
export async function removeHalfWritten(
  backendUrl: string,
  { project, name }: { readonly project: string; readonly name: string },
): Promise<void> {
  if (!backendUrl.startsWith("file:///")) return;
  const root = join(fileURLToPath(new URL(backendUrl)), ".pulumi");
  const places = [
    { folder: join(root, "stacks", project), prefix: `${name}.json` },
    { folder: join(root, "backups", project, name), prefix: "" },
    { folder: join(root, "history", project, name), prefix: "" },
    { folder: join(root, "locks", "organization", project, name), prefix: "" },
  ];
  for (const { folder, prefix } of places) {
    const files = await readdir(folder).catch(() => []);
    const halves = files.filter((file) => file.startsWith(prefix) && file.endsWith(".tmp"));
    await Promise.all(halves.map((file) => rm(join(folder, file), { force: true })));
  }
  const states = await readdir(join(root, "stacks", project)).catch(() => []);
  if (states.some((file) => file.startsWith(`${name}.json`))) return;
  await rm(join(root, "locks", "organization", project, name), { recursive: true, force: true });
}
