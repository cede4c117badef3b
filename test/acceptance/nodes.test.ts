import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bearersOf } from "../../src/engine/reaper.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { openPool } from "../../src/postgres/pool.ts";
import {
  administratorKey,
  bootstrapToken,
  ended,
  firstResource,
  type Requester,
  requester,
  type TestResponse,
} from "../support/service.ts";

const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const accounts = { one: "111111111111", two: "222222222222" };

let folder: string;
let server: EmbeddedPostgres;
let api: Requester;
const nodes: Record<string, Node> = {};

interface Node {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has logged so far. */
  readonly told: string[];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-nodes-"));
  await mkdir(join(folder, "states"));
  server = await startEmbeddedPostgres(join(folder, "postgres"));
  // One after another: each of them changes what the next one finds.
  const { url } = await startNode("api", { AIDLC_ROLE: "api" });
  api = requester(url, await administratorKey(url));
  await api.request("POST", "/v1/teams", { name: "research" });
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
async function startNode(name: string, environment: Record<string, string>): Promise<Node> {
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      AIDLC_DATA_DIR: join(folder, name),
      AIDLC_PORT: "0",
      AIDLC_CONCURRENCY: "1",
      AIDLC_LEASE_SECONDS: "15",
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
  const told: string[] = [];
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    told.push(msg);
    if (msg === "ready" && url !== undefined) ready.resolve(url);
  });
  child.once("close", () => ready.reject(new Error(errors)));
  const node = { child, url: await ready.promise, told };
  nodes[name] = node;
  return node;
}

describe("one node that takes requests and two that run operations", () => {
  it("share the work, and never work on the same stack at once", async () => {
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

  it("let a worker that stood still, and its runner, write nothing of what another one has taken over", async () => {
    const fault = { kind: "latency", type: "*", operation: "create", latencyMs: 400 };
    expect((await api.request("POST", "/sandbox/v1/faults", fault)).status).toBe(201);
    const account = { accountId: "333333333333", region: "eu-central-1" };
    const accepted = await api.request("PUT", "/v1/teams/research/accounts/three", account);
    const { id } = accepted.body;
    const pool = openPool(server.url, 1);
    const rows = async (text: string) => (await pool.query(text, [id])).rows;
    await firstResource(api, id, "done");
    const [run] = await rows(
      "select runner, node, pid from operations join nodes on nodes.id = node where operations.id = $1",
    );
    const paused = Object.values(nodes).find(({ child }) => child.pid === run.pid) as Node;
    const events = async () =>
      (await rows("select sequence, at from operation_events where operation_id = $1 order by sequence"))
        .length;
    const stored = await events();
    let after = 0;
    process.kill(run.pid, "SIGSTOP");
    try {
      // What its runner tells it meanwhile waits for it, to be written late.
      const made =
        "select count(*)::int as count from sandbox.resources where account = '333333333333' and $1 <> ''";
      const [{ count: before }] = await rows(made);
      await vi.waitFor(async () => expect((await rows(made))[0].count).toBeGreaterThan(before), 10_000);
      for (const pid of await bearersOf(run.runner)) process.kill(pid, "SIGSTOP");
      await api.request("DELETE", "/sandbox/v1/faults");

      const operation = await ended(api, accepted);
      expect(operation, JSON.stringify(operation.error)).toMatchObject({ state: "succeeded" });
      after = await events();
      expect(after).toBeGreaterThan(stored);
    } finally {
      process.kill(run.pid, "SIGCONT");
    }
    await vi.waitFor(
      () =>
        expect(paused.told).toEqual(
          expect.arrayContaining([
            "events of a lost claim were refused",
            "a newer claim holds this operation: its end was not recorded",
          ]),
        ),
      20_000,
    );
    expect(await events()).toBe(after);
    expect(
      (await rows("select max(sequence) as last from operation_events where operation_id = $1"))[0].last,
    ).toBe(after);
    expect(
      await rows(`select state, attempt, node <> '${run.node}' as elsewhere from operations where id = $1`),
    ).toEqual([{ state: "succeeded", attempt: 2, elsewhere: true }]);
    expect(
      await rows(
        `select type, aws_id from sandbox.resources where account = '333333333333' and deletion_due_at is null
           and (type, aws_id) not in (select type, aws_id from resources join operations using (stack_id) where operations.id = $1)`,
      ),
    ).toEqual([]);
    expect(await bearersOf(run.runner)).toEqual([]);
    const states = await readdir(join(folder, "states"), { recursive: true });
    expect(states.filter((path) => /locks\/.*\.json$|\.tmp$/.test(path))).toEqual([]);
    await pool.end();
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
