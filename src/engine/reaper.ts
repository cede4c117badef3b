import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** The environment variable that marks a runner and, by inheritance, every process below it. */
export const markerVariable = "AIDLC_RUNNER";

/**
 * Ends every process that bears a runner's marker, but for `spared`, and returns how many there were; resolves only when none is
 * left. A process group is not enough: the engine starts each plugin in a group of its own, so a killed group leaves the
 * plugins running.
 */
export async function reap(marker: string, spared?: number): Promise<number> {
  const killed = new Set<number>();
  const others = async () => (await bearersOf(marker)).filter((pid) => pid !== spared);
  for (let pids = await others(); pids.length > 0; pids = await others()) {
    for (const pid of pids) {
      killed.add(pid);
      signal(pid, "SIGKILL");
    }
    await sleep(10);
  }
  return killed.size;
}

/**
 * Sends SIGINT to the engines that bear the marker, and to none of their plugins. The SDK sends one of its own and no second, which
 * is what makes an engine give up what it waits for.
 */
export async function interruptEngines(marker: string): Promise<void> {
  for (const pid of await bearersOf(marker)) {
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    if (name.trim() === "pulumi") signal(pid, "SIGINT");
  }
}

/** Waits until no process bears the marker, at most `timeoutMs`: a runner that lost its supervisor ends its engine in order. */
export async function waitUntilGone(marker: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline && (await bearersOf(marker)).length > 0) await sleep(100);
}

/** The processes of this machine whose environment carries the marker; zombies have none and don't count. */
export async function bearersOf(marker: string): Promise<number[]> {
  // Elsewhere the environment of another process can't be read; the supervisor still ends the runner's own group.
  if (platform() !== "linux") return [];
  const wanted = `${markerVariable}=${marker}`;
  const pids = (await readdir("/proc"))
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(wanted);
    }),
  );
  return pids.filter((_, index) => found[index]);
}

function signal(pid: number, name: "SIGINT" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in between.
  }
}
