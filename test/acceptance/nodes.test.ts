import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { openPool } from "../../src/postgres/pool.ts";
import {
  administratorKey,
  bootstrapToken,
  ended,
  type Requester,
  requester,
  type TestResponse,
} from "../support/service.ts";

const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const accounts = { one: "111111111111", two: "222222222222" };

let folder: string;
let server: EmbeddedPostgres;
let api: Requester;
const nodes: Record<string, { readonly child: ChildProcess; readonly url: string }> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-nodes-"));
  await mkdir(join(folder, "states"));
  server = await startEmbeddedPostgres(join(folder, "postgres"));
  // One after another: each of them changes what the next one finds.
  const { url } = await startNode("api", { AIDLC_ROLE: "api" });
  api = requester(url, await administratorKey(url));
  await Promise.all([
    startNode("worker-1", { AIDLC_ROLE: "worker" }),
    startNode("worker-2", { AIDLC_ROLE: "worker" }),
  ]);
});

afterAll(async () => {
  await Promise.all(
    Object.values(nodes).map(async ({ child }) => {
      const closed = once(child, "exit");
      child.kill("SIGTERM");
      await closed;
    }),
  );
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A node as a process of its own, with a data folder of its own, ready; rejects with what it said when it ends before. */
async function startNode(
  name: string,
  environment: Record<string, string>,
): Promise<{ readonly url: string }> {
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      AIDLC_DATA_DIR: join(folder, name),
      AIDLC_PORT: "0",
      AIDLC_CONCURRENCY: "1",
      AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
      AIDLC_STATE_PASSPHRASE: "the same on all nodes",
      DATABASE_URL: server.url,
      PULUMI_BACKEND_URL: `file://${join(folder, "states")}`,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === "ready" && url !== undefined) ready.resolve(url);
  });
  child.once("close", () => ready.reject(new Error(errors)));
  const node = { child, url: await ready.promise };
  nodes[name] = node;
  return node;
}

describe("one node that takes requests and two that run operations", () => {
  it("share the work, and never work on the same stack at once", async () => {
    await api.request("POST", "/v1/teams", { name: "research" });
    const succeed = async (asked: readonly Promise<TestResponse>[]) => {
      for (const accepted of await Promise.all(asked)) {
        const operation = await ended(api, accepted);
        expect(operation, JSON.stringify(operation.error)).toMatchObject({ state: "succeeded" });
      }
    };
    const account = (name: string) => `/v1/teams/research/accounts/${name}`;
    const names = Object.keys(accounts) as (keyof typeof accounts)[];
    await succeed(
      names.map((name) =>
        api.request("PUT", account(name), { accountId: accounts[name], region: "eu-central-1" }),
      ),
    );
    // Of each stack the second waits for the first, whichever node is free.
    await succeed(
      [...names, ...names].map((name) => api.request("POST", `${account(name)}/foundation/reconciliations`)),
    );
    const pool = openPool(server.url, 1);
    try {
      const overlaps = await pool.query(
        `select a.id from operations a join operations b on b.stack_id = a.stack_id and b.id <> a.id
         where a.started_at < b.finished_at and b.started_at < a.finished_at`,
      );
      expect(overlaps.rows).toEqual([]);
      const ran = await pool.query<{ node: string }>("select distinct node from operations");
      expect(ran.rows).toHaveLength(2);
    } finally {
      await pool.end();
    }
  });

  it("are listed with their roles, places and lives", async () => {
    const { body } = await api.request("GET", "/v1/nodes");
    expect(body.items.map(({ role, alive, places }: never) => ({ role, alive, places }))).toEqual([
      { role: "api", alive: true, places: { changes: 0, checks: 0 } },
      { role: "worker", alive: true, places: { changes: 1, checks: 1 } },
      { role: "worker", alive: true, places: { changes: 1, checks: 1 } },
    ]);
  });

  it("are ready each, and a worker takes no requests", async () => {
    for (const { url } of Object.values(nodes)) {
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }
    const worker = requester(nodes["worker-1"]?.url ?? "", api.token);
    for (const path of ["/v1/teams", "/docs", "/sandbox/v1/resources"]) {
      expect((await worker.request("GET", path)).status).toBe(404);
    }
    expect((await worker.request("GET", "/metrics")).body).toMatch(/aidlc_nodes\{role="worker"\} 2/);
  });

  it("let no node join that has another passphrase, or states of its own", async () => {
    await expect(
      startNode("stranger", { AIDLC_ROLE: "worker", AIDLC_STATE_PASSPHRASE: "another one" }),
    ).rejects.toThrow(/set AIDLC_STATE_PASSPHRASE to the other nodes' own/);
    const elsewhere = { AIDLC_ROLE: "worker", PULUMI_BACKEND_URL: `file://${join(folder, "elsewhere")}` };
    await expect(startNode("stranger", elsewhere)).rejects.toThrow(
      /give all nodes the same PULUMI_BACKEND_URL/,
    );
  });
});
