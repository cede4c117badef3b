import type pg from "pg";
import type { Logger } from "pino";
import { isToldAsOutage } from "../postgres/outage.ts";
import type { Claim } from "./claims.ts";
import type { OperationFeed } from "./feed.ts";
import { claimNext } from "./next-claim.ts";
import { type Lane, lanes } from "./states.ts";

export interface DispatcherOptions {
  readonly pool: pg.Pool;
  readonly feed: Pick<OperationFeed, "onQueued">;
  readonly node: string;
  readonly leaseMs: number;
  /** Operations of each lane that run on this node at once. */
  readonly places: Readonly<Record<Lane, number>>;
  /** Runs a claimed operation to its end and records that; a rejection is logged. */
  readonly run: (claim: Claim) => Promise<void>;
  readonly log: Logger;
}

// How soon an operation begins of which no notification came: its cap was raised, or the connection was lost just then.
const pollMs = 2_000;

/** Takes operations from the queue, the table of operations, for the free places of this node. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Map<Lane, Set<Promise<void>>>(lanes.map((lane) => [lane, new Set()]));
  #looking: Promise<void> | undefined;
  #again = false;
  #failed = false;
  #stopWaking = () => {};
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  start(): void {
    const stopFollowing = this.#options.feed.onQueued(() => this.#wake());
    const poll = setInterval(() => this.#wake(), pollMs);
    this.#stopWaking = () => {
      stopFollowing();
      clearInterval(poll);
    };
    this.#wake();
  }

  /** Whether the last look at the queue failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Takes no further operation. */
  async pause(): Promise<void> {
    this.#stopped = true;
    this.#stopWaking();
    await this.#looking;
  }

  /** Takes no further operation and resolves when those that run have ended. */
  async stop(): Promise<void> {
    await this.pause();
    await Promise.all([...this.#running.values()].flatMap((running) => [...running]));
  }

  #wake(): void {
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      for (const lane of lanes) await this.#fill(lane);
    }
  }

  async #fill(lane: Lane): Promise<void> {
    const { pool, node, leaseMs, places, log } = this.#options;
    const running = this.#running.get(lane) as Set<Promise<void>>;
    try {
      while (running.size < places[lane] && !this.#stopped) {
        const claim = await claimNext(pool, { lane, node, leaseMs });
        this.#failed = false;
        if (claim === undefined) return;
        const run = this.#run(claim).finally(() => {
          running.delete(run);
          this.#wake();
        });
        running.add(run);
      }
    } catch (error) {
      this.#failed = true;
      if (isToldAsOutage(pool, error)) return;
      log.warn({ err: error, lane }, "the queue could not be read: trying again");
    }
  }

  async #run(claim: Claim): Promise<void> {
    const { run, log } = this.#options;
    const { id: operationId } = claim.operation;
    await run(claim).catch((error: unknown) =>
      log.error({ err: error, operationId }, "an operation was left running: its lease will lapse"),
    );
  }
}
