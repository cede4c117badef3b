import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { accessTo } from "../access/permissions.ts";
import type { Principal } from "../access/principal.ts";
import { serviceSubject } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";
import type { RequestLimits } from "./limits.ts";

const minuteMs = 60_000;

/** Counters in this node's memory; register it before the two limits. */
export async function countRequests(app: App): Promise<void> {
  await app.register(rateLimit, { global: false });
}

/**
 * Comes before authentication: an address that failed at it too often is refused without its token being looked at. What is under
 * way at that moment is still tried, as many requests as wait for the database at most.
 */
export function limitFailures(app: App, { failuresPerMinute }: RequestLimits): void {
  const failures = app.createRateLimit({ max: failuresPerMinute, timeWindow: minuteMs });
  app.addHook("onRequest", async (request) => {
    if (isProbe(request)) return;
    const count = await failures(request, { increment: false });
    if (count.isAllowed || count.remaining > 0) return;
    throw rateLimited(
      `More than ${failuresPerMinute} requests a minute without a valid token came from this address`,
      count.ttlInSeconds,
    );
  });
  app.addHook("onError", async (request, _reply, error) => {
    if (error instanceof AppError && error.code === "unauthenticated") await failures(request);
  });
}

/** Comes after authentication. The service itself has no limit. */
export function limitRequests(app: App, { requestsPerMinute }: RequestLimits): void {
  const requests = app.createRateLimit({
    max: requestsPerMinute,
    timeWindow: minuteMs,
    keyGenerator: ({ principal }) => principal.subject,
  });
  app.addHook("onRequest", async (request) => {
    const principal = request.principal as Principal | null;
    if (principal === null || principal.subject === serviceSubject) return;
    const count = await requests(request);
    if (count.isAllowed || !count.isExceeded) return;
    throw rateLimited(
      `${principal.subject} sent more than ${requestsPerMinute} requests within a minute`,
      count.ttlInSeconds,
    );
  });
}

/** Probes are asked when the service is at its limits: they answer without a token, and without any of these limits. */
export function isProbe({ method, routeOptions }: FastifyRequest): boolean {
  return accessTo(method, routeOptions.url ?? "")?.to === "everybody";
}

function rateLimited(what: string, seconds: number): AppError {
  const retryAfterSeconds = Math.max(1, seconds);
  return new AppError("rate_limited", `${what}: try again in ${retryAfterSeconds} s`, {
    details: { retryAfterSeconds },
  });
}
