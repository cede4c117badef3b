import type { Queryable } from "../postgres/pool.ts";

/** Makes every other way to the first administrator's key wait until the transaction has ended. */
export async function lockBootstrap(db: Queryable): Promise<void> {
  await db.query("lock table bootstrap in share row exclusive mode");
}

export async function isBootstrapped(db: Queryable): Promise<boolean> {
  return (await db.query("select from bootstrap")).rowCount !== 0;
}

/** Records how the first administrator's key was had; doing so a second time changes nothing. */
export async function recordBootstrap(db: Queryable, exchangedBy: string, keyId: string): Promise<void> {
  await db.query(
    "insert into bootstrap (exchanged_by, key_id) values ($1, $2) on conflict (done) do nothing",
    [exchangedBy, keyId],
  );
}
