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
  changesState,
  type Deadline,
  type FromRunner,
  type KeepPending,
  type LookUp,
  lostEnd,
  type RunOutcome,
  type RunRequest,
  runsProgram,
  type TimedEvent,
  type ToRunner,
} from "./protocol.ts";
import { interruptEngines, markerVariable, reap } from "./reaper.ts";
import { hasRoom, watchRoom } from "./room.ts";

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
  /**
   * From asking the engine to stop, which lets it complete what it has begun, until it is asked once more, which makes it give that
   * up; and from then until it is killed.
   */
  readonly cancelMs: number;
}

/** What a run needs of its operation while it lasts. */
export interface RunSurroundings {
  /** Aborted: the engine is asked to stop. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: TimedEvent) => void;
  /** For a repair: finds out what became of creations that AWS never answered. */
  readonly lookUp: LookUp;
  readonly keepPending: KeepPending;
  /** For a destroy: ends what uses the stack's resources without being one of them. */
  readonly quiesce: () => Promise<void>;
  /** Until when the operation is surely this run's; `confirmLease` tells of later ones. */
  readonly leaseUntil: () => Deadline;
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
   * Runs the operation and resolves with its outcome when every process that it started is gone and its folder is removed. Never
   * rejects for what the operation did. The runner is `reusable` afterwards when no program ran in it and nothing went wrong;
   * else it has ended.
   */
  async run(request: RunRequest, limits: RunLimits, surroundings: RunSurroundings): Promise<RunOutcome> {
    const { signal, onEvent } = surroundings;
    this.#served += 1;
    const folder = makeRunFolder(join(this.#folder, request.operationId));
    let outcome: RunOutcome | undefined;
    let ending: Ending | undefined;
    let nextRung: NodeJS.Timeout | undefined;
    const end = (reason: Ending) => {
      if (ending !== undefined) return;
      ending = reason;
      this.#send({ type: "cancel" });
      nextRung = setTimeout(() => {
        void interruptEngines(this.marker);
        nextRung = setTimeout(() => void reap(this.marker), limits.cancelMs);
      }, limits.cancelMs);
    };
    const wallClock = setTimeout(() => end("timed_out"), limits.wallClockMs);
    let silence = setTimeout(() => end("silent"), limits.silenceMs);
    const onCancel = () => end("cancelled");
    const unwatchRoom = changesState(request.action)
      ? watchRoom(request.backendUrl, () => end("full"))
      : () => {};
    const answered = Promise.withResolvers<void>();
    const onMessage = (message: FromRunner) => {
      if (message.type === "event") {
        clearTimeout(silence);
        silence = setTimeout(() => end("silent"), limits.silenceMs);
        onEvent(message.timed);
      } else if (message.type === "lookUp") {
        void this.#answer(surroundings.lookUp(message.creates, message.known));
      } else if (message.type === "keep") {
        void this.#tell(surroundings.keepPending(message.entries), "kept", "notKept");
      } else if (message.type === "quiesce") {
        void this.#tell(surroundings.quiesce(), "quiet", "notQuiet");
      } else if (message.type === "outcome") {
        outcome = message.outcome;
        answered.resolve();
      }
    };
    this.#child.on("message", onMessage);
    try {
      await this.ready;
      if (signal.aborted || ending !== undefined) return notBegun(request);
      if (changesState(request.action) && !(await hasRoom(request.backendUrl)))
        return { ...notBegun(request), ...endedBy.full };
      signal.addEventListener("abort", onCancel);
      this.confirmLease(surroundings.leaseUntil());
      this.#send({ type: "run", request, folder });
      await (runsProgram(request.action) ? this.#exited : Promise.race([this.#exited, answered.promise]));
    } catch {
      // It died before it was ready: told as a lost runner below.
    } finally {
      this.#child.off("message", onMessage);
      signal.removeEventListener("abort", onCancel);
      clearTimeout(wallClock);
      clearTimeout(silence);
      unwatchRoom();
      clearTimeout(nextRung);
      if (outcome !== undefined && ending === undefined && this.reusable) {
        await reap(this.marker, this.#child.pid);
        await rm(folder, { recursive: true, force: true });
      } else {
        await this.dispose();
      }
    }
    return truthful(outcome, ending, request);
  }

  /** Tells the run until when its operation is surely its own: after that, nothing of it is left. */
  confirmLease(until: Deadline): void {
    this.#send({ type: "lease", until });
  }

  /** Ends every process of this runner and removes its folder; safe at any time. */
  async dispose(): Promise<void> {
    if (this.alive) this.#child.kill("SIGKILL");
    await this.#exited;
    await reap(this.marker);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #tell(done: Promise<void>, yes: "kept" | "quiet", no: "notKept" | "notQuiet"): Promise<void> {
    try {
      await done;
      this.#send({ type: yes });
    } catch (error) {
      this.#send({
        type: no,
        message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      });
    }
  }

  async #answer(found: ReturnType<LookUp>): Promise<void> {
    try {
      this.#send({ type: "found", whereabouts: await found });
    } catch (error) {
      this.#send({ type: "notFound", message: error instanceof Error ? error.message : String(error) });
    }
  }

  #send(message: ToRunner): void {
    // It may die while this is on its way: without the callback Node would throw that at the whole service.
    if (this.#child.connected) this.#child.send(message, () => {});
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

/** Why the supervisor asked a run to stop. */
type Ending = "cancelled" | "timed_out" | "silent" | "full";

/** What the supervisor can vouch for, given what the runner said last and how it came to end. */
function truthful(
  outcome: RunOutcome | undefined,
  ending: Ending | undefined,
  request: RunRequest,
): RunOutcome {
  const lost: RunOutcome = {
    changes: {},
    steps: [],
    stackExists: true,
    ...(changesState(request.action) ? { unsettled: true } : {}),
    ...lostEnd("The process of this operation ended without a result"),
  };
  const told = outcome ?? lost;
  // It came to its own end before it heard that it should.
  if (ending === undefined || (outcome !== undefined && outcome.state !== "cancelled" && !outcome.unsettled))
    return told;
  return { ...told, ...endedBy[ending] };
}

const endedBy = {
  cancelled: {
    state: "cancelled",
    error: {
      code: "cancelled",
      message: "The operation was cancelled while it ran",
      remedy: "What was done stays done: apply again to complete it",
    },
  },
  timed_out: {
    state: "failed",
    error: {
      code: "timed_out",
      message: "The operation ran into its time limit and was stopped",
      remedy: "What was done stays done: apply again to complete it, or raise AIDLC_OPERATION_LIMIT_MINUTES",
    },
  },
  silent: {
    state: "failed",
    error: {
      code: "timed_out",
      message: "The operation told nothing for so long that it was taken for hung, and was stopped",
      remedy: "What was done stays done: apply again to complete it, or raise AIDLC_SILENCE_LIMIT_MINUTES",
    },
  },
  full: {
    state: "failed",
    error: {
      code: "backend_unavailable",
      message: "The disk that holds the states has less than 64 MiB left, so nothing may be changed",
      remedy: "Make room on the disk behind PULUMI_BACKEND_URL, then repeat it: what was done stays done",
    },
  },
} as const satisfies Record<Ending, Pick<RunOutcome, "state" | "error">>;
