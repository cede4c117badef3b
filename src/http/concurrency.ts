import { AppError } from "../errors.ts";

/** How much each identity has open at the same time. */
export class ConcurrencyLimit {
  readonly #most: number;
  readonly #open = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Opens one more; throws `rate_limited` when there are too many. The answer closes it again. */
  open(subject: string): () => void {
    const close = this.tryOpen(subject);
    if (close !== undefined) return close;
    throw new AppError(
      "rate_limited",
      `${subject} has ${this.#most} event streams and waiting requests open already: close one, or ask again later`,
      { details: { retryAfterSeconds: 5 } },
    );
  }

  /** Like `open`; undefined when there are too many. */
  tryOpen(subject: string): (() => void) | undefined {
    const open = this.#open.get(subject) ?? 0;
    if (open >= this.#most) return undefined;
    this.#open.set(subject, open + 1);
    return () => {
      const left = (this.#open.get(subject) ?? 1) - 1;
      if (left === 0) this.#open.delete(subject);
      else this.#open.set(subject, left);
    };
  }
}
