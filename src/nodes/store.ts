import type { Lane } from "../operations/states.ts";
import type { Queryable } from "../postgres/pool.ts";

export const nodeRoles = ["all", "api", "worker"] as const;
export type NodeRole = (typeof nodeRoles)[number];

/** Whether it runs operations. */
export function works(role: NodeRole): boolean {
  return role !== "api";
}

/** Whether it takes requests. */
export function serves(role: NodeRole): boolean {
  return role !== "worker";
}

export interface NodeRecord {
  readonly id: string;
  /** See `hostId`. */
  readonly host: string;
  readonly hostname: string;
  readonly role: NodeRole;
  /** Digest of the address of the states; null where none are worked on. */
  readonly backend: string | null;
  readonly localBackend: boolean;
  readonly pid: number;
  readonly version: string;
  /** Operations of each lane that it runs at once. */
  readonly places: Readonly<Record<Lane, number>>;
}

/** A node that says nothing for so long has died, or can't reach the database. */
export const silenceMs = 20_000;

/** In SQL: the node of this row lives. */
export const isAlive = `seen_at > clock_timestamp() - ${silenceMs} * interval '1 millisecond'`;

export interface ListedNode {
  readonly id: string;
  readonly hostname: string;
  readonly role: NodeRole;
  readonly version: string;
  readonly alive: boolean;
  readonly startedAt: Date;
  readonly seenAt: Date;
  readonly places: Readonly<Record<Lane, number>>;
  readonly running: Readonly<Record<Lane, number>>;
}

export async function putNode(db: Queryable, node: NodeRecord): Promise<void> {
  await db.query(
    `insert into nodes (id, host, hostname, role, backend, local_backend, pid, version, changes, checks)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (id) do update set host = excluded.host, hostname = excluded.hostname, role = excluded.role,
       backend = excluded.backend, local_backend = excluded.local_backend, pid = excluded.pid,
       version = excluded.version, changes = excluded.changes, checks = excluded.checks,
       started_at = clock_timestamp(), seen_at = clock_timestamp()`,
    [
      node.id,
      node.host,
      node.hostname,
      node.role,
      node.backend,
      node.localBackend,
      node.pid,
      node.version,
      node.places.changes,
      node.places.checks,
    ],
  );
}

/** The other nodes that live and work on states. */
export async function livingWorkers(
  db: Queryable,
  but: string,
): Promise<{ id: string; host: string; hostname: string; backend: string; localBackend: boolean }[]> {
  const found = await db.query<{
    id: string;
    host: string;
    hostname: string;
    backend: string;
    localBackend: boolean;
  }>(
    `select id, host, hostname, backend, local_backend as "localBackend" from nodes
     where id <> $1 and backend is not null and ${isAlive} order by started_at`,
    [but],
  );
  return found.rows;
}

/** Says that the node lives; false when its row is gone. */
export async function renewNode(db: Queryable, id: string): Promise<boolean> {
  const renewed = await db.query("update nodes set seen_at = clock_timestamp() where id = $1", [id]);
  return renewed.rowCount === 1;
}

export async function removeNode(db: Queryable, id: string): Promise<void> {
  await db.query("delete from nodes where id = $1", [id]);
}

/** Nodes that nobody has heard of for a week are of no interest. */
export async function forgetOldNodes(db: Queryable): Promise<void> {
  await db.query("delete from nodes where seen_at < clock_timestamp() - interval '7 days'");
}

/** The nodes that work on this database, those that started first at first, and those that died within a week. */
export async function listNodes(db: Queryable): Promise<ListedNode[]> {
  const found = await db.query<
    Omit<ListedNode, "places" | "running"> & {
      changes: number;
      checks: number;
      runningChanges: number;
      runningChecks: number;
    }
  >(
    `select n.id, hostname, role, version, ${isAlive} as alive, n.started_at as "startedAt", seen_at as "seenAt",
       changes, checks, count(o.id) filter (where lane = 'changes') as "runningChanges",
       count(o.id) filter (where lane = 'checks') as "runningChecks"
     from nodes n left join operations o on o.node = n.id and o.state = 'running'
     group by n.id order by n.started_at, n.id`,
  );
  return found.rows.map(({ changes, checks, runningChanges, runningChecks, ...node }) => ({
    ...node,
    places: { changes, checks },
    running: { changes: runningChanges, checks: runningChecks },
  }));
}
