import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { remainingMs } from "./deadline.ts";
import type { Deadline } from "./protocol.ts";
import { markerVariable } from "./reaper.ts";

const fenceScript = fileURLToPath(new URL("./fence.ts", import.meta.url));

/**
 * Keeps a run within the time for which its operation is surely its own. When two thirds of that have passed without a newer
 * confirmation, `onDoubt` is called, which may end the engine in order; when all has passed, every process of the run is killed:
 * from then on another worker may take the operation.
 */
export class LeaseGuard {
  readonly #onDoubt: () => void;
  #doubt: NodeJS.Timeout | undefined;
  #end: NodeJS.Timeout | undefined;

  constructor(onDoubt: () => void) {
    this.#onDoubt = onDoubt;
  }

  confirm(until: Deadline): void {
    this.release();
    const leftMs = remainingMs(until);
    if (leftMs <= 0) {
      endThisRun();
      return;
    }
    this.#doubt = setTimeout(this.#onDoubt, (leftMs * 2) / 3);
    this.#end = setTimeout(endThisRun, leftMs);
  }

  release(): void {
    clearTimeout(this.#doubt);
    clearTimeout(this.#end);
  }
}

/** Ends this runner and everything that bears its marker, at once. */
function endThisRun(): void {
  // biome-ignore lint/style/noProcessEnv: what the supervisor marked this process with
  const { [markerVariable]: marker = "", PATH = "" } = process.env;
  // Node hands its restrictions on to a child that is Node too, in this variable; the script must read /proc.
  spawn("env", ["-u", "NODE_OPTIONS", process.execPath, fenceScript, marker], {
    env: { PATH },
    detached: true,
    stdio: "ignore",
  }).on("error", () => {});
  // The engine's own command is in this process's group: it ends now, and with it this process.
  process.kill(-process.pid, "SIGKILL");
}
