import type pg from "pg";
import { json } from "../service/client.ts";
import type { Crowd } from "./client-crowd.ts";
import type { Cluster } from "./cluster.ts";
import { operationEnded } from "./quiet.ts";
import { Requests } from "./requests.ts";
import { accountAlias, accounts, region, type Tenant, tenantsOf } from "./tenants.ts";

/** What chaos is played on: nodes that answer, teams with accounts, pipelines to come. */
export interface Stage {
  readonly cluster: Cluster;
  readonly pool: pg.Pool;
  /** Of an administrator. */
  readonly requests: Requests;
  readonly crowd: Crowd;
  /** By team: who approves of what the crowd asks for. */
  readonly approvers: ReadonlyMap<string, Requests>;
  readonly tenants: readonly Tenant[];
  /** Ends everything early. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Starts the nodes and gives every team its account. */
export async function setStage(
  cluster: Cluster,
  pool: pg.Pool,
  options: Pick<Stage, "signal" | "print"> & { readonly pipelines: number },
): Promise<Stage> {
  const { signal, print, pipelines } = options;
  // The first one alone: it migrates the database.
  await cluster.api.start();
  await Promise.all(cluster.workers.map((node) => node.start()));
  const requests = new Requests(() => cluster.api.url, signal);
  await requests.introduce(cluster.bootstrapToken);
  const askers = new Map<string, Requests>();
  const approvers = new Map<string, Requests>();
  const crowd: Crowd = {
    requests: askers,
    acknowledged: new Set(),
    ended: (id, until) => operationEnded(pool, id, until),
  };
  for (const [team, accountId] of Object.entries(accounts)) {
    await requests.demand("POST", "/v1/teams", json({ name: team }));
    askers.set(team, requests.as(await keyOf(requests, team, "maintainer")));
    approvers.set(team, requests.as(await keyOf(requests, team, "approver")));
    const path = `/v1/teams/${team}/accounts/${accountAlias}`;
    const { id } = await requests.demand<{ id: string }>("PUT", path, json({ accountId, region }));
    crowd.acknowledged.add(id);
    await operationEnded(pool, id, signal);
  }
  const tenants = tenantsOf(pipelines);
  print(
    `one api, ${cluster.workers.length} workers, ${tenants.length} pipelines of ${Object.keys(accounts).length} teams`,
  );
  return { cluster, pool, requests, crowd, approvers, tenants, signal, print };
}

async function keyOf(requests: Requests, team: string, role: string): Promise<string> {
  const body = json({ name: role, roles: [role] });
  return (await requests.demand<{ key: string }>("POST", `/v1/teams/${team}/keys`, body)).key;
}
