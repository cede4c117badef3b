import type pg from "pg";
import type { Logger } from "pino";
import type { TimedEvent } from "../engine/protocol.ts";
import { appendEvents, type StoredEvent } from "./events.ts";
import { Insistence } from "./insistence.ts";

// Long enough to make one statement of a burst of events, short enough to look live.
const flushMs = 100;

/** Numbers an operation's events and stores them in batches, in order. */
export class EventRecorder {
  readonly #pool: pg.Pool;
  readonly #operationId: string;
  readonly #fencingToken: number;
  readonly #log: Logger;
  readonly #insistence: Insistence;
  #sequence: number;
  #waiting: StoredEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #written: Promise<void> = Promise.resolve();

  /** `after` is the number of the last event that an earlier attempt of the operation stored. */
  constructor(
    pool: pg.Pool,
    operationId: string,
    fencingToken: number,
    log: Logger,
    after = 0,
    insistence = new Insistence(),
  ) {
    this.#insistence = insistence;
    this.#pool = pool;
    this.#operationId = operationId;
    this.#fencingToken = fencingToken;
    this.#log = log;
    this.#sequence = after;
  }

  add({ at, phase, event }: TimedEvent): void {
    const { type, ...body } = event;
    this.#sequence += 1;
    this.#waiting.push({ sequence: this.#sequence, at, type, phase: phase ?? null, body });
    this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  /** Resolves when everything added has been stored or given up; never rejects. */
  async close(): Promise<void> {
    this.#flush();
    await this.#written;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#written = this.#written.then(async () => {
      try {
        // Without them those that follow would leave a gap.
        const kept = await this.#insistence.on(this.#log, "events could not be stored yet", () =>
          appendEvents(this.#pool, this.#operationId, this.#fencingToken, batch),
        );
        if (!kept) this.#log.error({ events: batch.length }, "events of a lost claim were refused");
      } catch (error) {
        // The operation itself goes on: its result doesn't depend on the story of how it came about.
        this.#log.error({ err: error, events: batch.length }, "events could not be stored");
      }
    });
  }
}
