import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { markerVariable, reap } from "../../../src/engine/reaper.ts";

const started: ChildProcess[] = [];
const pids: number[] = [];

afterEach(async () => {
  for (const pid of pids.splice(0)) if (await isRunning(pid)) process.kill(pid, "SIGKILL");
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
});

/** Alive and not merely waiting for its parent to notice its end. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const state = status.slice(status.lastIndexOf(")") + 2).charAt(0);
  return state !== "" && state !== "Z";
}

/** Starts a process that prints a line of pids when it and everything below it is running. */
async function start(script: string, marker: string | undefined): Promise<number[]> {
  const child = spawn(process.execPath, ["-e", script], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env.PATH, ...(marker === undefined ? {} : { [markerVariable]: marker }) },
  });
  started.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const found = line.split(" ").map(Number);
  pids.push(...found);
  return found;
}

const idle = "setInterval(() => {}, 1000)";
const alone = `console.log(process.pid); ${idle}`;

// A runner that starts an engine, which starts a plugin in a process group of its own and with its output elsewhere.
const plugin = idle;
const engine = `const { spawn } = require("node:child_process");
  const plugin = spawn(process.execPath, ["-e", ${JSON.stringify(plugin)}], { detached: true, stdio: "ignore" });
  process.send ? 0 : console.log(process.pid + " " + plugin.pid); ${idle}`;
const runner = `const { spawn } = require("node:child_process");
  const engine = spawn(process.execPath, ["-e", ${JSON.stringify(engine)}], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  engine.stdout.once("data", (pids) => console.log(process.pid + " " + String(pids).trim())); ${idle}`;

describe.runIf(process.platform === "linux")("reap", () => {
  it("ends a whole tree, also a grandchild in a process group of its own", async () => {
    const marker = randomUUID();
    const tree = await start(runner, marker);
    expect(tree).toHaveLength(3);
    expect(await reap(marker)).toBe(3);
    for (const pid of tree) expect(await isRunning(pid)).toBe(false);
  });

  it("ends what has lost its parent", async () => {
    const marker = randomUUID();
    const [runnerPid, enginePid = 0, pluginPid = 0] = await start(runner, marker);
    process.kill(runnerPid ?? 0, "SIGKILL");
    expect(await reap(marker)).toBeGreaterThanOrEqual(2);
    expect(await isRunning(enginePid)).toBe(false);
    expect(await isRunning(pluginPid)).toBe(false);
  });

  it("ends a process that ignores polite signals", async () => {
    const marker = randomUUID();
    const stubborn = `process.on("SIGTERM", () => {}); process.on("SIGINT", () => {}); ${alone}`;
    const [pid = 0] = await start(stubborn, marker);
    await reap(marker);
    expect(await isRunning(pid)).toBe(false);
  });

  it("ends a process that starts others while it is being ended", async () => {
    const marker = randomUUID();
    // Each leaves a successor behind before it ends itself, so there is never a moment with nothing to end.
    const relay = `const { spawn } = require("node:child_process");
      const next = (left) => left === 0 ? ${JSON.stringify(idle)} :
        "const next = " + next + "; require('node:child_process').spawn(process.execPath, ['-e', next(" + (left - 1) + ")], { detached: true, stdio: 'ignore' }).unref();";
      spawn(process.execPath, ["-e", next(5)], { detached: true, stdio: "ignore" }); ${alone}`;
    await start(relay, marker);
    await reap(marker);
    expect(await reap(marker)).toBe(0);
  });

  it("leaves processes of another runner and unmarked ones alone", async () => {
    const marker = randomUUID();
    const [other = 0] = await start(alone, `${marker}-2`);
    const [unmarked = 0] = await start(alone, undefined);
    const [own = 0] = await start(alone, marker);
    expect(await reap(marker)).toBe(1);
    expect(await isRunning(own)).toBe(false);
    expect(await isRunning(other)).toBe(true);
    expect(await isRunning(unmarked)).toBe(true);
  });

  it("finds nothing to end the second time", async () => {
    const marker = randomUUID();
    await start(alone, marker);
    expect(await reap(marker)).toBe(1);
    expect(await reap(marker)).toBe(0);
  });
});
