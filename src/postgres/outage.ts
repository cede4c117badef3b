import type pg from "pg";
import type { Logger } from "pino";
import { isAway } from "./unavailable.ts";

const probeMs = 500;

const outages = new WeakMap<pg.Pool, Outage>();

class Outage {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  #since: number | undefined;

  constructor(pool: pg.Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
  }

  begin(error: unknown): void {
    if (this.#since !== undefined) return;
    this.#since = Date.now();
    this.#log.warn({ err: error }, "the database is away: what needs it waits, and goes on when it is back");
    this.#probeLater();
  }

  #probeLater(): void {
    setTimeout(() => void this.#probe(), probeMs).unref();
  }

  async #probe(): Promise<void> {
    if (this.#pool.ending) return;
    try {
      await this.#pool.query("select 1");
    } catch {
      // Whatever it says now, the first error was told, and this is asked again.
      this.#probeLater();
      return;
    }
    this.#log.info({ awayMs: Date.now() - (this.#since ?? 0) }, "the database is back");
    this.#since = undefined;
  }
}

/** From now on `log` is told once when the database of this pool goes away, and once when it is back. */
export function tellOutages(pool: pg.Pool, log: Logger): void {
  outages.set(pool, new Outage(pool, log));
}

/**
 * Whether an error of whatever asks the database says no more than that it is away, which `tellOutages` tells: a dozen tasks that each
 * ask again every few seconds would fill the log with it. Any other error is for the caller to log.
 */
export function isToldAsOutage(pool: pg.Pool, error: unknown): boolean {
  const outage = outages.get(pool);
  if (outage === undefined || !isAway(error)) return false;
  outage.begin(error);
  return true;
}
