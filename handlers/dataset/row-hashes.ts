import { join } from "node:path";
import { Spill } from "./spill.ts";
import { quotedText } from "./typed-columns.ts";

/** 256 parts of 80 million rows have 5 MB each. */
const PARTS = 256;
const KEEP_BYTES = 16_384;
/** A power of two, and a part of what is kept. */
const WAITING_WORDS = 512;
const HASH_BYTES = 16;
/**
 * Two 64-bit hashes of the values as DuckDB expressions: equal rows always have equal ones, so that "no duplicates" is certain.
 * Different rows share both with a probability of 2^-127 a pair, which is below 10^-22 for 100 million rows. Numbers and moments
 * have hashes of their own, which are put together in another order. Texts have two of different content, so that the second doesn't
 * follow from the first: that is one of all texts together, which rows share that differ only in where a text ends.
 */
export function rowHashes(values: readonly { readonly sql: string; readonly isText: boolean }[]) {
  const texts = values.filter(({ isText }) => isText).flatMap(({ sql }) => [quotedText("~"), sql]);
  const others = values.filter(({ isText }) => !isText).map(({ sql }) => sql);
  const together = [...(texts.length === 0 ? [] : [`concat(${texts.join(", ")})`]), ...others.reverse()];
  // The hash of a text alone is asked for elsewhere too, and computed once.
  const first = values.map(({ sql, isText }) => (isText ? `hash(${sql})` : sql));
  return [`hash(${first.join(", ")}, 0)`, `hash(${together.join(", ")}, 1)`] as const;
}

/**
 * Counts rows that equal an earlier one, by their hashes, in memory that hardly grows with the rows: they are put into files by
 * their first bits, and then counted file by file.
 */
export class DuplicateCounter {
  readonly #parts: readonly Spill[];
  /** What is next in each part, of `WAITING_WORDS` each: all in one place, which is several times as fast as a place for each. */
  readonly #waiting = new Uint32Array(PARTS * WAITING_WORDS);
  readonly #ends = Uint32Array.from({ length: PARTS }, (_, part) => part * WAITING_WORDS);
  #rows = 0;

  constructor(folder: string, name: string) {
    this.#parts = Array.from(
      { length: PARTS },
      (_, part) => new Spill(join(folder, `${name}-${part}`), KEEP_BYTES),
    );
  }

  add(first: BigUint64Array, second: BigUint64Array): void {
    const a = new Uint32Array(first.buffer, first.byteOffset, first.length * 2);
    const b = new Uint32Array(second.buffer, second.byteOffset, second.length * 2);
    const waiting = this.#waiting;
    const ends = this.#ends;
    for (let at = 0; at < a.length; at += 2) {
      const high = a[at + 1] as number;
      const part = high >>> 24;
      const end = ends[part] as number;
      waiting[end] = a[at] as number;
      waiting[end + 1] = high;
      // Never 0: in the table below that is a free place.
      waiting[end + 2] = (b[at] as number) | 1;
      waiting[end + 3] = b[at + 1] as number;
      ends[part] = end + 4;
      if (((end + 4) & (WAITING_WORDS - 1)) === 0) this.#spill(part);
    }
    this.#rows += first.length;
  }

  #spill(part: number): void {
    const start = part * WAITING_WORDS;
    const words = this.#waiting.subarray(start, this.#ends[part]);
    (this.#parts[part] as Spill).append(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    this.#ends[part] = start;
  }

  /** Rows that were added beyond the first of each kind. */
  duplicates(): number {
    let distinct = 0;
    let table = new Uint32Array(0);
    for (const [index, part] of this.#parts.entries()) {
      this.#spill(index);
      const places = 2 ** Math.ceil(Math.log2(Math.max(16, (part.bytes / HASH_BYTES) * 1.5)));
      if (table.length < places * 4) table = new Uint32Array(places * 4);
      else table.fill(0);
      distinct += countDistinct(part, table);
    }
    return this.#rows - distinct;
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

/** Open addressing in a table of at least half as many places more than there are hashes. */
function countDistinct(part: Spill, table: Uint32Array): number {
  const mask = table.length - 1;
  let distinct = 0;
  for (const block of part.blocks()) {
    const words = new Uint32Array(block.buffer, block.byteOffset, block.length / 4);
    for (let at = 0; at < words.length; at += 4) {
      const a = words[at] as number;
      const b = words[at + 1] as number;
      const c = words[at + 2] as number;
      const d = words[at + 3] as number;
      for (let place = (a << 2) & mask; ; place = (place + 4) & mask) {
        if (table[place + 2] === 0) {
          table[place] = a;
          table[place + 1] = b;
          table[place + 2] = c;
          table[place + 3] = d;
          distinct++;
          break;
        }
        if (table[place] === a && table[place + 1] === b && table[place + 2] === c && table[place + 3] === d)
          break;
      }
    }
  }
  return distinct;
}
