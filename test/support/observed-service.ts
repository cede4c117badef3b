import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listProcesses, treeOf } from "../../scripts/service/process-list.ts";

const main = new URL("../../src/main.ts", import.meta.url);
const lookMs = 100;
const startTimeoutMs = 60_000;

/** The service as a process of its own. All that it writes to disk, and every process below it, is looked at while it runs. */
export class ObservedService {
  readonly url: string;
  readonly folder: string;
  /** Command lines and environments of what the service has started, each one once. */
  readonly processes = new Set<string>();
  /** Contents of files below the data folder and the folder for temporary files, by path, each one once. */
  readonly files = new Map<string, Map<string, Buffer>>();
  readonly #child: ChildProcess;
  readonly #seen = new Map<string, string>();
  readonly #over = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.folder = folder;
    this.url = url;
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<ObservedService> {
    const folder = await mkdtemp(join(tmpdir(), "aidlc-observed-"));
    for (const name of ["data", "tmp", "home"]) await mkdir(join(folder, name));
    const log = await open(join(folder, "service.log"), "a");
    const child = spawn(process.execPath, [main.pathname], {
      env: {
        PATH: process.env.PATH,
        HOME: join(folder, "home"),
        TMPDIR: join(folder, "tmp"),
        AIDLC_DATA_DIR: join(folder, "data"),
        AIDLC_PORT: "0",
        ...environment,
      },
      stdio: ["ignore", log.fd, log.fd],
    });
    await log.close();
    const service = new ObservedService(child, folder, await addressIn(join(folder, "service.log"), child));
    service.#looking = service.#look();
    return service;
  }

  get log(): Promise<string> {
    return readFile(join(this.folder, "service.log"), "utf8");
  }

  /** Ends the service in an orderly way and looks a last time. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    this.#over.abort();
    await this.#looking;
    await this.#lookAtFiles();
  }

  async remove(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
    this.#over.abort();
    await this.#looking;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async #look(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await Promise.all([this.#lookAtProcesses(), this.#lookAtFiles()]);
      await sleep(lookMs, undefined, { signal: this.#over.signal }).catch(() => {});
    }
  }

  async #lookAtProcesses(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    for (const process of treeOf(pid, await listProcesses())) {
      if (process.pid !== pid) this.processes.add(process.text);
    }
  }

  async #lookAtFiles(): Promise<void> {
    const folders = ["data", "tmp", "home"].map((name) => join(this.folder, name));
    for (const folder of folders) {
      // One that is gone meanwhile is passed over.
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      folders.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name)));
      const files = entries.filter((entry) => entry.isFile());
      await Promise.all(files.map(({ name }) => this.#lookAtFile(join(folder, name))));
    }
  }

  /** What is gone by the time it is read was seen before, or lived for less than a look. */
  async #lookAtFile(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return;
    const version = `${found.mtimeMs} ${found.size}`;
    if (this.#seen.get(path) === version) return;
    const content = await readFile(path).catch(() => undefined);
    if (content === undefined) return;
    this.#seen.set(path, version);
    const contents = this.files.get(path) ?? new Map<string, Buffer>();
    this.files.set(path, contents.set(hash("sha256", content), content));
  }
}

async function addressIn(log: string, child: ChildProcess): Promise<string> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const [, url] = /"url":"(http[^"]+)".*"msg":"ready"/.exec(await readFile(log, "utf8")) ?? [];
    if (url !== undefined) return url;
    if (child.exitCode !== null) throw new Error(`The service ended:\n${await readFile(log, "utf8")}`);
    await sleep(20);
  }
  throw new Error(`The service was not ready after ${startTimeoutMs / 1_000} s`);
}
