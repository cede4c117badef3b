import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

type Wake = () => void;

/**
 * Tells followers when an operation has changed, from whichever node: one connection listens for PostgreSQL's notifications.
 * They are only a hint to look at the rows again, so none can be lost for good: whoever follows reads the rows after every
 * hint, and all are woken when the connection was lost and is back.
 */
export class OperationFeed {
  readonly #databaseUrl: string;
  readonly #onError: (error: Error) => void;
  readonly #followers = new Map<string, Set<Wake>>();
  readonly #queueFollowers = new Set<Wake>();
  readonly #cancelFollowers = new Set<(operationId: string) => void>();
  #client: pg.Client | undefined;
  #closed = false;

  constructor(databaseUrl: string, onError: (error: Error) => void) {
    this.#databaseUrl = databaseUrl;
    this.#onError = onError;
  }

  /** Begins to listen; throws when the database can't be reached, and leaves nothing behind then. */
  async start(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#databaseUrl, application_name: "aidlc-feed" });
    client.on("notification", ({ channel, payload = "" }) => this.#heard(channel, payload));
    client.on("error", this.#onError);
    try {
      await client.connect();
      await client.query("listen operation_changed; listen operation_queued; listen operation_cancel");
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    // Only from here on: a client that could not connect emits "end" as well.
    client.once("end", () => void this.#restart());
    this.#client = client;
    if (this.#closed) await client.end();
  }

  /** Calls `wake` on every change of the operation until the returned function is called. */
  follow(operationId: string, wake: Wake): () => void {
    const wakes = this.#followers.get(operationId) ?? new Set();
    this.#followers.set(operationId, wakes.add(wake));
    return () => {
      wakes.delete(wake);
      if (wakes.size === 0) this.#followers.delete(operationId);
    };
  }

  /** Calls `wake` whenever an operation was queued, or the end of one made room, until the returned function is called. */
  onQueued(wake: Wake): () => void {
    this.#queueFollowers.add(wake);
    return () => this.#queueFollowers.delete(wake);
  }

  /** Calls `stop` with each operation whose end is asked for, until the returned function is called. */
  onCancel(stop: (operationId: string) => void): () => void {
    this.#cancelFollowers.add(stop);
    return () => this.#cancelFollowers.delete(stop);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeAll();
    await this.#client?.end();
  }

  #heard(channel: string, payload: string): void {
    if (channel === "operation_changed") this.#wake(payload);
    else if (channel === "operation_queued") for (const wake of this.#queueFollowers) wake();
    else for (const stop of this.#cancelFollowers) stop(payload);
  }

  #wake(operationId: string): void {
    for (const wake of this.#followers.get(operationId) ?? []) wake();
  }

  #wakeAll(): void {
    for (const id of [...this.#followers.keys()]) this.#wake(id);
    for (const wake of this.#queueFollowers) wake();
  }

  async #restart(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.start();
        this.#wakeAll();
        return;
      } catch (error) {
        this.#onError(error as Error);
        await sleep(1_000);
      }
    }
  }
}

// A connection that was cut off without a word tells of nothing, and isn't known to be lost for a quarter of an hour.
const lookAgainMs = 15_000;

/**
 * Calls `look` now and after every change of the operation, one at a time, until it returns a value or `signal` aborts;
 * resolves with that value, or undefined.
 */
export async function followOperation<Value>(
  feed: OperationFeed,
  operationId: string,
  signal: AbortSignal,
  look: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  let changed = true;
  let wake: Wake = () => {};
  const lookAgain = () => {
    changed = true;
    wake();
  };
  const stop = feed.follow(operationId, lookAgain);
  let timer = setTimeout(lookAgain, lookAgainMs);
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      changed = false;
      clearTimeout(timer);
      const value = await look();
      if (value !== undefined) return value;
      timer = setTimeout(lookAgain, lookAgainMs);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    stop();
    signal.removeEventListener("abort", onAbort);
  }
}
