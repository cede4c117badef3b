import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { confinedTo } from "./confinement.ts";
import {
  type FromRunner,
  lostEnd,
  type RunOutcome,
  type RunRequest,
  runsProgram,
  type TimedEvent,
  type ToRunner,
} from "./protocol.ts";
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

const maxServed = 100;
const runnerScript = fileURLToPath(new URL("./runner.ts", import.meta.url));

/** A child process that runs operations one at a time, each in a private folder with its own temporary folder and Pulumi home. */
export class RunnerProcess {
  readonly marker = randomUUID();
  readonly ready: Promise<void>;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #served = 0;

  constructor(options: RunnerOptions) {
    this.#folder = join(options.workFolder, this.marker);
    mkdirSync(join(this.#folder, "tmp"), { recursive: true, mode: 0o700 });
    // Node's fence takes in what is in a folder only if it is there already.
    mkdirSync(options.compileCacheFolder, { recursive: true, mode: 0o700 });
    this.#child = fork(runnerScript, [options.pluginFolder ?? ""], {
      cwd: this.#folder,
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: confinedTo([this.#folder, options.compileCacheFolder]),
      env: {
        ...options.environment,
        HOME: this.#folder,
        TMPDIR: join(this.#folder, "tmp"),
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

  /** Whether it can serve another operation. A run leaves about 120 kB behind that the SDK never frees. */
  get reusable(): boolean {
    return this.alive && this.#child.connected && this.#served < maxServed;
  }

  /**
   * Runs the operation and resolves with its outcome when every process that it started is gone and its folder is removed. An
   * aborted `signal` asks the engine to stop. Never rejects for what the operation did. The runner is `reusable` afterwards when
   * no program ran in it and nothing went wrong; else it has ended.
   */
  async run(
    request: RunRequest,
    limits: RunLimits,
    signal: AbortSignal,
    onEvent: (event: TimedEvent) => void,
  ): Promise<RunOutcome> {
    this.#served += 1;
    const folder = makeRunFolder(join(this.#folder, request.operationId));
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
    const answered = Promise.withResolvers<void>();
    const onMessage = (message: FromRunner) => {
      if (message.type === "event") {
        clearTimeout(silence);
        silence = setTimeout(() => end("timed_out"), limits.silenceMs);
        onEvent(message.timed);
      } else if (message.type === "outcome") {
        outcome = message.outcome;
        answered.resolve();
      }
    };
    this.#child.on("message", onMessage);
    try {
      await this.ready;
      if (signal.aborted || ending !== undefined) return notBegun(request);
      signal.addEventListener("abort", onCancel);
      this.#send({ type: "run", request, folder });
      await (runsProgram(request.action) ? this.#exited : Promise.race([this.#exited, answered.promise]));
    } catch {
      // It died before it was ready: told as a lost runner below.
    } finally {
      this.#child.off("message", onMessage);
      signal.removeEventListener("abort", onCancel);
      clearTimeout(wallClock);
      clearTimeout(silence);
      clearTimeout(killTimer);
      if (outcome !== undefined && ending === undefined && this.reusable) {
        await reap(this.marker, this.#child.pid);
        await rm(folder, { recursive: true, force: true });
      } else {
        await this.dispose();
      }
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

/** The end of an operation that was called off before its engine began. */
function notBegun({ stack }: RunRequest): RunOutcome {
  const error = {
    code: "cancelled",
    message: "The operation was cancelled before it began",
    remedy: "Nothing was changed",
  } as const;
  return { state: "cancelled", changes: {}, steps: [], stackExists: stack.exists, error };
}

/** A private folder for one run: work directory, temporary files, Pulumi home. */
function makeRunFolder(folder: string): string {
  for (const part of ["project", "home", "tmp"])
    mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
  // Plugins are shared and read-only; everything else under a Pulumi home races between concurrent runs.
  symlinkSync(join(homedir(), ".pulumi", "plugins"), join(folder, "home", "plugins"));
  // The CLI logs every property of every resource in there, which costs a fifth of a check's time. It goes without when that
  // can't be a folder; the log would be removed with this folder anyway.
  writeFileSync(join(folder, "home", "logs"), "");
  return folder;
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
  return {
    changes: {},
    steps: [],
    stackExists: true,
    ...lostEnd(request.action, "The process of this operation ended without a result"),
  };
}
