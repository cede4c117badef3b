import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { listProcesses, treeOf } from "../service/process-list.ts";

const marker = /(?:^|\0)AIDLC_RUNNER=([^\0]+)/;

/**
 * Watches the processes of running operations until `signal` aborts and resolves with the largest memory that one operation had,
 * in bytes: the proportional set sizes of its runner, its engine and whatever these started. (The provider of the sandbox is
 * shared by all operations and not counted.)
 */
export async function peakMemoryPerOperation(signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    const operations = new Map<string, { bytes: number; processes: number }>();
    for (const { runner, bytes } of await runnerProcesses()) {
      const sum = operations.get(runner) ?? { bytes: 0, processes: 0 };
      operations.set(runner, { bytes: sum.bytes + bytes, processes: sum.processes + 1 });
    }
    // A runner alone is a spare one.
    for (const { bytes, processes } of operations.values()) if (processes > 1) peak = Math.max(peak, bytes);
    await sleep(100, undefined, { signal }).catch(() => {});
  }
  return peak;
}

async function runnerProcesses(): Promise<{ runner: string; bytes: number }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const runner = marker.exec(await text(`/proc/${pid}/environ`))?.[1];
      if (runner === undefined) return [];
      return [{ runner, bytes: await proportionalSet(pid) }];
    }),
  );
  return found.flat();
}

/** What a process and everything below it take, in bytes: the sum of their proportional set sizes. */
export async function treeMemory(root: number): Promise<number> {
  const tree = treeOf(root, await listProcesses());
  const bytes = await Promise.all(tree.map(({ pid }) => proportionalSet(pid)));
  return bytes.reduce((sum, one) => sum + one, 0);
}

async function proportionalSet(pid: number | string): Promise<number> {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(await text(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
