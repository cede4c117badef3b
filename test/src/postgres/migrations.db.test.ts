import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { migrate } from "../../../src/postgres/migrations.ts";
import { openPool } from "../../../src/postgres/pool.ts";
import { databaseUrl } from "../../support/postgres.ts";

const files = (await readdir(new URL("../../../src/postgres/migrations/", import.meta.url)))
  .filter((name) => name.endsWith(".sql"))
  .sort();

let name: string;
let pool: pg.Pool;

/** An empty database: the template of other tests is migrated already. */
beforeEach(async () => {
  name = `empty_${randomBytes(6).toString("hex")}`;
  await asAdmin((admin) => admin.query(`create database ${name}`));
  pool = openPool(databaseUrl(inject("databaseUrl"), name));
});

afterEach(async () => {
  await pool.end();
  await asAdmin((admin) => admin.query(`drop database ${name}`));
});

async function asAdmin(work: (pool: pg.Pool) => Promise<unknown>): Promise<void> {
  const admin = openPool(inject("databaseUrl"), 1);
  await work(admin);
  await admin.end();
}

const applied = async () => {
  const found = await pool.query<{ name: string }>("select name from schema_migrations order by name");
  return found.rows.map((row) => row.name);
};

describe("migrate", () => {
  it("applies every migration to an empty database", async () => {
    await migrate(pool);
    expect(await applied()).toEqual(files);
  });

  it("does nothing the second time and keeps what is there", async () => {
    await migrate(pool);
    await pool.query("insert into teams (name, display_name) values ('ml', 'ML')");
    const before = await pool.query("select * from schema_migrations order by name");
    await migrate(pool);
    expect((await pool.query("select * from schema_migrations order by name")).rows).toEqual(before.rows);
    expect((await pool.query("select name from teams")).rows).toEqual([{ name: "ml" }]);
  });

  it("applies each migration once when several nodes start at the same time", async () => {
    const nodes = Array.from({ length: 6 }, () => openPool(databaseUrl(inject("databaseUrl"), name), 1));
    try {
      await Promise.all(nodes.map(migrate));
      expect(await applied()).toEqual(files);
    } finally {
      await Promise.all(nodes.map((node) => node.end()));
    }
  });

  it("applies only what is missing", async () => {
    await migrate(pool);
    const last = files.at(-1) ?? "";
    await pool.query("drop schema sandbox cascade; drop schema public cascade; create schema public");
    await pool.query(
      "create table schema_migrations (name text primary key, applied_at timestamptz not null default now())",
    );
    await pool.query("insert into schema_migrations (name) values ($1)", [last]);
    await migrate(pool);
    expect(await applied()).toEqual(files);
    expect((await pool.query("select to_regclass('teams') as teams")).rows).toEqual([{ teams: "teams" }]);
  });

  it("refuses a database that a newer version has migrated, and names what it doesn't know", async () => {
    await migrate(pool);
    await pool.query("insert into schema_migrations (name) values ('9999_from_the_future.sql')");
    await expect(migrate(pool)).rejects.toThrow(/9999_from_the_future\.sql.*run the newer version/);
  });

  it("leaves nothing behind when a migration fails", async () => {
    // The first migration can't create a table whose name is taken.
    await pool.query("create table operations (id integer)");
    await expect(migrate(pool)).rejects.toMatchObject({ code: "42P07" });
    const { rows } = await pool.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public'",
    );
    expect(rows.map((row) => row.tablename)).toEqual(["operations"]);
  });
});
