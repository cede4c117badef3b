import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { listProcesses, type ProcessEntry } from "../../service/process-list.ts";
import type { Cluster } from "../cluster.ts";
import { filesBelow } from "./backend-facts.ts";
import type { ProcessFact } from "./facts.ts";

const marker = /(?:^|\0)AIDLC_RUNNER=([^\0]+)/;

export interface MachineFacts {
  readonly temporaryFiles: readonly string[];
  readonly strayProcesses: readonly ProcessFact[];
  readonly ownDeaths: readonly string[];
}

/**
 * What lies and runs about while no operation does: engines, runners without their node, folders of runners that are gone, and
 * whatever lies in the folder for temporary files. Spare runners and each node's provider belong to their nodes.
 */
export async function readMachine({ folder, nodes, temporaryFolder }: Cluster): Promise<MachineFacts> {
  const ours = (await listProcesses()).filter(({ text }) => isService(text) && text.includes(folder));
  const alive = new Set(nodes.map(({ pid }) => pid).filter((pid) => pid !== undefined));
  const isNeeded = ({ pid, parent, text }: ProcessEntry) =>
    alive.has(pid) || (alive.has(parent) && !isEngine(text));
  const spares = new Set(ours.filter(isNeeded).map(({ text }) => marker.exec(text)?.[1]));
  // A spare one that has just been started asks its CLI for the version.
  const isOfSpare = ({ text }: ProcessEntry) => !isEngine(text) && spares.has(marker.exec(text)?.[1]);
  const workFiles = await Promise.all(nodes.map((node) => strayWork(join(node.folder, "work"), spares)));
  const deaths = await Promise.all(nodes.map((node) => node.ownDeath()));
  return {
    ownDeaths: deaths.filter((death) => death !== undefined),
    temporaryFiles: [...(await filesBelow(temporaryFolder)), ...workFiles.flat()],
    strayProcesses: ours
      .filter((entry) => !isNeeded(entry) && !isOfSpare(entry))
      .map(({ pid, text }) => ({ pid, what: nameOf(text) })),
  };
}

/** Ends whatever works in the cluster's folder besides the database. */
export async function endProcesses({ folder }: Cluster): Promise<void> {
  for (const { pid, text } of await listProcesses()) {
    if (!isService(text) || !text.includes(folder)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in between.
    }
  }
}

/** The database serves chaos itself, from the same folder. */
function isService(text: string): boolean {
  return !/^(postgres|[^\0]*\/postgres)[:\0]/.test(text);
}

export function isEngine(text: string): boolean {
  return /^([^\0]*\/)?pulumi\0(?!version\0)/.test(text);
}

/** Folders of runners that no living process bears the name of, and of operations in runners that are spare now. */
async function strayWork(folder: string, spares: ReadonlySet<string | undefined>): Promise<string[]> {
  const runners = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    runners.map(async (name) => {
      if (!spares.has(name)) return [join(folder, name)];
      const inside = await readdir(join(folder, name)).catch(() => []);
      return inside.filter((entry) => entry !== "tmp").map((entry) => join(folder, name, entry));
    }),
  );
  return found.flat();
}

function nameOf(text: string): string {
  const [command, ...rest] = text.split("\0\0")[0]?.split("\0") ?? [];
  const script = rest.find(
    (word) => /\.(ts|mjs|js)$/.test(word) || /^(up|destroy|refresh|preview)$/.test(word),
  );
  return [command, script].filter(Boolean).join(" ");
}
