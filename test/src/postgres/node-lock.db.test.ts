import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { holdNode } from "../../../src/postgres/node-lock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

describe("a node's name", () => {
  it("is held by one process at a time", async () => {
    const release = await holdNode(database.url, "host/a");
    await expect(holdNode(database.url, "host/a")).rejects.toThrow(
      /Another service runs with this data folder/,
    );
    await release();
  });

  it("can be held again once it was let go", async () => {
    await (await holdNode(database.url, "host/b"))();
    // The server notices the end of the connection a moment after the client.
    const release = await vi.waitFor(() => holdNode(database.url, "host/b"));
    await release();
  });

  it("doesn't stand in the way of other nodes", async () => {
    const releases = await Promise.all(["host/c", "host/d"].map((name) => holdNode(database.url, name)));
    for (const release of releases) await release();
  });

  it("is free again when its process is gone without a word", async () => {
    const release = await holdNode(database.url, "host/e");
    await database.pool.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'aidlc-node' and datname = current_database()",
    );
    await (await holdNode(database.url, "host/e"))();
    await release();
  });
});
