import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FromRunner, RunOutcome, RunRequest, TimedEvent, ToRunner } from "./protocol.ts";
import { markerVariable, reap } from "./reaper.ts";

export interface RunnerOptions {
  /** Runners make their private folders in here. */
  readonly workFolder: string;
  readonly compileCacheFolder: string;
  readonly pluginFolder: string | undefined;
  /** All that a runner and the engine below it see of the service's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface RunLimits {
  /** The whole operation. */
  readonly wallClockMs: number;
  /** Between two events of the engine; a program can hang for ever in an `apply` (pulumi/pulumi#14980). */
  readonly silenceMs: number;
  /** From asking the engine to stop until it is killed: it completes what it is creating first. */
  readonly cancelMs: number;
}

const runnerScript = fileURLToPath(new URL("./runner.ts", import.meta.url));

/** One child process for one operation, in a private folder with its own temporary folder and Pulumi home. */
export class RunnerProcess {
  readonly marker = randomUUID();
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly ready: Promise<void>;

  constructor(options: RunnerOptions) {
    const folder = join(options.workFolder, this.marker);
    for (const part of ["project", "home", "tmp"])
      mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
    // Plugins are shared and read-only; everything else under a Pulumi home races between concurrent runs.
    symlinkSync(join(homedir(), ".pulumi", "plugins"), join(folder, "home", "plugins"));
    this.#folder = folder;
    this.#child = fork(runnerScript, [folder, options.pluginFolder ?? ""], {
      cwd: folder,
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [],
      env: {
        ...options.environment,
        HOME: folder,
        TMPDIR: join(folder, "tmp"),
        NODE_COMPILE_CACHE: options.compileCacheFolder,
        [markerVariable]: this.marker,
      },
    });
    this.#exited = once(this.#child, "exit");
    this.ready = this.#firstMessage();
    // Nobody may be waiting when a spare one dies; whoever takes it sees the rejection.
    this.ready.catch(() => {});
  }

  get processGroup(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Runs the operation and resolves with its outcome when every process of it is gone and its folder is removed. An aborted
   * `signal` asks the engine to stop. Never rejects for what the operation did.
   */
  async run(
    request: RunRequest,
    limits: RunLimits,
    signal: AbortSignal,
    onEvent: (event: TimedEvent) => void,
  ): Promise<RunOutcome> {
    let outcome: RunOutcome | undefined;
    let ending: "cancelled" | "timed_out" | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    const end = (reason: "cancelled" | "timed_out") => {
      if (ending !== undefined) return;
      ending = reason;
      this.#send({ type: "cancel" });
      killTimer = setTimeout(() => void reap(this.marker), limits.cancelMs);
    };
    const wallClock = setTimeout(() => end("timed_out"), limits.wallClockMs);
    let silence = setTimeout(() => end("timed_out"), limits.silenceMs);
    const onCancel = () => end("cancelled");
    this.#child.on("message", (message: FromRunner) => {
      if (message.type === "event") {
        clearTimeout(silence);
        silence = setTimeout(() => end("timed_out"), limits.silenceMs);
        onEvent(message.timed);
      } else if (message.type === "outcome") {
        outcome = message.outcome;
      }
    });
    try {
      await this.ready;
      signal.addEventListener("abort", onCancel);
      if (signal.aborted) onCancel();
      this.#send({ type: "run", request });
      await this.#exited;
    } catch {
      // It died before it was ready: told as a lost runner below.
    } finally {
      signal.removeEventListener("abort", onCancel);
      clearTimeout(wallClock);
      clearTimeout(silence);
      clearTimeout(killTimer);
      await this.dispose();
    }
    return truthful(outcome, ending, request);
  }

  /** Ends every process of this runner and removes its folder; safe at any time. */
  async dispose(): Promise<void> {
    if (this.alive) this.#child.kill("SIGKILL");
    await this.#exited;
    await reap(this.marker);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #send(message: ToRunner): void {
    if (this.#child.connected) this.#child.send(message);
  }

  async #firstMessage(): Promise<void> {
    const died = this.#exited.then(() => {
      throw new Error("The runner ended before it was ready");
    });
    await Promise.race([once(this.#child, "message"), died]);
  }
}

/** What the supervisor can vouch for, given what the runner said last and how it came to end. */
function truthful(
  outcome: RunOutcome | undefined,
  ending: "cancelled" | "timed_out" | undefined,
  request: RunRequest,
): RunOutcome {
  if (outcome !== undefined) {
    if (ending !== "timed_out" || outcome.state !== "cancelled") return outcome;
    return {
      ...outcome,
      state: "failed",
      error: {
        code: "timed_out",
        message: "The operation ran into its time limit and was stopped",
        remedy: "What was done stays done: apply again to complete it",
      },
    };
  }
  const readOnly = request.action === "preview" || request.action === "drift";
  return {
    state: readOnly ? "failed" : "needs_repair",
    changes: {},
    steps: [],
    stackExists: true,
    error: {
      code: "runner_lost",
      message: "The process of this operation ended without a result",
      remedy: readOnly
        ? "Nothing was changed: repeat it"
        : "The stack's state may be behind: refresh it, then apply again",
    },
  };
}
