import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type pg from "pg";
import pino from "pino";
import { putNode } from "../../../src/nodes/store.ts";
import { type Claim, finishOperation } from "../../../src/operations/claims.ts";
import { Dispatcher } from "../../../src/operations/dispatcher.ts";
import type { OperationFeed } from "../../../src/operations/feed.ts";
import type { Lane, OperationKind } from "../../../src/operations/states.ts";
import { insertOperation } from "../../../src/operations/store.ts";
import { inTransaction, type Queryable } from "../../../src/postgres/pool.ts";
import { ensureStack } from "../../../src/stacks/store.ts";

/** A stack of nobody in particular. */
export function aStack(pool: pg.Pool): Promise<string> {
  return ensureStack(pool, "aidlc-foundation", randomUUID());
}

interface Asked {
  readonly team?: string;
  readonly kind?: OperationKind;
  readonly stackId: string;
  /** The team's name for it. */
  readonly account?: string;
}

/** Queues an operation as `submitOperation` does, without what a team may be refused. */
export function enqueue(pool: pg.Pool, asked: Asked): Promise<string> {
  return inTransaction(pool, (client) => insertQueued(client, asked));
}

/** The same in a transaction of the caller's. */
export async function insertQueued(
  db: Queryable,
  { team = "ml", kind = "update", stackId, account = "main" }: Asked,
): Promise<string> {
  const { id } = await insertOperation(db, {
    id: randomUUID(),
    kind,
    stackId,
    team,
    subject: { type: "account", account },
    revision: null,
    options: {},
    requestId: "r-1",
    requestedBy: "user:ada",
  });
  await db.query("select pg_notify('operation_queued', $1)", [id]);
  return id;
}

/** A node on record, which lives. */
export function aNode(pool: pg.Pool, id: string, places: Readonly<Record<Lane, number>>): Promise<void> {
  return putNode(pool, {
    id,
    host: "h",
    hostname: "h",
    role: "worker",
    backend: "b",
    localBackend: false,
    pid: 1,
    version: "1",
    places,
  });
}

/** Operations that begin by themselves and end when the test says so. */
export class HeldRuns {
  readonly #pool: pg.Pool;
  readonly #bell = new EventEmitter().setMaxListeners(0);
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly begun: string[] = [];
  readonly running = new Set<string>();
  readonly dispatchers: Dispatcher[] = [];

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** A node that takes operations from now on. */
  node(feed: OperationFeed, node: string, places: Readonly<Record<Lane, number>>): Dispatcher {
    const dispatcher = new Dispatcher({
      pool: this.#pool,
      feed,
      node,
      leaseMs: 60_000,
      places,
      run: (claim) => this.#run(claim),
      log: pino({ level: "silent" }),
    });
    this.dispatchers.push(dispatcher);
    dispatcher.start();
    return dispatcher;
  }

  end(...ids: readonly string[]): void {
    for (const id of ids) this.#gate(id).resolve();
  }

  /** Leaves the operation running, as a worker does that can't record its end. */
  fail(id: string): void {
    this.#gate(id).reject(new Error("the end can't be recorded"));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#bell, "change");
  }

  #gate(id: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(id) ?? Promise.withResolvers<void>();
    this.#gates.set(id, gate);
    return gate;
  }

  async #run({ operation: { id }, fencingToken }: Claim): Promise<void> {
    this.begun.push(id);
    this.running.add(id);
    this.#bell.emit("change");
    try {
      await this.#gate(id).promise;
      await finishOperation(this.#pool, id, fencingToken, {
        state: "succeeded",
        result: { changes: {} },
        error: null,
      });
    } finally {
      this.running.delete(id);
      this.#bell.emit("change");
    }
  }
}
