import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Deadline, RunOutcome, RunRequest } from "./protocol.ts";
import { bearersOf } from "./reaper.ts";
import { type RunLimits, RunnerProcess, type RunSurroundings } from "./runner-process.ts";
import type { SandboxProvider } from "./sandbox-provider.ts";

export interface SupervisorOptions {
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Runners that wait with everything imported. */
  readonly spares: number;
  readonly limits: RunLimits;
  /** Set when the target is the sandbox. */
  readonly sandbox: SandboxProvider | undefined;
}

/** A runner that was taken for one operation; either `run` or `dispose` is called, once. */
export interface Runner {
  /** What every process of the operation bears. */
  readonly marker: string;
  readonly processGroup: number | undefined;
  /** Never rejects for what the operation did. */
  run(request: Omit<RunRequest, "attachedProviderPort">, surroundings: RunSurroundings): Promise<RunOutcome>;
  /** Tells a run that the operation is its own for longer. */
  confirmLease(until: Deadline): void;
  dispose(): Promise<void>;
}

/** Starts runners and keeps spare ones; never runs a program in its own process. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workFolder: string;
  /** Ready ones and ones that are still importing. */
  #spares: RunnerProcess[] = [];
  readonly #taken = new Set<RunnerProcess>();
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#workFolder = join(options.dataDir, "work");
  }

  async start(): Promise<void> {
    await mkdir(this.#workFolder, { recursive: true, mode: 0o700 });
    await this.sweep();
    await this.#options.sandbox?.port();
    this.#replenish();
  }

  /** Removes the folders of runners that are gone and had nobody to do it. Those that a crash left alive are the reconciler's business. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#workFolder)) {
      const isOurs = [...this.#spares, ...this.#taken].some(({ marker }) => marker === name);
      if (isOurs || (await bearersOf(name)).length > 0) continue;
      await rm(join(this.#workFolder, name), { recursive: true, force: true });
    }
  }

  /** Takes a runner for one operation; nothing happens before its `run`. */
  async take(): Promise<Runner> {
    const attachedProviderPort = await this.#options.sandbox?.port();
    this.#spares = this.#spares.filter((spare) => spare.alive);
    const runner = this.#spares.shift() ?? this.#startRunner();
    this.#taken.add(runner);
    const give = () => {
      this.#taken.delete(runner);
      if (runner.reusable && !this.#closed) this.#spares.unshift(runner);
      this.#replenish();
    };
    return {
      marker: runner.marker,
      processGroup: runner.processGroup,
      run: (request, surroundings) =>
        runner.run({ ...request, attachedProviderPort }, this.#options.limits, surroundings).finally(give),
      confirmLease: (until) => runner.confirmLease(until),
      dispose: () => runner.dispose().finally(give),
    };
  }

  /** Ends the spare runners; operations must have ended before. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#spares.splice(0).map((spare) => spare.dispose()));
    await rm(this.#workFolder, { recursive: true, force: true });
  }

  /**
   * Brings the spares up to their number when an operation ends, not when one begins: the imports of a new runner would take
   * the processor from the operation that has just started.
   */
  #replenish(): void {
    while (!this.#closed && this.#spares.length + this.#taken.size < this.#options.spares) {
      this.#spares.push(this.#startRunner());
    }
  }

  #startRunner(): RunnerProcess {
    return new RunnerProcess({
      workFolder: this.#workFolder,
      compileCacheFolder: join(this.#options.dataDir, "compile-cache"),
      pluginFolder: this.#options.sandbox?.pluginFolder,
      environment: this.#options.environment,
    });
  }
}
