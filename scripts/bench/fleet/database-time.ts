import { setTimeout as sleep } from "node:timers/promises";
import { openPool } from "../../../src/postgres/pool.ts";

// Sessions tell what they did when they have been idle for a while: https://www.postgresql.org/docs/current/monitoring-stats.html
const tellingMs = 11_000;

/** The milliseconds that a database was at work for all its sessions together while `work` ran. */
export async function databaseMs(databaseUrl: string, work: () => Promise<unknown>): Promise<number> {
  const before = await activeMs(databaseUrl);
  await work();
  await sleep(tellingMs);
  return Math.round((await activeMs(databaseUrl)) - before);
}

async function activeMs(databaseUrl: string): Promise<number> {
  const pool = openPool(databaseUrl, 1);
  const found = await pool.query<{ active_time: number }>(
    "select active_time from pg_stat_database where datname = current_database()",
  );
  await pool.end();
  return found.rows[0]?.active_time ?? Number.NaN;
}
