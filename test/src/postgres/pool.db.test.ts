import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, openPool } from "../../../src/postgres/pool.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query("create table notes (text text primary key)");
});

afterAll(() => database.drop());

const notes = async () => {
  const found = await database.pool.query<{ text: string }>("select text from notes order by text");
  return found.rows.map((row) => row.text);
};

describe("inTransaction", () => {
  it("keeps what was written once the work is done, and gives its result", async () => {
    const result = await inTransaction(database.pool, async (client) => {
      await client.query("insert into notes values ('kept')");
      return 42;
    });
    expect(result).toBe(42);
    expect(await notes()).toContain("kept");
  });

  it("keeps nothing when the work throws, and throws the same error", async () => {
    const reason = new Error("no");
    const work = inTransaction(database.pool, async (client) => {
      await client.query("insert into notes values ('lost')");
      throw reason;
    });
    await expect(work).rejects.toBe(reason);
    expect(await notes()).not.toContain("lost");
  });

  it("keeps nothing when a statement fails", async () => {
    const work = inTransaction(database.pool, async (client) => {
      await client.query("insert into notes values ('twice')");
      await client.query("insert into notes values ('twice')");
    });
    await expect(work).rejects.toMatchObject({ code: "23505" });
    expect(await notes()).not.toContain("twice");
  });

  it("hides its writes from others until it is done", async () => {
    await inTransaction(database.pool, async (client) => {
      await client.query("insert into notes values ('hidden')");
      expect(await notes()).not.toContain("hidden");
    });
    expect(await notes()).toContain("hidden");
  });

  it("gives its connection back, however it ended", async () => {
    const pool = openPool(database.url, 1);
    try {
      for (let round = 0; round < 3; round++) {
        await expect(inTransaction(pool, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
        await inTransaction(pool, (client) => client.query("select 1"));
      }
    } finally {
      await pool.end();
    }
  });

  it("throws a connection away that broke under a transaction, and the process survives it", async () => {
    const pool = openPool(database.url, 1);
    try {
      const work = inTransaction(pool, async (client) => {
        const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
        await database.pool.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
        await client.query("select 1");
      });
      await expect(work).rejects.toThrow();
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });
});

describe("openPool", () => {
  it("reads a bigint as a number", async () => {
    const found = await database.pool.query(
      "select count(*) as count, 9007199254740991::bigint as largest from notes",
    );
    expect(found.rows[0]).toEqual({ count: expect.any(Number), largest: Number.MAX_SAFE_INTEGER });
  });

  it("outlives the loss of an idle connection", async () => {
    const pool = openPool(database.url, 1);
    try {
      const removed = new Promise((resolve) => pool.once("remove", resolve));
      const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
      await database.pool.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
      await removed;
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });

  it("opens no more connections than it was told", async () => {
    const pool = openPool(database.url, 2);
    try {
      const clients = await Promise.all([pool.connect(), pool.connect()]);
      const third = pool.connect();
      expect(pool.totalCount).toBe(2);
      expect(pool.waitingCount).toBe(1);
      for (const client of clients) client.release();
      (await third).release();
    } finally {
      await pool.end();
    }
  });
});
