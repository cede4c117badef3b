import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverSentEvents } from "../../scripts/service/server-sent-events.ts";
import { claimOperation, finishOperation } from "../../src/operations/claims.ts";
import { appendEvents } from "../../src/operations/events.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { queuedOperation } from "../src/operations/queued-operation.ts";
import { type NodeProcess, nodeCommand, startNodeProcess } from "../support/node-process.ts";
import { administratorKey } from "../support/service.ts";

let folder: string;
let server: EmbeddedPostgres;
let pool: pg.Pool;
const nodes = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-streams-"));
  for (const name of ["postgres", "state"]) await mkdir(join(folder, name));
  server = await startEmbeddedPostgres(join(folder, "postgres"));
  pool = openPool(server.url);
});

afterAll(async () => {
  for (const child of nodes) await stop(child, "SIGKILL");
  await pool.end();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A node of the service that takes requests only, on the database that all share. */
function startNode(name: string): Promise<NodeProcess> {
  return startNodeProcess(
    {
      AIDLC_DATA_DIR: join(folder, name),
      AIDLC_ROLE: "api",
      AIDLC_STATE_PASSPHRASE: "the passphrase of all nodes",
      DATABASE_URL: server.url,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    },
    nodeCommand,
    (child) => nodes.add(child),
  );
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  nodes.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

/** An operation that a worker of another process runs: this one, so that only those who tell of it die. */
async function operation() {
  const { id } = await queuedOperation(pool);
  let token = 0;
  let sequence = 0;
  return {
    id,
    begin: async () => {
      token = (await claimOperation(pool, id, { node: "n", leaseMs: 600_000 }))?.fencingToken ?? 0;
      expect(token).toBeGreaterThan(0);
    },
    /** What recovery does with a run that was lost. */
    giveBack: () =>
      pool.query("update operations set state = 'queued', lease_until = null where id = $1", [id]),
    tell: async (count: number) => {
      for (const last = sequence + count; sequence < last; ) {
        sequence += 1;
        const body = { severity: "warning", message: `event ${sequence}` };
        const event = { sequence, at: new Date(), type: "diagnostic", phase: null, body };
        expect(await appendEvents(pool, id, token, [event])).toBe(true);
      }
    },
    end: () => finishOperation(pool, id, token, { state: "succeeded", result: { changes: {} }, error: null }),
  };
}

/** A reader that goes on where it was, on whichever node; it keeps the ids of all it was ever told. */
class Reader {
  readonly ids: number[] = [];
  readonly ends: string[] = [];
  readonly #token: string;
  readonly #operation: string;

  constructor(token: string, operation: string) {
    this.#token = token;
    this.#operation = operation;
  }

  /** Reads until the connection is over, and calls `onEvent` after each event. */
  async read({ url }: NodeProcess, onEvent: (id: number) => void): Promise<void> {
    const last = this.ids.at(-1);
    const response = await fetch(`${url}/v1/operations/${this.#operation}/events`, {
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: "text/event-stream",
        ...(last === undefined ? {} : { "last-event-id": String(last) }),
      },
    });
    expect(response.status).toBe(200);
    try {
      for await (const { id, event } of serverSentEvents(response.body as AsyncIterable<Uint8Array>)) {
        if (event === "end") this.ends.push(event);
        if (id === undefined) continue;
        this.ids.push(Number(id));
        onEvent(Number(id));
      }
    } catch {
      // The node died in the middle of it.
    }
  }
}

describe("the event stream of an operation", () => {
  it("has no gap and nothing twice, through killed, stopped and other nodes, and the operation's second run", async () => {
    const [first, second] = await Promise.all([startNode("first"), startNode("second")]);
    const token = await administratorKey(first.url);
    const running = await operation();
    const reader = new Reader(token, running.id);
    await running.begin();

    // Killed while events are being told; more come while nobody listens.
    await running.tell(20);
    const killed = reader.read(first, (id) => {
      if (id === 30) void stop(first.child, "SIGKILL");
    });
    await running.tell(40);
    await killed;
    expect(reader.ids.at(-1)).toBeGreaterThanOrEqual(30);

    // Another node goes on, over the end of the first run, and is stopped in an orderly way.
    await running.giveBack();
    await running.begin();
    const stopped = reader.read(second, (id) => {
      if (id === 90) void stop(second.child, "SIGTERM");
    });
    await running.tell(60);
    await stopped;
    expect(reader.ends).toEqual([]);

    // The one that was killed is back.
    const again = await startNode("first");
    await running.tell(10);
    const whole = reader.read(again, () => {});
    await running.end();
    await whole;
    expect(reader.ids).toEqual(Array.from({ length: 130 }, (_, index) => index + 1));
    expect(reader.ends).toEqual(["end"]);
  });
});
