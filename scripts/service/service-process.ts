import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listProcesses, type ProcessEntry, treeOf } from "./process-list.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const startTimeoutMs = 60_000;
// The service itself gives running operations 20 s to end and another 60 s to stop.
const stopTimeoutMs = 90_000;

export interface Remains {
  /** Processes that outlived the service; they are ended then. */
  readonly processes: readonly ProcessEntry[];
  readonly folderExists: boolean;
}

/** The service as a child process, with a data folder of its own that goes when it goes. */
export class ServiceProcess {
  readonly folder: string;
  readonly #bootstrapToken: string;
  #token: string | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #impatience = Promise.withResolvers<void>();
  #remains: Promise<Remains> | undefined;

  private constructor(folder: string, bootstrapToken: string, child: ChildProcess) {
    this.folder = folder;
    this.#bootstrapToken = bootstrapToken;
    this.#child = child;
    this.#exited = once(child, "exit");
  }

  /** Starts it with `settings` of the service besides its own; `ready` tells when it answers. */
  static async start(
    environment: NodeJS.ProcessEnv,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    const folder = await mkdtemp(join(tmpdir(), "aidlc-service-"));
    const bootstrapToken = randomBytes(24).toString("base64url");
    const log = await open(join(folder, "service.log"), "a", 0o600);
    const child = spawn(process.execPath, [join(root, "src", "main.ts")], {
      cwd: root,
      env: {
        ...withoutServiceSettings(environment),
        AIDLC_TARGET: "sandbox",
        AIDLC_PORT: "0",
        AIDLC_DATA_DIR: folder,
        AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
        // Benches send as much as they can, as one administrator.
        AIDLC_RATE_LIMIT_PER_MINUTE: "100000",
        ...settings,
      },
      // A file and no pipe: a demo that is killed must not take the service's log, and with it the service, along.
      stdio: ["ignore", log.fd, log.fd],
      // Ctrl-C reaches only the demo, which first stops the operation that runs.
      detached: true,
    });
    await log.close();
    return new ServiceProcess(folder, bootstrapToken, child);
  }

  /** The administrator's key; there is one once the service is ready. */
  get token(): string {
    if (this.#token === undefined) throw new Error("The service is not ready: its token is yet to come");
    return this.#token;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("The service's process could not be started");
    return this.#child.pid;
  }

  /** Resolves with the service's address; throws when it ends or does not get ready. */
  async ready(signal: AbortSignal): Promise<string> {
    const url = await this.#address(signal);
    this.#token ??= await exchange(url, this.#bootstrapToken, signal);
    return url;
  }

  async #address(signal: AbortSignal): Promise<string> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      const url = (await this.#entries()).find(({ msg }) => msg === "ready")?.url;
      if (typeof url === "string") return url;
      if (this.#hasExited) throw new Error("The service ended before it was ready");
      await sleep(20, undefined, { signal });
    }
    throw new Error(`The service was not ready after ${startTimeoutMs / 1_000} s`);
  }

  /** The last lines of the log that say more than that a request was served, fit to be read by people. */
  async logTail(lines: number): Promise<string[]> {
    const telling = (await this.#entries()).filter(({ req, res }) => req === undefined && res === undefined);
    return telling.slice(-lines).flatMap(({ raw, level, time, msg, kind, state, error, err }) => {
      if (raw !== undefined) return [raw];
      const moment = typeof time === "number" ? new Date(time).toISOString().slice(11, 23) : "";
      const rest = [kind, state, error && JSON.stringify(error)].filter(Boolean).join(" ");
      const stack = err?.stack ?? err?.message ?? "";
      return [
        `${moment} ${levelNames.get(level) ?? "info"} ${msg ?? ""} ${rest}`,
        ...stack.split("\n").filter(Boolean),
      ];
    });
  }

  /** Ends the service in an orderly way and removes its folder; `hurry` kills it. Idempotent. */
  stop(): Promise<Remains> {
    this.#remains ??= this.#stop();
    return this.#remains;
  }

  hurry(): void {
    this.#impatience.resolve();
  }

  get #hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #stop(): Promise<Remains> {
    const below = this.#child.pid === undefined ? [] : treeOf(this.#child.pid, await listProcesses());
    if (!this.#hasExited) {
      this.#child.kill("SIGTERM");
      const timer = new AbortController();
      const late = sleep(stopTimeoutMs, undefined, { signal: timer.signal }).catch(() => {});
      await Promise.race([this.#exited, late, this.#impatience.promise]);
      timer.abort();
      if (!this.#hasExited) this.#child.kill("SIGKILL");
      await this.#exited;
    }
    const processes = (await listProcesses()).filter((entry) => this.#isOurs(entry, below));
    for (const { pid } of processes) kill(pid);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    return { processes, folderExists: existsSync(this.folder) };
  }

  /** It was below the service when that was told to stop, or it works in the service's folder. */
  #isOurs({ pid, text }: ProcessEntry, below: readonly ProcessEntry[]): boolean {
    if (pid === process.pid) return false;
    return text.includes(this.folder) || below.some((entry) => entry.pid === pid && entry.text === text);
  }

  async #entries(): Promise<LogEntry[]> {
    const text = await readFile(join(this.folder, "service.log"), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean).map(parseEntry);
  }
}

interface LogEntry {
  readonly level?: unknown;
  readonly time?: unknown;
  readonly msg?: unknown;
  readonly url?: unknown;
  readonly err?: { readonly stack?: string; readonly message?: string };
  readonly kind?: unknown;
  readonly state?: unknown;
  readonly error?: unknown;
  readonly req?: unknown;
  readonly res?: unknown;
  /** A line that isn't one of the service's own. */
  readonly raw?: string;
}

const levelNames = new Map<unknown, string>([
  [10, "trace"],
  [20, "debug"],
  [30, "info"],
  [40, "warn"],
  [50, "error"],
  [60, "fatal"],
]);

function parseEntry(line: string): LogEntry {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? entry : { raw: line };
  } catch {
    return { raw: line };
  }
}

/** The first administrator's key, which is had once for the bootstrap token. */
async function exchange(url: string, bootstrapToken: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/v1/bootstrap`, {
    method: "POST",
    headers: { authorization: `Bearer ${bootstrapToken}` },
    signal,
  });
  const answer = await response.text();
  // A busy machine has just started it; it says when it may keep up.
  if (response.status === 503) {
    await sleep(Number(response.headers.get("retry-after")) * 1_000, undefined, { signal });
    return exchange(url, bootstrapToken, signal);
  }
  if (response.status !== 201) throw new Error(`The bootstrap token was not exchanged: ${answer}`);
  return (JSON.parse(answer) as { key: string }).key;
}

/** The demo must meet neither a database nor an AWS account that somebody set for their own service. */
function withoutServiceSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(AIDLC_.*|PULUMI_.*|AWS_.*|DATABASE_URL)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}
