import type pg from "pg";
import { PgBoss } from "pg-boss";

/** `changes` hold a stack's lock and run strictly one after another; `checks` only read and never wait for a change. */
export const lanes = ["changes", "checks"] as const;
export type Lane = (typeof lanes)[number];

export interface QueuedOperation {
  readonly operationId: string;
}

export interface Queue {
  /** Queues within the caller's transaction: the job exists exactly when the operation's row does. */
  send(client: pg.ClientBase, lane: Lane, stackId: string, job: QueuedOperation): Promise<void>;
  /** Forgets the job of an operation that was ended without it, so that the next one of its stack can begin. */
  discard(lane: Lane, operationId: string): Promise<void>;
  /** Runs `handler` for each job, at most `concurrency` of a lane at once on this node. */
  work(concurrency: number, handler: (job: QueuedOperation) => Promise<void>): Promise<void>;
  /** Takes no new job and waits until the running ones ended, at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

/**
 * Opens the durable queue. A job is retried for ever: an operation ends by its row, never by a lost job, and a node that died
 * stops sending heartbeats, so that another one takes the job.
 */
export async function openQueue(databaseUrl: string, onError: (error: Error) => void): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    application_name: "aidlc-queue",
    max: 6,
    schedule: false,
    // How soon the jobs of a node that died are seen to.
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    useListenNotify: true,
  });
  boss.on("error", onError);
  await boss.start();
  for (const lane of lanes) {
    await boss.createQueue(lane, {
      policy: lane === "changes" ? "key_strict_fifo" : "standard",
      notify: true,
      retryLimit: 1_000_000,
      retryDelay: 5,
      heartbeatSeconds: 15,
      // An operation waits as long as it must; pg-boss would forget its job after 14 days.
      retentionSeconds: 365 * 86_400,
      // A day: the wall-clock limit of an operation ends it long before.
      expireInSeconds: 86_399,
    });
  }
  return {
    send: async (client, lane, stackId, job) => {
      const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
      await boss.send(lane, job, { id: job.operationId, singletonKey: stackId, db });
    },
    discard: async (lane, operationId) => {
      await boss.deleteJob(lane, operationId);
    },
    work: async (concurrency, handler) => {
      for (const lane of lanes) {
        for (let worker = 0; worker < concurrency; worker += 1) await startWorker(boss, lane, handler);
      }
    },
    stop: (timeoutMs) => boss.stop({ graceful: true, timeout: timeoutMs }),
  };
}

// How soon a job begins that nobody was notified of: a retry, or one whose stack another node has freed.
const pollingSeconds = 2;

/**
 * A worker of one job at a time. A notification only tells of a new job; one that waited for this worker, or for its stack, is
 * found because the worker wakes itself before its job is completed and so looks again at once. (pg-boss's own "burst" doesn't
 * work for single jobs, and workers that share one registration can't be woken one by one.)
 */
async function startWorker(
  boss: PgBoss,
  lane: Lane,
  handler: (job: QueuedOperation) => Promise<void>,
): Promise<void> {
  const options = {
    batchSize: 1,
    pollingIntervalSeconds: pollingSeconds,
    notifyPollingIntervalSeconds: pollingSeconds,
  };
  const id = await boss.work<QueuedOperation>(lane, options, async ([job]) => {
    try {
      if (job) await handler(job.data);
    } finally {
      boss.notifyWorker(id);
    }
  });
}
