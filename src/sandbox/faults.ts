import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { AwsError } from "./aws-error.ts";

export const faultKinds = ["throttle", "error", "latency"] as const;
export type FaultKind = (typeof faultKinds)[number];

export const faultMoments = ["before", "after"] as const;
export type FaultMoment = (typeof faultMoments)[number];

export const faultOperations = ["create", "read", "update", "delete", "*"] as const;
export type Operation = Exclude<(typeof faultOperations)[number], "*">;

export interface Fault {
  readonly id: string;
  readonly kind: FaultKind;
  /** Before anything is changed, or when it has been and only the answer is missing. */
  readonly moment: FaultMoment;
  readonly type: string;
  readonly operation: (typeof faultOperations)[number];
  readonly account: string | null;
  readonly probability: number;
  readonly remaining: number | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly latency_ms: number | null;
  readonly latency_factor: number | null;
  readonly created_at: Date;
}

export interface FaultTarget {
  readonly type: string;
  readonly operation: Operation;
  readonly account: string;
  /** What AWS typically takes for it; unknown for anything but creations. */
  readonly typicalMs?: number;
  readonly cancelled?: AbortSignal | undefined;
}

export function matches(fault: Fault, target: FaultTarget): boolean {
  return (
    (fault.type === "*" || fault.type === target.type) &&
    (fault.operation === "*" || fault.operation === target.operation) &&
    (fault.account === null || fault.account === target.account)
  );
}

/**
 * Strikes operations with the faults that somebody ordered through the API. Every process keeps the list in memory and hears of
 * changes through NOTIFY, so that operations cost no query as long as no fault matches them.
 */
export class FaultInjector {
  readonly #pool: pg.Pool;
  #faults: readonly Fault[] | undefined;
  #loading: Promise<readonly Fault[]> | undefined;
  #listener: pg.PoolClient | undefined;
  #isClosed = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Starts to listen. Without it, or after the connection broke, the list is read again for every operation. */
  async listen(): Promise<void> {
    const client = await this.#pool.connect();
    client.on("notification", () => this.#forget());
    client.on("error", () => {
      this.#listener = undefined;
      this.#forget();
      client.release(true);
    });
    await client.query("listen sandbox_faults");
    if (this.#isClosed) return client.release(true);
    this.#listener = client;
    this.#forget();
  }

  close(): void {
    this.#isClosed = true;
    this.#listener?.release(true);
    this.#listener = undefined;
  }

  /** Waits as long as ordered for before the change, then throws the error that was ordered, if any. */
  async strike(target: FaultTarget): Promise<void> {
    for (const fault of await this.#list()) {
      if (!(await this.#strikes(fault, target, "before"))) continue;
      const latencyMs = latencyOf(fault, target);
      if (latencyMs > 0) await waitFor(latencyMs, target.cancelled);
      if (fault.kind === "throttle") {
        throw new AwsError(
          fault.code ?? "ThrottlingException",
          `${fault.message ?? "Rate exceeded"} (exceeded maximum number of attempts, 25)`,
        );
      }
      if (fault.kind === "error")
        throw new AwsError(fault.code ?? "InternalFailure", fault.message ?? "Internal failure");
    }
  }

  /** Holds the answer back as long as ordered: what was asked for is done. A cancel lets it go at once, as the answer that it is. */
  async delayAnswer(target: FaultTarget): Promise<void> {
    for (const fault of await this.#list()) {
      if (!(await this.#strikes(fault, target, "after"))) continue;
      const { cancelled } = target;
      await sleep(latencyOf(fault, target), undefined, cancelled && { signal: cancelled }).catch(() => {});
    }
  }

  async #strikes(fault: Fault, target: FaultTarget, moment: FaultMoment): Promise<boolean> {
    if (fault.moment !== moment || !matches(fault, target) || Math.random() >= fault.probability)
      return false;
    return fault.remaining === null || this.#consume(fault);
  }

  async #consume(fault: Fault): Promise<boolean> {
    const { rowCount } = await this.#pool.query({
      name: "sandbox-consume-fault",
      text: "update sandbox.faults set remaining = remaining - 1 where id = $1 and remaining > 0",
      values: [fault.id],
    });
    return rowCount === 1;
  }

  #forget(): void {
    this.#faults = undefined;
    this.#loading = undefined;
  }

  async #list(): Promise<readonly Fault[]> {
    if (this.#faults) return this.#faults;
    const loading = this.#loading ?? this.#load();
    this.#loading = loading;
    const faults = await loading.catch((error: unknown) => {
      // A list that could not be read is no list: the next operation asks again.
      if (this.#loading === loading) this.#loading = undefined;
      throw error;
    });
    // A notification during the query makes what it found stale; then the next operation reads again.
    if (this.#listener && this.#loading === loading) this.#faults = faults;
    else if (this.#loading === loading) this.#loading = undefined;
    return faults;
  }

  async #load(): Promise<readonly Fault[]> {
    const { rows } = await this.#pool.query<Fault>({
      name: "sandbox-faults",
      text: "select * from sandbox.faults where remaining is null or remaining > 0 order by created_at, id",
      values: [],
    });
    return rows;
  }
}

function latencyOf(fault: Fault, target: FaultTarget): number {
  return (fault.latency_ms ?? 0) + (fault.latency_factor ?? 0) * (target.typicalMs ?? 0);
}

async function waitFor(latencyMs: number, cancelled: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(latencyMs, undefined, cancelled && { signal: cancelled });
  } catch (cause) {
    if (!cancelled?.aborted) throw cause;
    throw new AwsError("RequestCanceled", "request context canceled");
  }
}
