import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type pg from "pg";
import type { Logger } from "pino";
import { isToldAsOutage } from "../postgres/outage.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { forgetOldNodes, livingWorkers, type NodeRecord, putNode, removeNode, renewNode } from "./store.ts";

// Several of them fit into the silence after which a node is taken for dead.
const renewMs = 5_000;

// Any constant will do, as long as every node of the service uses the same one.
const advisoryLock = 4_723_003;

/**
 * Puts a node on record and says from then on that it lives, until the returned function is called, which takes it off again. Throws
 * for a node that would harm the others: with another secret, or with states of its own.
 */
export async function joinNodes(
  pool: pg.Pool,
  node: NodeRecord,
  secret: string,
  log: Logger,
): Promise<() => Promise<void>> {
  await inTransaction(pool, async (client) => {
    // Of two that would harm each other only one gets in.
    await client.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
    await checkSecret(client, secret);
    await checkBackend(client, node);
    await putNode(client, node);
    await forgetOldNodes(client);
  });
  const renewal = setInterval(async () => {
    try {
      if (!(await renewNode(pool, node.id))) await putNode(pool, node);
    } catch (error) {
      if (!isToldAsOutage(pool, error)) log.warn({ err: error }, "this node could not say that it lives");
    }
  }, renewMs);
  return async () => {
    clearInterval(renewal);
    await removeNode(pool, node.id);
  };
}

/** The secret opens every state and proves the audit trail: a node with another one would write what the others can't read. */
async function checkSecret(db: Queryable, secret: string): Promise<void> {
  const salt = randomBytes(16);
  await db.query("insert into node_secret (salt, proof) values ($1, $2) on conflict do nothing", [
    salt,
    await proofOf(secret, salt),
  ]);
  const found = await db.query<{ salt: Buffer; proof: Buffer }>("select salt, proof from node_secret");
  const known = found.rows[0] as { salt: Buffer; proof: Buffer };
  if (timingSafeEqual(known.proof, await proofOf(secret, known.salt))) return;
  throw new Error(
    "The state passphrase is not the one that this database was set up with: set AIDLC_STATE_PASSPHRASE to the other nodes' own, " +
      "which is also in the file state-passphrase of the first node's data folder",
  );
}

// Slow on purpose (N = 2^14, 16 MiB), so that whoever reads the database can't try out passphrases by the million.
function proofOf(secret: string, salt: Buffer): Promise<Buffer> {
  return promisify<string, Buffer, number, Buffer>(scrypt)(secret, salt, 32);
}

async function checkBackend(db: Queryable, node: NodeRecord): Promise<void> {
  if (node.backend === null) return;
  for (const other of await livingWorkers(db, node.id)) {
    if (node.localBackend && other.host !== node.host) {
      throw new Error(
        `Node ${other.id} works on the host ${other.hostname}, which doesn't share the folder in PULUMI_BACKEND_URL: ` +
          "use s3://…, gs://…, azblob://… or postgres://… on all nodes",
      );
    }
    if (node.backend !== other.backend) {
      throw new Error(
        `Node ${other.id} on the host ${other.hostname} works on states at another address: ` +
          "give all nodes the same PULUMI_BACKEND_URL",
      );
    }
  }
}
