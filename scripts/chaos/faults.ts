import { json } from "../service/client.ts";
import type { Requests } from "./requests.ts";

const path = "/sandbox/v1/faults";

/**
 * Has AWS take its time, and strike the share `rate` of all calls: nine of ten struck calls are throttled and get through after the
 * provider's own retries, the tenth runs out of retries, or fails in another way.
 */
export async function orderFaults(requests: Requests, rate: number): Promise<void> {
  const order = (fault: object) => requests.demand("POST", path, json(fault));
  // So that there is a while between the beginning of a change and its answer, for kills to fall into.
  await order({ kind: "latency", operation: "create", latencyMs: 60 });
  for (const operation of ["create", "update", "delete"])
    await order({ kind: "latency", operation, moment: "after", latencyMs: 400, probability: 0.3 });
  if (rate === 0) return;
  await order({ kind: "latency", latencyMs: 700, probability: rate * 0.9 });
  await order({ kind: "throttle", probability: rate * 0.06 });
  await order({ kind: "error", code: "ServiceUnavailable", message: "try again", probability: rate * 0.04 });
}

export async function endFaults(requests: Requests): Promise<void> {
  await requests.demand("DELETE", path);
}
