import { type Buckets, MAX_BUCKETS, NO_BUCKET } from "./sketch.ts";

/** No more than 65,536 may be added to that of none. */
const FIRST_BUCKET = NO_BUCKET / 2;

/** Four places a bucket, so that most are found at once. */
const PLACES = 4 * MAX_BUCKETS;
const HASH_SHIFT = 32 - Math.log2(PLACES);

/** How buckets are laid on each other, once for each fold: by what is left of an index after it was shifted by one, or not, and cut. */
interface Fold {
  readonly isShift: boolean;
  readonly mask: (folds: number) => number;
}

/** Two of ascending numbers make one. */
export const NEIGHBOURS: Fold = { isShift: true, mask: () => -1 };

/** Those of one half are laid on those of the other, of this many bits at first. */
export const halvesOf = (bits: number): Fold => ({
  isShift: false,
  mask: (folds) => (1 << (bits - folds)) - 1,
});

/**
 * Counts how often each bucket occurs, in 48 kB whatever comes: whenever there are more than `MAX_BUCKETS`, they are folded. That
 * follows from the values alone, so that the counts are the same in whatever order they come.
 */
export class BucketCounts {
  readonly #fold: Fold;
  #keys = new Int32Array(PLACES);
  #counts = new Float64Array(PLACES);
  #distinct = 0;
  #folds = 0;
  #mask: number;

  constructor(fold: Fold) {
    this.#fold = fold;
    this.#mask = fold.mask(0);
  }

  /** How many times buckets were laid on each other. */
  get folds(): number {
    return this.#folds;
  }

  add(buckets: Int32Array): void {
    for (let row = 0; row < buckets.length; row++) {
      const bucket = buckets[row] as number;
      if (bucket < FIRST_BUCKET) continue;
      this.#count(this.#folded(bucket, this.#folds), 1);
      while (this.#distinct > MAX_BUCKETS) this.#foldOnce();
    }
  }

  buckets(): Buckets {
    return [...this.#keys.entries()].flatMap(([place, key]) => {
      const count = this.#counts[place] as number;
      return count === 0 ? [] : [[key, count] as const];
    });
  }

  #folded(key: number, times: number): number {
    return (this.#fold.isShift ? key >> times : key) & this.#mask;
  }

  #count(key: number, by: number): void {
    const place = placeOf(key, this.#keys, this.#counts);
    const before = this.#counts[place] as number;
    if (before === 0) {
      this.#keys[place] = key;
      this.#distinct++;
    }
    this.#counts[place] = before + by;
  }

  #foldOnce(): void {
    const before = this.buckets();
    this.#folds++;
    this.#mask = this.#fold.mask(this.#folds);
    this.#keys = new Int32Array(PLACES);
    this.#counts = new Float64Array(PLACES);
    this.#distinct = 0;
    for (const [key, count] of before) this.#count(this.#folded(key, 1), count);
  }
}

/** Where the key is, or where it is free for it: by Fibonacci hashing and open addressing. */
function placeOf(key: number, keys: Int32Array, counts: Float64Array): number {
  let place = Math.imul(key, 0x9e3779b1) >>> HASH_SHIFT;
  while (counts[place] !== 0 && keys[place] !== key) place = (place + 1) & (PLACES - 1);
  return place;
}
