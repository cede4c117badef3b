import type pg from "pg";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the service measures of itself, in Prometheus' terms. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Histogram<"method" | "route" | "status">;
  readonly operations: Histogram<"kind" | "state">;
}

export function createMetrics(pool: pg.Pool): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "aidlc_http_request_duration_seconds",
    help: "Time from a request to its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  const operations = new Histogram({
    name: "aidlc_operation_duration_seconds",
    help: "Time from the start of an operation to its end",
    labelNames: ["kind", "state"],
    buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600],
    registers: [registry],
  });
  new Gauge({
    name: "aidlc_operations_active",
    help: "Operations that have not ended",
    labelNames: ["kind", "state"],
    registers: [registry],
    async collect() {
      const found = await pool.query<{ kind: string; state: string; count: number }>(
        `select kind, state, count(*) as count from operations
         where state in ('queued', 'running', 'awaiting_approval') group by kind, state`,
      );
      this.reset();
      for (const { kind, state, count } of found.rows) this.set({ kind, state }, count);
    },
  });
  return { registry, requests, operations };
}
