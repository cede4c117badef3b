import type pg from "pg";
import Type from "typebox";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { type App, problems } from "./app-types.ts";
import type { RequestLimits } from "./limits.ts";
import { refuseCrowd } from "./pressure.ts";

const Health = Type.Object(
  { status: Type.Literal("ok", { description: "Always the same" }) },
  { description: "The service is well" },
);

export interface HealthRoutesOptions {
  readonly pool: pg.Pool;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
  /** What keeps this node from working although it runs, if anything. */
  readonly unready: () => string | undefined;
  readonly closing: AbortSignal;
}

export function healthRoutes(
  app: App,
  { pool, metrics, limits, unready, closing }: HealthRoutesOptions,
): void {
  app.get(
    "/healthz",
    {
      schema: {
        summary: "The process is alive",
        tags: ["service"],
        security: [],
        response: { 200: Health },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        summary:
          "The node takes requests, and operations where it runs them: its database answers and it isn't shutting down",
        tags: ["service"],
        security: [],
        response: { 200: Health, ...problems() },
      },
    },
    async () => {
      if (closing.aborted) throw new AppError("unavailable", "The service is shutting down");
      // The probe would have to wait as well.
      refuseCrowd(pool, limits);
      try {
        await pool.query("select 1");
      } catch (cause) {
        throw new AppError("unavailable", "The database does not answer", { cause });
      }
      const reason = unready();
      if (reason !== undefined) throw new AppError("unavailable", reason);
      return { status: "ok" as const };
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        summary: "Metrics in Prometheus' text format",
        tags: ["service"],
        response: { 200: Type.String({ description: "Metrics" }), ...problems() },
      },
    },
    async (_request, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
