import { randomBytes } from "node:crypto";
import type pg from "pg";
import { inject } from "vitest";
import { openPool } from "../../src/postgres/pool.ts";
import { databaseUrl, templateDatabase } from "./postgres.ts";

export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Fails when a connection was leaked: the pool can't end, or the database is still in use. */
  drop(): Promise<void>;
}

/** A migrated database of its own for one test file. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject("databaseUrl");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = openPool(serverUrl, 1);
  await admin.query(`create database ${name} template ${templateDatabase}`);
  await admin.end();
  const url = databaseUrl(serverUrl, name);
  const pool = openPool(url);
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      const end = openPool(serverUrl, 1);
      await end.query(`drop database ${name}`);
      await end.end();
    },
  };
}
