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
  #client: pg.Client | undefined;
  #closed = false;

  constructor(databaseUrl: string, onError: (error: Error) => void) {
    this.#databaseUrl = databaseUrl;
    this.#onError = onError;
  }

  /** Begins to listen; throws when the database can't be reached, and leaves nothing behind then. */
  async start(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#databaseUrl, application_name: "aidlc-feed" });
    client.on("notification", ({ payload }) => this.#wake(payload));
    client.on("error", this.#onError);
    try {
      await client.connect();
      await client.query("listen operation_changed");
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

  async close(): Promise<void> {
    this.#closed = true;
    for (const id of [...this.#followers.keys()]) this.#wake(id);
    await this.#client?.end();
  }

  #wake(operationId: string | undefined): void {
    for (const wake of this.#followers.get(operationId ?? "") ?? []) wake();
  }

  async #restart(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.start();
        for (const id of [...this.#followers.keys()]) this.#wake(id);
        return;
      } catch (error) {
        this.#onError(error as Error);
        await sleep(1_000);
      }
    }
  }
}

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
  const stop = feed.follow(operationId, () => {
    changed = true;
    wake();
  });
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
      const value = await look();
      if (value !== undefined) return value;
    }
    return undefined;
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
  }
}
