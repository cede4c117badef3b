import { setTimeout as sleep } from "node:timers/promises";
import { isUnavailable } from "../postgres/unavailable.ts";

// Longer than any lease: whoever runs the operation gives up first.
const patienceMs = 120_000;
const retryMs = 200;

/**
 * Tries again while the database can't be had: AWS does not go down with the service's database, so a restart of that must look
 * like slow answers. Only for what may be done twice, since what failed may have been carried out.
 */
export async function patient<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > deadline) throw error;
      await sleep(retryMs);
    }
  }
}
