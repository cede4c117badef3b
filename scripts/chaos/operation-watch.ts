import { EventEmitter, on, once } from "node:events";
import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Moment } from "./plan.ts";

/** An operation that runs, as the database tells it. */
export interface RunningOperation {
  readonly id: string;
  readonly kind: string;
  readonly project: string;
  readonly stack: string;
  /** Which of the operation's runs this is. */
  readonly claim: string;
  readonly node: string | null;
  readonly runner: string | null;
  /** Resources of AWS that were begun, and those of them that were done or failed. */
  readonly begun: number;
  readonly settled: number;
  /** The engine has told its summary. */
  readonly summaries: number;
}

const lookMs = 100;

/** Follows every operation that runs, by looking at the database and at the files of the backend. */
export class OperationWatch {
  readonly #pool: pg.Pool;
  readonly #signal: AbortSignal;
  readonly #moments = new EventEmitter<Record<Moment, [RunningOperation]> & { look: [] }>();
  #running = new Map<string, RunningOperation>();

  constructor(pool: pg.Pool, signal: AbortSignal) {
    this.#pool = pool;
    this.#signal = signal;
    this.#moments.setMaxListeners(0);
  }

  get running(): readonly RunningOperation[] {
    return [...this.#running.values()];
  }

  /** Looks until the signal aborts. */
  async follow(): Promise<void> {
    while (!this.#signal.aborted) {
      // The database may be killed like everything else; the next look finds it again.
      await this.#look().catch(() => {});
      await sleep(lookMs, undefined, { signal: this.#signal }).catch(() => {});
    }
  }

  /** From now on each write to a stack's state is a moment. The folder must exist. */
  watchStates(stateFolder: string): void {
    const watcher = watch(join(stateFolder, ".pulumi", "stacks"), { recursive: true }, (_, file) => {
      const [, project, stack] = /([^/]+)\/([^/]+)\.json[^/]*$/.exec(file ?? "") ?? [];
      const operation = this.running.find(
        (running) => running.project === project && running.stack === stack,
      );
      if (operation) this.#moments.emit("checkpoint", operation);
    });
    this.#signal.addEventListener("abort", () => watcher.close());
    // A folder that is removed while it is looked at; what is watched otherwise stays.
    watcher.on("error", () => {});
  }

  /** The next operation that comes to this moment; undefined after `timeoutMs`. */
  async next(moment: Moment, timeoutMs: number): Promise<RunningOperation | undefined> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    const [operation] = await once(this.#moments, moment, { signal }).catch(() => []);
    return operation as RunningOperation | undefined;
  }

  /** Resolves when the operation no longer runs under this claim. */
  async until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    try {
      if (isSo()) return true;
      for await (const _ of on(this.#moments, "look", { signal })) if (isSo()) return true;
    } catch {
      // Too late, or over.
    }
    return isSo();
  }

  async #look(): Promise<void> {
    const { rows } = await this.#pool.query<RunningOperation>(
      `select o.id, o.kind, s.project, s.name as stack, o.fencing_token::text as claim, o.node, o.runner,
         coalesce(e.begun, 0)::int as begun, coalesce(e.settled, 0)::int as settled, coalesce(e.summaries, 0)::int as summaries
       from operations o join stacks s on s.id = o.stack_id left join lateral (
         select count(*) filter (where body->>'status' = 'started') as begun,
           count(*) filter (where body->>'status' in ('done', 'failed')) as settled,
           count(*) filter (where type = 'summary') as summaries
         from operation_events where operation_id = o.id and (type = 'summary' or body->>'resourceType' like 'aws:%')
       ) e on true
       where o.state = 'running'`,
    );
    const before = this.#running;
    this.#running = new Map(rows.map((row) => [row.id, row]));
    for (const row of rows)
      for (const moment of reached(row, before.get(row.id))) this.#moments.emit(moment, row);
    this.#moments.emit("look");
  }
}

function reached(now: RunningOperation, before: RunningOperation | undefined): readonly Moment[] {
  const isNew = before?.claim !== now.claim;
  const moments: Moment[] = [];
  if (isNew) moments.push("claimed");
  if (now.begun > now.settled && (isNew || now.begun > before.begun)) moments.push("started");
  if (now.summaries > (before?.summaries ?? 0)) moments.push("ending");
  return moments;
}
