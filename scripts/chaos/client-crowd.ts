import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Body } from "../service/client.ts";
import type { Action, Request } from "./plan.ts";
import { drawAction } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Answer, Requests } from "./requests.ts";
import { specBody, type Tenant } from "./tenants.ts";

export interface Crowd {
  /** By team: an administrator could not ask for what another administrator's key approves. */
  readonly requests: ReadonlyMap<string, Requests>;
  /** Where ids of operations that were answered with 202 are kept. */
  readonly acknowledged: Set<string>;
  /** Resolves when the operation has ended, or when the signal aborts. */
  readonly ended: (operation: string, signal: AbortSignal) => Promise<void>;
}

// After a refusal: somebody would look first what stands in the way.
const refusedMs = 500;

/** Asks one thing after another of a pipeline until the signal aborts. */
export async function useTenant(
  crowd: Crowd,
  tenant: Tenant,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const requests = requestsOf(crowd, tenant);
  let exists = false;
  while (!signal.aborted) {
    const action = drawAction(random, exists);
    const answer = await ask(requests, tenant, action.request);
    if (answer.status === 404) exists = false;
    if (answer.status !== 202) {
      await pause(refusedMs, signal);
      continue;
    }
    const { id } = answer.body as { id: string };
    crowd.acknowledged.add(id);
    exists ||= action.request.type === "apply";
    await seeThrough(crowd, requests, action, id, signal);
  }
}

/** Who asks for what becomes of a team's pipelines. */
export function requestsOf({ requests }: Pick<Crowd, "requests">, { team }: Tenant): Requests {
  const found = requests.get(team);
  if (found === undefined) throw new Error(`Nobody asks for anything in team ${team}`);
  return found;
}

async function seeThrough(
  crowd: Crowd,
  requests: Requests,
  action: Action,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  if (action.cancelAfterMs !== undefined) {
    await pause(action.cancelAfterMs, signal);
    await requests.send("POST", `/v1/operations/${id}/cancel`);
  }
  if (!action.isHasty) await crowd.ended(id, signal);
}

/** Sends a request as people would; the answer may be a refusal. */
export function ask(requests: Requests, tenant: Tenant, request: Request): Promise<Answer> {
  const { path } = tenant;
  // A request whose answer was lost with a killed node is sent again, and must not be carried out twice.
  const once = { "idempotency-key": randomUUID() };
  const post = (collection: string, body?: Body) =>
    requests.send("POST", `${path}/${collection}`, body, once);
  switch (request.type) {
    case "apply":
      return requests.send("PUT", path, specBody(request.spec));
    case "preview":
      return post("previews", specBody(request.spec));
    case "drift":
      return post("drift-checks");
    case "reconcile":
      return post("reconciliations");
    case "refresh":
      return post("refreshes");
    case "destroy":
      return requests.send("DELETE", `${path}?data=${request.data}${consent(request.data, tenant)}`);
  }
}

/** Whoever deletes data has to name whose it is. */
function consent(data: "retain" | "delete", { team, pipeline }: Tenant): string {
  return data === "delete" ? `&confirm=${team}/${pipeline}` : "";
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
