import { randomUUID } from "node:crypto";
import pino from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { joinNodes } from "../../../src/nodes/presence.ts";
import { listNodes, type NodeRecord, renewNode } from "../../../src/nodes/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const log = pino({ level: "silent" });
const secret = "the same on all nodes";

let database: TestDatabase;
let joined: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const leave of joined) await leave();
  joined = [];
  await database.pool.query("delete from nodes");
});

afterAll(() => database.drop());

function nodeWith(change: Partial<NodeRecord> = {}): NodeRecord {
  return {
    id: randomUUID(),
    host: "host-a",
    hostname: "a.example",
    role: "worker",
    backend: "states",
    localBackend: true,
    pid: 1,
    version: "1.0.0",
    places: { changes: 2, checks: 2 },
    ...change,
  };
}

async function join(node: NodeRecord, withSecret = secret): Promise<void> {
  joined.push(await joinNodes(database.pool, node, withSecret, log));
}

describe("a node that joins", () => {
  it("is listed with what it does until it leaves, and as the same one when it is started again", async () => {
    const node = nodeWith();
    await join(node);
    await join({ ...node, version: "1.1.0" });
    expect(await listNodes(database.pool)).toMatchObject([
      {
        id: node.id,
        role: "worker",
        version: "1.1.0",
        alive: true,
        places: node.places,
        running: { changes: 0, checks: 0 },
      },
    ]);
    await joined.pop()?.();
    expect(await listNodes(database.pool)).toEqual([]);
  });

  it("is listed as dead when it has said nothing for a while, and forgotten after a week", async () => {
    const node = nodeWith();
    await join(node);
    await database.pool.query("update nodes set seen_at = seen_at - interval '1 minute'");
    expect(await listNodes(database.pool)).toMatchObject([{ id: node.id, alive: false }]);
    await renewNode(database.pool, node.id);
    expect(await listNodes(database.pool)).toMatchObject([{ id: node.id, alive: true }]);
    await database.pool.query("update nodes set seen_at = seen_at - interval '8 days'");
    const other = nodeWith();
    await join(other);
    expect(await listNodes(database.pool)).toMatchObject([{ id: other.id }]);
  });

  it("is refused with another secret than the first node's, and told where that is", async () => {
    await join(nodeWith());
    await expect(join(nodeWith(), "another one")).rejects.toThrow(/set AIDLC_STATE_PASSPHRASE/);
    expect(await listNodes(database.pool)).toHaveLength(1);
    const proof = await database.pool.query("select * from node_secret");
    expect(JSON.stringify(proof.rows)).not.toContain(secret);
  });

  it("is refused with a file:// backend while a node on another host works, and not on the same host or after that one's death", async () => {
    await join(nodeWith());
    const elsewhere = nodeWith({ host: "host-b" });
    await expect(join(elsewhere)).rejects.toThrow(/a\.example, which doesn't share the folder/);
    await join(nodeWith());
    await database.pool.query("update nodes set seen_at = seen_at - interval '1 minute'");
    await join(elsewhere);
  });

  it("is welcome on another host with a backend that all can reach, and where the other works on no states", async () => {
    const shared = { localBackend: false, backend: "bucket" };
    await join(nodeWith(shared));
    await join(nodeWith({ ...shared, host: "host-b" }));
    await join(nodeWith({ role: "api", backend: null, host: "host-c" }));
  });

  it("is refused with states at another address than a living node's", async () => {
    await join(nodeWith());
    await expect(join(nodeWith({ backend: "elsewhere" }))).rejects.toThrow(/the same PULUMI_BACKEND_URL/);
  });

  it("of two that would harm each other at the same moment only one gets in", async () => {
    const tried = await Promise.allSettled([
      join(nodeWith({ host: "host-a" })),
      join(nodeWith({ host: "host-b" })),
      join(nodeWith({ host: "host-c" })),
    ]);
    expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await listNodes(database.pool)).toHaveLength(1);
  });
});
