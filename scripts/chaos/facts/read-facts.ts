import type pg from "pg";
import type { Cluster } from "../cluster.ts";
import type { Requests } from "../requests.ts";
import { readLocks, readStates, readStrayStateFiles } from "./backend-facts.ts";
import {
  readAuditEntries,
  readInventory,
  readOperations,
  readPipelines,
  readStackRows,
} from "./database-facts.ts";
import type { Facts } from "./facts.ts";
import { readMachine } from "./machine-facts.ts";

/** Reads everything that the invariants are judged by; nothing may run meanwhile. */
export async function readFacts(
  cluster: Cluster,
  pool: pg.Pool,
  requests: Requests,
  acknowledged: Iterable<string>,
): Promise<Facts> {
  const verification = await requests.demand<{
    ok: boolean;
    broken?: { sequence: number; reason: string };
  }>("GET", "/v1/audit/verification");
  const { broken } = verification;
  return {
    inventory: await readInventory(pool),
    states: await readStates(cluster.stateFolder),
    stackRows: await readStackRows(pool),
    operations: await readOperations(pool),
    pipelines: await readPipelines(pool),
    acknowledged: [...acknowledged],
    audit: {
      brokenAt: verification.ok ? undefined : `entry ${broken?.sequence}: ${broken?.reason}`,
      entries: await readAuditEntries(pool),
    },
    strayStateFiles: await readStrayStateFiles(cluster.stateFolder),
    locks: await readLocks(cluster.stateFolder),
    ...(await readMachine(cluster)),
  };
}
