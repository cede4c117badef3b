import type { RowVectors } from "./row-vectors.ts";
import { SlidingCount } from "./sliding-count.ts";

export type Suspicion = "burst" | "out_of_range" | "nearly_alike";

export interface Sighting {
  readonly caller: string;
  readonly nowMs: number;
  readonly rows: number;
  /** Rows outside of declared ranges and lists. */
  readonly outOfRange: number;
  /** The rows that could be read. */
  readonly vectors: readonly Float64Array[];
}

export interface Judgement {
  /** What makes this request look like probing; each such request is counted once. */
  readonly suspicions: readonly Suspicion[];
  /** Clearly abuse: it gets no prediction. */
  readonly refused: boolean;
}

/** A share of a caller's rows, and how many they must be at least for the share to mean anything. */
interface Limit {
  readonly rows: number;
  readonly share: number;
}

const BURST_WINDOW_MS = 10_000;

/** Who keeps to the rate is above it now and then. */
const BURST_SLACK = 1.1;

/** As long as the alarm `probing` looks back. */
const ROWS_WINDOW_MS = 5 * 60_000;

const LIMITS: Readonly<Record<"out_of_range" | "nearly_alike", { suspicious: Limit; abuse: Limit }>> = {
  // Mistakes of honest callers are few among their rows; a search for the borders of the model isn't.
  out_of_range: { suspicious: { rows: 5, share: 0.1 }, abuse: { rows: 50, share: 0.5 } },
  nearly_alike: { suspicious: { rows: 20, share: 0.5 }, abuse: { rows: 200, share: 0.8 } },
};

/** Who was not seen for longest is forgotten beyond that. */
const MOST_CALLERS = 1000;

/** Rows that each new one is compared with: 16 KB a caller, twice that with a thousand columns; at most 32 MB in all. */
const RECENT_CELLS = 2048;
const RECENT_ROWS = 32;

/** Rows of one request that are compared; extraction asks again and again. */
const COMPARED_ROWS = 16;

interface Caller {
  readonly requests: SlidingCount;
  readonly rows: SlidingCount;
  readonly outOfRange: SlidingCount;
  readonly compared: SlidingCount;
  readonly alike: SlidingCount;
  readonly recent: Float64Array[];
  next: number;
}

/**
 * Looks for what probing and extraction of a model have in common, per caller and in bounded memory. It lives in one execution
 * environment, and each sees only its share of a caller's requests: with n environments busy, n times as much passes before one
 * notices. The API's throttle and quota, and the alarm on the sum of what all of them count, don't have that limit.
 *
 * - `burst`: faster, over ten seconds, than the API's sustained rate: living on its burst allowance.
 * - `out_of_range`: leaves declared ranges again and again.
 * - `nearly_alike`: varies its own recent rows a little.
 */
export class Watch {
  readonly #callers = new Map<string, Caller>();
  readonly #vectors: RowVectors;
  readonly #burst: number;

  constructor(vectors: RowVectors, ratePerSecond: number) {
    this.#vectors = vectors;
    this.#burst = Math.max(10, (BURST_SLACK * ratePerSecond * BURST_WINDOW_MS) / 1000);
  }

  /** How many callers are remembered. */
  get size(): number {
    return this.#callers.size;
  }

  /** Takes the request into account, then judges it. */
  judge({ caller, nowMs, rows, outOfRange, vectors }: Sighting): Judgement {
    const seen = this.#seen(caller);
    const { compared, alike } = this.#compare(seen, vectors);
    seen.requests.add(1, nowMs);
    seen.rows.add(rows, nowMs);
    seen.outOfRange.add(outOfRange, nowMs);
    seen.compared.add(compared, nowMs);
    seen.alike.add(alike, nowMs);

    const requests = seen.requests.at(nowMs);
    const exceeds = (part: SlidingCount, whole: SlidingCount, { rows: least, share }: Limit) =>
      part.at(nowMs) >= least && part.at(nowMs) >= share * whole.at(nowMs);
    const ranges = LIMITS.out_of_range;
    const copies = LIMITS.nearly_alike;
    const suspicions: Suspicion[] = [];
    if (requests > this.#burst) suspicions.push("burst");
    if (outOfRange > 0 && exceeds(seen.outOfRange, seen.rows, ranges.suspicious)) {
      suspicions.push("out_of_range");
    }
    if (alike > 0 && exceeds(seen.alike, seen.compared, copies.suspicious)) suspicions.push("nearly_alike");
    const refused =
      requests > 2 * this.#burst ||
      exceeds(seen.outOfRange, seen.rows, ranges.abuse) ||
      exceeds(seen.alike, seen.compared, copies.abuse);
    return { suspicions, refused };
  }

  #seen(name: string): Caller {
    const known = this.#callers.get(name) ?? {
      requests: new SlidingCount(BURST_WINDOW_MS),
      rows: new SlidingCount(ROWS_WINDOW_MS),
      outOfRange: new SlidingCount(ROWS_WINDOW_MS),
      compared: new SlidingCount(ROWS_WINDOW_MS),
      alike: new SlidingCount(ROWS_WINDOW_MS),
      recent: [],
      next: 0,
    };
    // A map keeps the order of insertion: the first is who was not seen for longest.
    this.#callers.delete(name);
    this.#callers.set(name, known);
    if (this.#callers.size > MOST_CALLERS) {
      const [oldest] = this.#callers.keys();
      if (oldest !== undefined) this.#callers.delete(oldest);
    }
    return known;
  }

  /** A row that was just asked is a repetition, which costs its caller an answer and tells him nothing. */
  #compare(seen: Caller, vectors: readonly Float64Array[]): { compared: number; alike: number } {
    let alike = 0;
    const looked = vectors.slice(0, COMPARED_ROWS);
    for (const vector of looked) {
      if (seen.recent.some((other) => isSame(vector, other))) continue;
      if (seen.recent.some((other) => this.#vectors.nearlyAlike(vector, other))) alike += 1;
      seen.recent[seen.next] = vector;
      seen.next = (seen.next + 1) % recentRows(vector.length);
    }
    return { compared: looked.length, alike };
  }
}

const recentRows = (columns: number) =>
  Math.max(4, Math.min(RECENT_ROWS, Math.floor(RECENT_CELLS / Math.max(1, columns))));

const isSame = (one: Float64Array, other: Float64Array) =>
  one.every((value, index) => value === other[index]);
