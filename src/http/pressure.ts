import { getHeapStatistics } from "node:v8";
import underPressure, { TYPE_EVENT_LOOP_DELAY } from "@fastify/under-pressure";
import type pg from "pg";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";
import type { RequestLimits } from "./limits.ts";
import { isProbe } from "./rate-limits.ts";

// As long as a verdict on the event loop lasts. A pause as long as a sample would be taken for an endless one.
const sampleMs = 5_000;
const retryAfterSeconds = sampleMs / 1000;

/** Refuses requests while the node can't keep up, so that those it took are answered. */
export async function refuseUnderPressure(app: App, pool: pg.Pool, limits: RequestLimits): Promise<void> {
  let settledAt = Number.POSITIVE_INFINITY;
  // The start itself, with all its imports, falls into a first sample, whose verdict lasts as long as another.
  app.addHook("onReady", async () => {
    settledAt = performance.now() + 2 * sampleMs;
  });
  await app.register(underPressure, {
    sampleInterval: sampleMs,
    maxEventLoopDelay: limits.eventLoopDelayMs,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * limits.heapFraction,
    pressureHandler: async (request, _reply, type) => {
      if (isProbe(request) || (type === TYPE_EVENT_LOOP_DELAY && performance.now() < settledAt)) return;
      throw busy("This node is overloaded");
    },
  });
  refuseCrowds(app, pool, limits);
}

/**
 * Comes before authentication, and after it once more: many requests are authenticated by one statement, and then each asks the
 * database for something of its own.
 */
export function refuseCrowds(app: App, pool: pg.Pool, limits: RequestLimits): void {
  app.addHook("onRequest", async (request) => {
    if (!isProbe(request)) refuseCrowd(pool, limits);
  });
}

/** Throws `unavailable` while too many statements wait for a connection to the database. */
export function refuseCrowd({ waitingCount }: pg.Pool, { waitingForDatabase }: RequestLimits): void {
  if (waitingCount < waitingForDatabase) return;
  throw busy(`${waitingCount} requests wait for the database`);
}

function busy(what: string): AppError {
  return new AppError("unavailable", `${what}: try again in ${retryAfterSeconds} s`, {
    details: { retryAfterSeconds },
  });
}
