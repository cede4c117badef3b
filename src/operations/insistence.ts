import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { isUnavailable } from "../postgres/unavailable.ts";

const retryMs = 1_000;

/** Tries again what the database could not be had for, as long as its node has not given up. */
export class Insistence {
  #givenUp = false;

  /** From now on what can't be done at once fails. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** `attempt` may have been carried out when it fails, if its connection broke in the middle of it. */
  async on<Result>(log: Logger, complaint: string, attempt: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!isUnavailable(error) || this.#givenUp) throw error;
        log.warn({ err: error }, complaint);
        await sleep(retryMs);
      }
    }
  }
}
