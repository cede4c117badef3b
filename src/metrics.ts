import type pg from "pg";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { driftClasses } from "./drift/classes.ts";
import { countAllOpen } from "./drift/store.ts";
import { listNodes, nodeRoles } from "./nodes/store.ts";
import { queueLoad, waitingReasons } from "./operations/queue-position.ts";
import { lanes } from "./operations/states.ts";

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
  new Gauge({
    name: "aidlc_drifts_open",
    help: "Differences between what was applied and what exists that nobody has decided about",
    labelNames: ["class"],
    registers: [registry],
    async collect() {
      const counts = await countAllOpen(pool);
      this.reset();
      for (const name of driftClasses) this.set({ class: name }, counts[name] ?? 0);
    },
  });
  queueGauges(pool, registry);
  return { registry, requests, operations };
}

/** What tells that operations wait longer than they should, and why. */
function queueGauges(pool: pg.Pool, registry: Registry): void {
  const oldest = new Gauge({
    name: "aidlc_queue_oldest_seconds",
    help: "For how long the oldest queued operation has waited, by lane and reason",
    labelNames: ["lane", "reason"],
    registers: [registry],
  });
  new Gauge({
    name: "aidlc_queue_length",
    help: "Queued operations, by lane and reason",
    labelNames: ["lane", "reason"],
    registers: [registry],
    async collect() {
      const load = await queueLoad(pool);
      this.reset();
      oldest.reset();
      for (const lane of lanes) {
        for (const reason of waitingReasons) {
          const { count, oldestSeconds } = load.find(
            (each) => each.lane === lane && each.reason === reason,
          ) ?? { count: 0, oldestSeconds: 0 };
          this.set({ lane, reason }, count);
          oldest.set({ lane, reason }, oldestSeconds);
        }
      }
    },
  });
  const places = new Gauge({
    name: "aidlc_places",
    help: "Operations that living nodes run at once, by lane",
    labelNames: ["lane"],
    registers: [registry],
  });
  new Gauge({
    name: "aidlc_nodes",
    help: "Nodes that live, by role",
    labelNames: ["role"],
    registers: [registry],
    async collect() {
      const alive = (await listNodes(pool)).filter((node) => node.alive);
      for (const role of nodeRoles) {
        this.set({ role }, alive.filter((node) => node.role === role).length);
      }
      for (const lane of lanes) {
        places.set(
          { lane },
          alive.reduce((sum, node) => sum + node.places[lane], 0),
        );
      }
    },
  });
}
