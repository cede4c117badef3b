import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const startTimeoutMs = 300_000;
// A node gives running operations 20 s to end and another 60 s to stop.
const stopTimeoutMs = 90_000;

const lastWordsLength = 1_500;

export type Role = "api" | "worker";

/** A node of the service that can be killed and started again on the same data folder. */
export class ServiceNode {
  readonly name: string;
  readonly role: Role;
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #url: string | undefined;
  #isPaused = false;
  #isEnded = false;

  constructor(options: {
    readonly name: string;
    readonly role: Role;
    readonly folder: string;
    readonly environment: NodeJS.ProcessEnv;
  }) {
    this.name = options.name;
    this.role = options.role;
    this.folder = options.folder;
    this.#environment = options.environment;
  }

  get logFile(): string {
    return join(this.folder, "service.log");
  }

  get pid(): number | undefined {
    return this.isAlive ? this.#child?.pid : undefined;
  }

  get isAlive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it died of, when nobody killed it and nobody asked it to stop. */
  async ownDeath(): Promise<string | undefined> {
    if (this.#child === undefined || this.isAlive || this.#isEnded) return undefined;
    const { exitCode, signalCode } = this.#child;
    const lastWords = (await readFile(this.logFile, "utf8")).slice(-lastWordsLength);
    return `${this.name} ended by itself with ${exitCode ?? signalCode}: ${lastWords}`;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Where it listens, also while it is down: it comes back to the same port. */
  get url(): string {
    if (this.#url === undefined) throw new Error(`${this.name} was never ready`);
    return this.#url;
  }

  /** Resolves when it answers, or was killed before; throws with its last words when it ends by itself. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const log = await open(this.logFile, "a", 0o600);
    const { size } = await log.stat();
    this.#isEnded = false;
    this.#child = spawn(process.execPath, [join(root, "src", "main.ts")], {
      cwd: root,
      env: {
        ...this.#environment,
        AIDLC_ROLE: this.role,
        AIDLC_DATA_DIR: this.folder,
        AIDLC_PORT: this.#url === undefined ? "0" : new URL(this.#url).port,
      },
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
    });
    await log.close();
    this.#url = (await this.#address(size)) ?? this.#url;
  }

  /** Ends the process at once; what it started lives on. */
  async kill(): Promise<void> {
    if (!this.isAlive) return;
    this.#isPaused = false;
    this.#isEnded = true;
    const exited = once(this.#child as ChildProcess, "exit");
    this.#child?.kill("SIGKILL");
    await exited;
  }

  pause(): void {
    this.#isPaused = true;
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#isPaused = false;
    this.#child?.kill("SIGCONT");
  }

  /** Ends it in an orderly way; false when it had to be killed. */
  async stop(): Promise<boolean> {
    if (!this.isAlive) return true;
    this.#isEnded = true;
    this.resume();
    const exited = once(this.#child as ChildProcess, "exit").then(() => true);
    this.#child?.kill("SIGTERM");
    const timer = new AbortController();
    const late = sleep(stopTimeoutMs, false, { signal: timer.signal }).catch(() => false);
    const inTime = await Promise.race([exited, late]);
    timer.abort();
    if (!inTime) await this.kill();
    return inTime;
  }

  async #address(logOffset: number): Promise<string | undefined> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      const written = (await readFile(this.logFile)).subarray(logOffset).toString();
      const [, url] = /"url":"(http[^"]+)".*"msg":"ready"/.exec(written) ?? [];
      if (url !== undefined) return url;
      if (this.#isEnded) return undefined;
      if (!this.isAlive) throw new Error(`${this.name} ended before it was ready:\n${written.slice(-2_000)}`);
      await sleep(50);
    }
    throw new Error(`${this.name} was not ready after ${startTimeoutMs / 1_000} s: see ${this.logFile}`);
  }
}
