import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { healthCheckOf, lastOf, readDockerfile, repositoryFiles, type Stage } from "../scripts/dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const { stages } = readDockerfile(root);
const installStage = stages[0] as Stage;
const finalStage = stages.at(-1) as Stage;
const startTimeoutMs = 60_000;

// What the image holds, made without a container engine: the same files, the same install, the same command.
describe("a production install", () => {
  let folder: string;
  let app: string;
  let service: ChildProcess | undefined;
  let log = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "aidlc-production-"));
    app = join(folder, "app");
    copyFiles(installStage);
    await promisify(execFile)("npm", ["ci", "--omit=dev", "--prefer-offline", "--loglevel=error"], {
      cwd: app,
    });
    copyFiles(finalStage);
  });

  afterAll(() => {
    service?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  function copyFiles(stage: Stage): void {
    for (const file of repositoryFiles(stage)) {
      mkdirSync(dirname(join(app, file)), { recursive: true });
      cpSync(join(root, file), join(app, file), { recursive: true });
    }
  }

  function start(port: number): ChildProcess {
    const [, ...args] = JSON.parse(lastOf(finalStage, "CMD") ?? "");
    const env = {
      PATH: process.env.PATH,
      HOME: join(folder, "home"),
      NODE_ENV: "production",
      AIDLC_DATA_DIR: join(folder, "data"),
      AIDLC_PORT: String(port),
    };
    const child = spawn(process.execPath, args, { cwd: app, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
    }
    return child;
  }

  it("holds no development dependency", () => {
    const installed = readdirSync(join(app, "node_modules"));
    expect(installed).toContain("fastify");
    for (const name of ["vitest", "node", "vega-datasets"]) expect(installed).not.toContain(name);
  });

  it("starts, passes the image's health check, writes only to its data folder, and ends with 0 on SIGTERM", async () => {
    const port = await freePort();
    const before = fileTimes(app);
    service = start(port);
    const exited = once(service, "exit");
    const deadline = Date.now() + startTimeoutMs;
    while (!(await isHealthy(port))) {
      if (service.exitCode !== null || Date.now() > deadline)
        throw new Error(`The service did not start:\n${log}`);
      await sleep(200);
    }
    const readiness = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(readiness.status, log).toBe(200);

    service.kill("SIGTERM");
    const [code, signal] = await exited;
    expect({ code, signal }, log).toEqual({ code: 0, signal: null });
    expect(await isHealthy(port)).toBe(false);
    expect(fileTimes(app)).toEqual(before);
  });
});

/** Runs the image's own health check. */
async function isHealthy(port: number): Promise<boolean> {
  const [, ...args] = healthCheckOf(finalStage);
  const check = spawn(process.execPath, args, { env: { AIDLC_PORT: String(port) }, stdio: "ignore" });
  const [code] = await once(check, "exit");
  return code === 0;
}

/** Every file and folder below `path` with the moment it was last written. */
function fileTimes(path: string): Map<string, number> {
  const entries = readdirSync(path, { recursive: true, encoding: "utf8" });
  return new Map(
    entries.map((entry) => [entry, statSync(join(path, entry), { throwIfNoEntry: false })?.mtimeMs ?? 0]),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
