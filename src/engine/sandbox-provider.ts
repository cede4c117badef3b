import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// Whatever kills it again and again, such as a lack of memory, is not overcome by a fourth one.
const mostStarts = 3;

const pluginFolder = fileURLToPath(new URL("../sandbox/plugin", import.meta.url));

/** One process of the sandbox's provider, which every engine of this node attaches to instead of starting its own. */
export class SandboxProvider {
  readonly pluginFolder = pluginFolder;
  readonly #databaseUrl: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #port: Promise<number> | undefined;

  constructor(databaseUrl: string, environment: Readonly<Record<string, string>>) {
    this.#databaseUrl = databaseUrl;
    this.#environment = environment;
  }

  /** The loopback port it serves on; starts the process when there is none, and once more when it is killed meanwhile. */
  port(): Promise<number> {
    this.#port ??= this.#start().catch((error: unknown) => {
      this.#port = undefined;
      throw error;
    });
    return this.#port;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }

  async #start(): Promise<number> {
    for (let starts = 1; ; starts += 1) {
      try {
        return await this.#startOnce();
      } catch (error) {
        if (this.#child?.signalCode === null || starts === mostStarts) throw error;
      }
    }
  }

  async #startOnce(): Promise<number> {
    const child = spawn(join(pluginFolder, "pulumi-resource-aws"), ["--database-url-on-stdin"], {
      env: this.#environment,
      // Its standard input is our life line: it ends when we do, however we do.
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.#child = child;
    // It may be gone before it has read that; its end says so.
    child.stdin.on("error", () => {});
    child.stdin.write(`${this.#databaseUrl}\n`);
    child.once("exit", () => {
      this.#port = undefined;
    });
    const failed = once(child, "exit").then(([code, signal]) => {
      throw new Error(`The sandbox provider ended with ${String(code ?? signal)} before it served`);
    });
    const line = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
    failed.catch(() => {});
    return Number(line[0]);
  }
}
