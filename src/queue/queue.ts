import type pg from "pg";
import { PgBoss } from "pg-boss";
import type { Logger } from "pino";
import { isToldAsOutage } from "../postgres/outage.ts";

/** Work that isn't an operation: operations wait in their own table. */
export interface Queue {
  /**
   * Runs `task` at the minutes that `cron` names, in UTC, on one of the nodes that ask for it. A run that would overlap the one before
   * is left out; one that throws is logged, and the next comes at its time. Calling it again with another `cron` replaces that.
   */
  every(name: string, cron: string, task: () => Promise<void>): Promise<void>;
  /** Begins nothing new and waits until what runs has ended, at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

/** Opens the durable queue; a node that dies stops sending heartbeats, so that another one takes its work. */
export async function openQueue(databaseUrl: string, pool: pg.Pool, log: Logger): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    application_name: "aidlc-queue",
    max: 4,
    // A schedule's minute is looked at twice, because pg-boss sends nothing that is a minute late.
    cronMonitorIntervalSeconds: 30,
    cronWorkerIntervalSeconds: 5,
    // How soon the work of a node that died is seen to.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
  });
  boss.on("error", (error) => {
    if (!isToldAsOutage(pool, error)) log.error({ err: error }, "queue");
  });
  await boss.start();
  return {
    every: async (name, cron, task) => {
      // `exclusive`: nothing is queued while a run waits or goes on.
      await boss.createQueue(name, { policy: "exclusive", retryLimit: 0, heartbeatSeconds: 30 });
      await boss.work(name, { pollingIntervalSeconds: 5 }, async () => {
        try {
          await task();
        } catch (error) {
          log.error({ err: error, task: name }, "a periodic task failed: it runs again at its next time");
        }
      });
      await boss.schedule(name, cron, null, { tz: "UTC" });
    },
    stop: (timeoutMs) => boss.stop({ graceful: true, timeout: timeoutMs }),
  };
}
