import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { followOperation, OperationFeed } from "../../../src/operations/feed.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let feed: OperationFeed;
let errors: Error[];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  errors = [];
  feed = new OperationFeed(database.url, (error) => errors.push(error));
  await feed.start();
});

afterEach(async () => {
  await feed.close();
});

const notify = (id: string) => database.pool.query("select pg_notify('operation_changed', $1)", [id]);
const listeners = async () => {
  const found = await database.pool.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'aidlc-feed' and datname = current_database()",
  );
  return found.rows.map((row) => row.pid);
};

/** Follows until `seen` has reached `last`; what a reader of rows does, with a number in place of the rows. */
function follower(id: string, signal = new AbortController().signal) {
  const row = { value: 0 };
  const seen: number[] = [];
  const looked = vi.fn();
  const followed = followOperation(feed, id, signal, async () => {
    looked();
    const { value } = row;
    await database.pool.query("select 1");
    if (seen.at(-1) !== value) seen.push(value);
    return value < 0 ? seen : undefined;
  });
  return { row, seen, looked, followed };
}

describe("followOperation", () => {
  it("looks at once, before anything has changed", async () => {
    const { looked, row, followed } = follower("a");
    await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(1));
    row.value = -1;
    await notify("a");
    await followed;
  });

  it("sees every change that is told, and ends with the value found", async () => {
    const id = randomUUID();
    const { row, seen, followed } = follower(id);
    for (let change = 1; change <= 20; change++) {
      row.value = change;
      await notify(id);
      await vi.waitFor(() => expect(seen.at(-1)).toBe(change));
    }
    row.value = -1;
    await notify(id);
    expect(await followed).toEqual([...Array.from({ length: 21 }, (_, index) => index), -1]);
  });

  it("misses no change that comes while it is looking", async () => {
    const id = randomUUID();
    let value = 0;
    let looks = 0;
    const result = await followOperation(feed, id, new AbortController().signal, async () => {
      looks += 1;
      const seen = value;
      if (looks === 1) {
        // Told and delivered before this look ends: the answer it is about to give is old already.
        value = 1;
        const delivered = new Promise<void>((resolve) => {
          const stop = feed.follow(id, () => {
            stop();
            resolve();
          });
        });
        await notify(id);
        await delivered;
      }
      return seen === 1 ? "seen" : undefined;
    });
    expect(result).toBe("seen");
    expect(looks).toBe(2);
  });

  it("doesn't wake for another operation", async () => {
    const { looked, row, followed } = follower("a");
    const other = follower("b");
    await vi.waitFor(() => expect(other.looked).toHaveBeenCalledTimes(1));
    other.row.value = -1;
    await notify("b");
    await other.followed;
    expect(looked).toHaveBeenCalledTimes(1);
    row.value = -1;
    await notify("a");
    await followed;
  });

  it("wakes every follower of an operation", async () => {
    const all = [follower("a"), follower("a"), follower("a")];
    await vi.waitFor(() => {
      for (const each of all) expect(each.looked).toHaveBeenCalled();
    });
    for (const each of all) each.row.value = -1;
    await notify("a");
    for (const each of all) expect(await each.followed).toEqual([0, -1]);
  });

  it("ends without a value when its signal aborts, while it waits or before it began", async () => {
    const abort = new AbortController();
    const { looked, followed } = follower("a", abort.signal);
    await vi.waitFor(() => expect(looked).toHaveBeenCalled());
    abort.abort();
    expect(await followed).toBeUndefined();
    expect(await follower("a", AbortSignal.abort()).followed).toBeUndefined();
  });

  it("passes an error of the look on and follows no longer", async () => {
    const reason = new Error("gone");
    const look = vi.fn(() => Promise.reject(reason));
    await expect(followOperation(feed, "a", new AbortController().signal, look)).rejects.toBe(reason);
    const { row, followed, looked } = follower("a");
    await vi.waitFor(() => expect(looked).toHaveBeenCalled());
    row.value = -1;
    await notify("a");
    await followed;
    expect(look).toHaveBeenCalledTimes(1);
  });
});

describe("the feed", () => {
  it("survives the loss of its connection: followers look again, and hear of later changes", async () => {
    const id = randomUUID();
    const { row, seen, followed } = follower(id);
    await vi.waitFor(() => expect(seen).toEqual([0]));
    // The change happens while nobody listens: only the wake-up after the reconnection can tell of it.
    row.value = 1;
    await database.pool.query("select pg_terminate_backend($1, 5000)", await listeners());
    await vi.waitFor(() => expect(seen).toEqual([0, 1]), 5_000);
    row.value = -1;
    await notify(id);
    expect(await followed).toEqual([0, 1, -1]);
    expect(errors.map((error) => (error as { code?: string }).code)).toContain("57P01");
    expect(await listeners()).toHaveLength(1);
  });

  it("leaves no connection behind when it is closed", async () => {
    await feed.close();
    await vi.waitFor(async () => expect(await listeners()).toEqual([]));
  });

  it("wakes its followers when it is closed, so that they can see that it is over", async () => {
    const { looked, row, followed } = follower("a");
    await vi.waitFor(() => expect(looked).toHaveBeenCalledTimes(1));
    row.value = -1;
    await feed.close();
    expect(await followed).toEqual([0, -1]);
  });
});

describe("a database that can't be reached for a while", () => {
  let gate: Server;
  let sockets: Set<Socket>;
  let open: boolean;
  let attempts: number;
  let distant: OperationFeed;

  beforeEach(async () => {
    await feed.close();
    const target = new URL(database.url);
    sockets = new Set();
    open = true;
    attempts = 0;
    gate = createServer((socket) => {
      attempts += 1;
      if (!open) {
        socket.destroy();
        return;
      }
      const upstream = dial(Number(target.port), target.hostname);
      for (const each of [socket, upstream]) {
        sockets.add(each);
        each.on("error", () => {});
        each.on("close", () => {
          sockets.delete(each);
          socket.destroy();
          upstream.destroy();
        });
      }
      socket.pipe(upstream).pipe(socket);
    });
    await once(gate.listen(0, "127.0.0.1"), "listening");
    const url = new URL(database.url);
    url.port = String((gate.address() as { port: number }).port);
    distant = new OperationFeed(url.toString(), () => {});
  });

  afterEach(async () => {
    await distant.close();
    for (const socket of sockets) socket.destroy();
    gate.close();
    await vi.waitFor(async () => expect(await listeners()).toEqual([]));
  });

  const cut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };

  it("is asked again about once a second, and has one listener when it is back", async () => {
    await distant.start();
    attempts = 0;
    cut();
    // The time of the outage is the point here: with every failed attempt starting a further loop, they explode.
    await database.pool.query("select pg_sleep(2.5)");
    expect(attempts).toBeGreaterThanOrEqual(2);
    expect(attempts).toBeLessThanOrEqual(5);
    open = true;
    const woken = vi.fn();
    distant.follow("a", woken);
    await vi.waitFor(
      async () => {
        await notify("a");
        expect(woken).toHaveBeenCalled();
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(await listeners()).toHaveLength(1);
  }, 30_000);

  it("isn't asked any more once the feed is closed", async () => {
    await distant.start();
    cut();
    await vi.waitFor(() => expect(attempts).toBeGreaterThanOrEqual(2), 5_000);
    await distant.close();
    open = true;
    const before = attempts;
    // Longer than the pause between two attempts.
    await database.pool.query("select pg_sleep(1.5)");
    expect(attempts).toBe(before);
  }, 30_000);

  it("makes a start fail and leaves nothing behind", async () => {
    open = false;
    await expect(distant.start()).rejects.toThrow();
    open = true;
    const before = attempts;
    await database.pool.query("select pg_sleep(1.5)");
    expect(attempts).toBe(before);
  }, 30_000);
});
