import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { promisify } from "node:util";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Its command line and, where the system shows it, its environment. */
  readonly text: string;
}

/** The processes of this machine; what has ended and only waits to be collected isn't among them. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  return platform() === "linux" ? fromProc() : fromPs();
}

/** A process and everything below it. */
export function treeOf(root: number, processes: readonly ProcessEntry[]): ProcessEntry[] {
  const tree = processes.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...processes.filter(({ parent }) => parent === pid));
  return tree;
}

// Small images have no `ps`, so on Linux the kernel is asked itself.
async function fromProc(): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc")).map(Number).filter(Number.isInteger);
  const entries = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      const [stat, command, environment] = await Promise.all(["stat", "cmdline", "environ"].map(read));
      // The name in parentheses may hold anything, blanks and parentheses too; state and parent follow the last one.
      const [state, parent] = (stat ?? "").slice((stat ?? "").lastIndexOf(")") + 2).split(" ");
      const alive = state !== undefined && state !== "" && state !== "Z";
      return alive ? [{ pid, parent: Number(parent), text: `${command}\0${environment}` }] : [];
    }),
  );
  return entries.flat();
}

async function fromPs(): Promise<ProcessEntry[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,command="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, text = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || text.endsWith("<defunct>")
      ? []
      : [{ pid: Number(pid), parent: Number(parent), text }];
  });
}
