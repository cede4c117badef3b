/**
 * How much there was within the last `windowMs`, in constant memory: two counts, the older of which fades out. Exact for what
 * comes evenly; always between what came in the window's current part and what came within twice the window.
 */
export class SlidingCount {
  readonly #windowMs: number;
  #begin = Number.NEGATIVE_INFINITY;
  #current = 0;
  #previous = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Moments may come out of order: an earlier one counts as the latest that was seen. */
  add(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#current += amount;
  }

  at(nowMs: number): number {
    this.#turn(nowMs);
    const elapsed = Math.max(0, nowMs - this.#begin) / this.#windowMs;
    return this.#current + this.#previous * Math.max(0, 1 - elapsed);
  }

  #turn(nowMs: number): void {
    const elapsed = nowMs - this.#begin;
    if (elapsed < this.#windowMs) return;
    this.#previous = elapsed < 2 * this.#windowMs ? this.#current : 0;
    this.#current = 0;
    this.#begin = elapsed < 2 * this.#windowMs ? this.#begin + this.#windowMs : nowMs;
  }
}
