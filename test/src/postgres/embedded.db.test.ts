import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../../src/postgres/embedded.ts";

// Each of these starts servers of its own; none uses the one that the other files share.
const timeoutMs = 60_000;

let folder: string;
const servers: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-embedded-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const server of servers.splice(0)) await server.stop();
  await rm(folder, { recursive: true, force: true });
}, timeoutMs);

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(folder);
  servers.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const serverPid = async () =>
  Number((await readFile(join(folder, "data", "postmaster.pid"), "utf8")).split("\n")[0]);

describe("the embedded server", () => {
  it(
    "comes back at the same address when it is killed, with what was committed",
    async () => {
      const server = await start();
      await query(server.url, "create table notes as select 'committed' as text");
      process.kill(await serverPid(), "SIGKILL");
      await vi.waitFor(
        async () =>
          expect(await query(server.url, "select text from notes")).toEqual([{ text: "committed" }]),
        { timeout: timeoutMs - 10_000, interval: 200 },
      );
    },
    timeoutMs,
  );

  it(
    "keeps its data over a restart, under the same password",
    async () => {
      const first = await start();
      await query(first.url, "create table notes as select 'kept' as text");
      await first.stop();
      await expect(query(first.url, "select 1")).rejects.toThrow();
      const second = await start();
      expect(await query(second.url, "select text from notes")).toEqual([{ text: "kept" }]);
      expect(new URL(second.url).password).toBe(new URL(first.url).password);
    },
    timeoutMs,
  );

  it(
    "listens on loopback alone, wants its password, and keeps that to its owner",
    async () => {
      const server = await start();
      expect(await query(server.url, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
      expect(await query(server.url, "show unix_socket_directories")).toEqual([
        { unix_socket_directories: "" },
      ]);
      const wrong = new URL(server.url);
      wrong.password = "wrong";
      await expect(query(wrong.toString(), "select 1")).rejects.toMatchObject({ code: "28P01" });
      expect((await stat(join(folder, "password"))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, "data"))).mode & 0o077).toBe(0);
    },
    timeoutMs,
  );

  it(
    "can be stopped twice",
    async () => {
      const server = await start();
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      await expect(query(server.url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    },
    timeoutMs,
  );

  it(
    "that outlived a killed service is taken over, with its data",
    async () => {
      const { child, url } = await startInProcess();
      await query(url, "create table notes as select 'kept' as text");
      const pid = await serverPid();
      child.kill("SIGKILL");
      await once(child, "exit");
      const taken = await start();
      expect(taken.url).toBe(url);
      expect(await serverPid()).toBe(pid);
      expect(await query(taken.url, "select text from notes")).toEqual([{ text: "kept" }]);
      await taken.stop();
      await expect(query(taken.url, "select 1")).rejects.toThrow();
    },
    timeoutMs,
  );

  it(
    "that was killed itself starts again on what was committed",
    async () => {
      const first = await start();
      await query(first.url, "create table notes as select 'kept' as text");
      process.kill(await serverPid(), "SIGKILL");
      await first.stop();
      const second = await start();
      expect(await query(second.url, "select text from notes")).toEqual([{ text: "kept" }]);
    },
    timeoutMs,
  );

  it(
    "is created anew where an earlier creation was interrupted",
    async () => {
      await (await start()).stop();
      // The version file is what the creation writes, so a folder without it was never completed.
      await rm(join(folder, "data", "PG_VERSION"));
      const server = await start();
      expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    },
    timeoutMs,
  );

  /** Another process that starts the server and stays, as a service does. */
  async function startInProcess(): Promise<{ child: ChildProcess; url: string }> {
    const module = new URL("../../../src/postgres/embedded.ts", import.meta.url);
    const script = `const { startEmbeddedPostgres } = await import(${JSON.stringify(module.href)});
      console.log((await startEmbeddedPostgres(${JSON.stringify(folder)})).url); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env.PATH },
    });
    children.push(child);
    const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return { child, url };
  }
});
