import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { holdNode } from "../../../src/postgres/node-lock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const ignore = () => {};
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

describe("a node's name", () => {
  it("is held by one process at a time", async () => {
    const release = await holdNode(database.url, "host/a", ignore);
    await expect(holdNode(database.url, "host/a", ignore)).rejects.toThrow(
      /Another service runs with this data folder/,
    );
    await release();
  });

  it("can be held again once it was let go", async () => {
    await (await holdNode(database.url, "host/b", ignore))();
    // The server notices the end of the connection a moment after the client.
    const release = await vi.waitFor(() => holdNode(database.url, "host/b", ignore));
    await release();
  });

  it("doesn't stand in the way of other nodes", async () => {
    const releases = await Promise.all(
      ["host/c", "host/d"].map((name) => holdNode(database.url, name, ignore)),
    );
    for (const release of releases) await release();
  });

  it("is taken again by its own process when the connection broke", async () => {
    const errors: Error[] = [];
    const release = await holdNode(database.url, "host/e", (error) => errors.push(error));
    const holders = async () =>
      (
        await database.pool.query(
          "select pid from pg_stat_activity where application_name = 'aidlc-node' and datname = current_database()",
        )
      ).rows.map((row) => row.pid);
    const before = await holders();
    await database.pool.query("select pg_terminate_backend(pid, 5000) from unnest($1::int[]) as pid", [
      before,
    ]);
    await vi.waitFor(async () => {
      const now = await holders();
      expect(now).toHaveLength(1);
      expect(now).not.toEqual(before);
    });
    await vi.waitFor(() =>
      expect(holdNode(database.url, "host/e", ignore)).rejects.toThrow(/Another service/),
    );
    expect(errors).not.toEqual([]);
    await release();
  });
});
