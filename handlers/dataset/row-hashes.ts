import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { quotedText } from "./typed-columns.ts";

/** 256 parts of 80 million rows have 5 MB each. */
const PARTS = 256;
const HASH_WORDS = 4;
const BLOCK_WORDS = 4096;
const BLOCK_BYTES = 4 * BLOCK_WORDS;
/** Parts begin at different places of the processor's cache. */
const STRIDE = BLOCK_WORDS + 16;

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
 * Counts rows that equal an earlier one, by their hashes, in memory that hardly grows with the rows: they are put into parts by their
 * first bits, whose full blocks go into one file, and then counted part by part.
 */
export class DuplicateCounter {
  readonly #path: string;
  /** The block of each part that is not full yet: all in one place, which is several times as fast as a place for each. */
  readonly #waiting = new Uint32Array(PARTS * STRIDE);
  readonly #ends = Uint32Array.from({ length: PARTS }, (_, part) => part * STRIDE);
  /** Where the blocks of each part stand in the file. */
  readonly #blocks: readonly number[][] = Array.from({ length: PARTS }, () => []);
  #file: number | undefined;
  #written = 0;
  #rows = 0;

  constructor(folder: string, name: string) {
    this.#path = join(folder, name);
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
      ends[part] = end + HASH_WORDS;
      if (end + HASH_WORDS - part * STRIDE === BLOCK_WORDS) this.#writeBlock(part);
    }
    this.#rows += first.length;
  }

  #writeBlock(part: number): void {
    this.#file ??= openSync(this.#path, "w+");
    const start = part * STRIDE;
    writeSync(this.#file, new Uint8Array(this.#waiting.buffer, 4 * start, BLOCK_BYTES));
    this.#blocks[part]?.push(this.#written++);
    this.#ends[part] = start;
  }

  /** Rows that were added beyond the first of each kind. */
  duplicates(): number {
    let distinct = 0;
    let table = new Uint32Array(0);
    for (let part = 0; part < PARTS; part++) {
      const waiting = ((this.#ends[part] as number) - part * STRIDE) / HASH_WORDS;
      const hashes = (this.#blocks[part]?.length ?? 0) * (BLOCK_WORDS / HASH_WORDS) + waiting;
      const places = 2 ** Math.ceil(Math.log2(Math.max(16, hashes * 1.5)));
      if (table.length < places * HASH_WORDS) table = new Uint32Array(places * HASH_WORDS);
      else table.fill(0);
      for (const words of this.#wordsOf(part)) distinct += addDistinct(words, table);
    }
    return this.#rows - distinct;
  }

  /** Each is good until the next one is asked for. */
  *#wordsOf(part: number): Iterable<Uint32Array> {
    const block = new Uint32Array(BLOCK_WORDS);
    for (const index of this.#blocks[part] ?? []) {
      readSync(this.#file as number, block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
      yield block;
    }
    yield this.#waiting.subarray(part * STRIDE, this.#ends[part]);
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#file = undefined;
  }
}

/** Open addressing in a table of at least half as many places more than there are hashes. Returns how many were new. */
function addDistinct(words: Uint32Array, table: Uint32Array): number {
  const mask = table.length - 1;
  let distinct = 0;
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
  return distinct;
}
