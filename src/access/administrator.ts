import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type pg from "pg";
import type { Logger } from "pino";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { isBootstrapped, lockBootstrap, recordBootstrap } from "./bootstrap-store.ts";
import { countAdministrators } from "./grant-store.ts";
import { longestKeyDays, type NewKey, newKey, prefixOf, sameSecret } from "./key-format.ts";
import { findPresentedKey, insertKey, type StoredKey } from "./key-store.ts";
import { keyView } from "./schema.ts";

/** Adds a key with which everything else can be granted; it lives as long as a key may. */
export function insertAdministratorKey(
  db: Queryable,
  { prefix, digest }: NewKey,
  { name, createdBy }: { readonly name: string; readonly createdBy: string },
): Promise<StoredKey> {
  const roles = ["admin"] as const;
  const id = randomUUID();
  return insertKey(db, {
    id,
    prefix,
    digest,
    name,
    team: null,
    roles,
    createdBy,
    expiresInDays: longestKeyDays,
  });
}

export interface AdministratorOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly dataDir: string;
  readonly bootstrapToken: string | undefined;
  readonly issuer: string | undefined;
  readonly log: Logger;
}

/**
 * Sees to it that there is an administrator: without a bootstrap token, the first start makes a key and writes it to the file
 * `admin-token` in the data folder. So does a later one when no administrator is left, or when an operator has emptied that file
 * to say that the key is lost. To be called at the start, by one service per data folder; idempotent.
 */
export async function provideAdministrator(options: AdministratorOptions): Promise<void> {
  const { pool, audit, dataDir, bootstrapToken, issuer, log } = options;
  const path = join(dataDir, "admin-token");
  // A crash between commit and renaming leaves the key here: so there is never one in the database that nobody has.
  const draft = `${path}.new`;
  await settleDraft(pool, draft, path);
  const minted = await inTransaction(pool, async (client) => {
    await lockBootstrap(client);
    const bootstrapped = await isBootstrapped(client);
    const administrators = await countAdministrators(client, issuer);
    if (bootstrapToken !== undefined) {
      if (bootstrapped && administrators === 0) {
        log.error("no administrator is left: start once without AIDLC_BOOTSTRAP_TOKEN to get a new key");
      }
      return false;
    }
    if (bootstrapped && administrators > 0 && !(await holdsNoKey(path))) return false;
    const key = newKey();
    await writeDurably(draft, `${key.text}\n`);
    const by = serviceContext("start");
    const owner = { name: "administrator", createdBy: by.subject };
    const stored = await insertAdministratorKey(client, key, owner);
    await recordBootstrap(client, by.subject, stored.id);
    await audit.change(client, by, {
      action: "key.create",
      team: null,
      target: `/keys/${stored.id}`,
      after: keyView(stored),
    });
    return true;
  });
  if (!minted) return;
  await moveDurably(draft, path);
  log.info({ file: path }, "a new administrator's key was written");
}

/** Completes or undoes what a crash interrupted. */
async function settleDraft(pool: pg.Pool, draft: string, path: string): Promise<void> {
  const text = await readText(draft);
  if (text === undefined) return;
  const prefix = prefixOf(text);
  const key = prefix === undefined ? undefined : await findPresentedKey(pool, prefix);
  if (key !== undefined && sameSecret(text, key.digest)) await moveDurably(draft, path);
  else await rm(draft);
}

/** Whether the file is there and empty, or cut short. One that was deleted says nothing: people put the key away elsewhere. */
async function holdsNoKey(path: string): Promise<boolean> {
  const text = await readText(path);
  return text !== undefined && prefixOf(text) === undefined;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(path);
}

async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(to);
}

/** A file's name is kept by its folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
