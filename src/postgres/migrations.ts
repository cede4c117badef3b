import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { inTransaction } from "./pool.ts";

const folder = new URL("./migrations/", import.meta.url);

// Any constant will do, as long as every node of the service uses the same one.
const advisoryLock = 4_723_001;

/**
 * Brings the database up to the newest migration, each in the order of its number. Idempotent and safe to call from several
 * nodes at once: an advisory lock lets one of them work while the others wait and then find nothing to do.
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  await inTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
    await client.query(
      "create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())",
    );
    const applied = await client.query<{ name: string }>("select name from schema_migrations");
    const done = new Set(applied.rows.map((row) => row.name));
    const unknown = [...done].filter((name) => !files.includes(name));
    if (unknown.length > 0) {
      throw new Error(
        `The database has migrations this version doesn't know (${unknown.join(", ")}): run the newer version that applied them`,
      );
    }
    for (const name of files) {
      if (done.has(name)) continue;
      await client.query(await readFile(new URL(name, folder), "utf8"));
      await client.query("insert into schema_migrations (name) values ($1)", [name]);
    }
  });
}
