import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Writable } from "node:stream";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { TimedEvent } from "../../../src/engine/protocol.ts";
import { claimOperation } from "../../../src/operations/claims.ts";
import { EventRecorder } from "../../../src/operations/event-recorder.ts";
import { appendEvents, listEvents } from "../../../src/operations/events.ts";
import { Insistence } from "../../../src/operations/insistence.ts";
import { openPool } from "../../../src/postgres/pool.ts";
import { ensureStack } from "../../../src/stacks/store.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { queuedOperation } from "./queued-operation.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

async function running(): Promise<{ id: string; token: number }> {
  const stackId = await ensureStack(database.pool, "aidlc-foundation", randomUUID());
  const { id } = await queuedOperation(database.pool, { stackId });
  const claim = await claimOperation(database.pool, id, { node: "node-a", leaseMs: 60_000 });
  return { id, token: claim?.fencingToken ?? 0 };
}

function recordingLog() {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { log: pino(sink), lines };
}

/** A way to a database that can be cut, for connections that there are and for new ones. */
async function lineTo(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const own = new URL(url);
  own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: own.toString(),
    cut: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    mend: () => once(server.listen(Number(own.port), "127.0.0.1"), "listening"),
  };
}

const silent = pino({ level: "silent" });
const warning = (message: string): TimedEvent => ({
  at: new Date(),
  event: { type: "diagnostic", severity: "warning", message },
});
const messages = async (id: string) =>
  (await listEvents(database.pool, id, 0, 10_000)).map((event) => event.body.message);

describe("an event recorder", () => {
  it("numbers events from 1 without gaps, in the order they were added, over many batches", async () => {
    const { id, token } = await running();
    const recorder = new EventRecorder(database.pool, id, token, silent);
    const expected: string[] = [];
    for (let batch = 0; batch < 5; batch++) {
      for (let index = 0; index < 40; index++) {
        expected.push(`${batch}.${index}`);
        recorder.add(warning(`${batch}.${index}`));
      }
      // The batch before is stored by itself, without anybody asking for it.
      const soFar = expected.length;
      await vi.waitFor(async () => expect(await messages(id)).toHaveLength(soFar));
    }
    await recorder.close();
    const stored = await listEvents(database.pool, id, 0, 10_000);
    expect(stored.map((event) => event.sequence)).toEqual(expected.map((_, index) => index + 1));
    expect(stored.map((event) => event.body.message)).toEqual(expected);
  });

  it("never shows a later event before an earlier one, however long that takes to store", async () => {
    const { id, token } = await running();
    const recorder = new EventRecorder(database.pool, id, token, silent);
    const many = 20_000;
    for (let index = 0; index < many; index++) recorder.add(warning(String(index)));
    void recorder.close();
    // A batch of its own, which would be stored long before the first if it didn't wait for that.
    recorder.add(warning("last"));
    const closed = recorder.close();
    let count = 0;
    while (count <= many) {
      const found = await database.pool.query<{ count: number; newest: number }>(
        "select count(*) as count, coalesce(max(sequence), 0) as newest from operation_events where operation_id = $1",
        [id],
      );
      ({ count = 0 } = found.rows[0] ?? {});
      // A reader that has seen the newest goes on after it, and would never see what is missing before.
      expect(found.rows[0]?.newest).toBe(count);
    }
    await closed;
  }, 15_000);

  it("has stored everything when it is closed", async () => {
    const { id, token } = await running();
    const recorder = new EventRecorder(database.pool, id, token, silent);
    recorder.add(warning("last words"));
    await recorder.close();
    expect(await messages(id)).toEqual(["last words"]);
  });

  it("stores an event with its moment, phase and body", async () => {
    const { id, token } = await running();
    const recorder = new EventRecorder(database.pool, id, token, silent);
    const at = new Date("2026-01-31T12:00:00.123Z");
    recorder.add({
      at,
      phase: "learning",
      event: {
        type: "resource",
        status: "done",
        action: "create",
        urn: "u",
        resourceType: "aws:sns/topic:Topic",
        name: "alerts",
        durationMs: 12,
        changes: [{ path: "tags.a", kind: "add", after: { b: [null, 1] } }],
      },
    });
    await recorder.close();
    expect(await listEvents(database.pool, id, 0, 10)).toEqual([
      {
        sequence: 1,
        at,
        type: "resource",
        phase: "learning",
        body: {
          status: "done",
          action: "create",
          urn: "u",
          resourceType: "aws:sns/topic:Topic",
          name: "alerts",
          durationMs: 12,
          changes: [{ path: "tags.a", kind: "add", after: { b: [null, 1] } }],
        },
      },
    ]);
  });

  it("writes nothing after its claim was lost, says so in the log, and doesn't fail", async () => {
    const { id, token } = await running();
    const { log, lines } = recordingLog();
    const recorder = new EventRecorder(database.pool, id, token, log);
    recorder.add(warning("mine"));
    await recorder.close();
    await database.pool.query("update operations set state = 'queued' where id = $1", [id]);
    await claimOperation(database.pool, id, { node: "node-b", leaseMs: 60_000 });
    recorder.add(warning("too late"));
    await recorder.close();
    expect(await messages(id)).toEqual(["mine"]);
    expect(lines.map((line) => line.msg)).toEqual(["events of a lost claim were refused"]);
  });

  it("stores what is told while the database is away, in order and without a gap", async () => {
    const { id, token } = await running();
    const { log, lines } = recordingLog();
    const line = await lineTo(database.url);
    const pool = openPool(line.url, 2);
    const recorder = new EventRecorder(pool, id, token, log);
    recorder.add(warning("before"));
    await vi.waitFor(async () => expect(await messages(id)).toEqual(["before"]));
    await line.cut();
    recorder.add(warning("meanwhile"));
    await vi.waitFor(() =>
      expect(lines).toContainEqual(expect.objectContaining({ msg: "events could not be stored yet" })),
    );
    recorder.add(warning("later"));
    await line.mend();
    await recorder.close();
    await pool.end();
    await line.cut();
    expect(await messages(id)).toEqual(["before", "meanwhile", "later"]);
  });

  it("stores what it told already once, since a broken connection may hide that it did", async () => {
    const { id, token } = await running();
    const batch = [
      { sequence: 1, at: new Date(), type: "diagnostic", phase: null, body: { message: "once" } },
    ];
    expect(await appendEvents(database.pool, id, token, batch)).toBe(true);
    expect(await appendEvents(database.pool, id, token, batch)).toBe(true);
    expect(await messages(id)).toEqual(["once"]);
  });

  it("gives up, and doesn't fail, when its node does while the database can't be reached", async () => {
    const { id, token } = await running();
    const { log, lines } = recordingLog();
    const broken = openPool("postgres://nobody@127.0.0.1:1/none", 1);
    const insistence = new Insistence();
    insistence.giveUp();
    const recorder = new EventRecorder(broken, id, token, log, 0, insistence);
    recorder.add(warning("lost"));
    await recorder.close();
    await broken.end();
    expect(lines).toEqual([expect.objectContaining({ msg: "events could not be stored", events: 1 })]);
  });

  it("stores an event whose text PostgreSQL can't hold as it is, and those beside it", async () => {
    // A program prints what it likes; a null character or half a surrogate pair must not cost the batch its story.
    const { id, token } = await running();
    const recorder = new EventRecorder(database.pool, id, token, silent);
    recorder.add(warning("before"));
    recorder.add(warning("null \0 character"));
    recorder.add(warning("half \ud800 a pair"));
    recorder.add(warning("after"));
    await recorder.close();
    const stored = await messages(id);
    expect(stored).toHaveLength(4);
    expect(stored).toEqual(expect.arrayContaining(["before", "after"]));
  });

  it("closes at once when nothing was added", async () => {
    const { id, token } = await running();
    await new EventRecorder(database.pool, id, token, silent).close();
    expect(await messages(id)).toEqual([]);
  });
});
