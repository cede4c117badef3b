/** Numbers that can be gone through again and again, block by block. */
export type Numbers = () => Iterable<Float64Array>;

/** Makes the median absolute deviation of normal values their standard deviation. */
const MAD_SCALE = 1.4826;
/** The same for the mean absolute deviation, which is used where half of the values are equal. */
const MEAN_SCALE = 1.2533;

export interface RobustScale {
  readonly centre: number;
  /** In the place of a standard deviation; 0 where all values are equal. */
  readonly spread: number;
}

/**
 * Median and scaled median absolute deviation, exactly, in the memory of one block: for the modified z-score of Iglewicz and Hoaglin
 * (How to Detect and Handle Outliers, 1993).
 */
export function robustScale(numbers: Numbers): RobustScale {
  const centre = median(numbers);
  const away: Numbers = function* () {
    for (const block of numbers()) yield block.map((value) => Math.abs(value - centre));
  };
  const deviation = median(away);
  if (deviation > 0) return { centre, spread: MAD_SCALE * deviation };
  let sum = 0;
  let count = 0;
  for (const block of away()) {
    for (const value of block) sum += value;
    count += block.length;
  }
  return { centre, spread: count === 0 ? 0 : (MEAN_SCALE * sum) / count };
}

export function median(numbers: Numbers): number {
  let count = 0;
  for (const block of numbers()) count += block.length;
  if (count === 0) return Number.NaN;
  const lower = nth(numbers, Math.floor((count - 1) / 2));
  return count % 2 === 1 ? lower : (lower + nth(numbers, count / 2)) / 2;
}

/** The value of this rank, from 0: sixteen more bits of it in each of four passes. */
function nth(numbers: Numbers, rank: number): number {
  let prefix = 0n;
  let left = rank;
  for (let shift = 48n; shift >= 0n; shift -= 16n) {
    const counts = new Float64Array(65_536);
    for (const block of numbers()) countDigits(block, prefix, shift, counts);
    let digit = 0;
    while (left >= (counts[digit] as number)) left -= counts[digit++] as number;
    prefix = (prefix << 16n) | BigInt(digit);
  }
  return fromSortable(prefix);
}

function countDigits(block: Float64Array, prefix: bigint, shift: bigint, counts: Float64Array): void {
  const high = Number((prefix << (shift + 16n)) >> 32n) >>> 0;
  const low = Number((prefix << (shift + 16n)) & 0xffff_ffffn);
  const words = new Uint32Array(block.slice().buffer);
  for (let at = 0; at < words.length; at += 2) {
    // Bits in an order that sorts as the numbers do: all turned of negative ones, the first turned of others.
    const negative = (words[at + 1] as number) >>> 31 === 1;
    const a = (negative ? ~(words[at + 1] as number) : (words[at + 1] as number) ^ 0x8000_0000) >>> 0;
    const b = (negative ? ~(words[at] as number) : (words[at] as number)) >>> 0;
    if (shift === 48n) count(counts, a >>> 16);
    else if (shift === 32n) {
      if (a >>> 16 === high >>> 16) count(counts, a & 0xffff);
    } else if (a === high && (shift === 16n || b >>> 16 === low >>> 16)) {
      count(counts, shift === 16n ? b >>> 16 : b & 0xffff);
    }
  }
}

function count(counts: Float64Array, digit: number): void {
  counts[digit] = (counts[digit] as number) + 1;
}

function fromSortable(bits: bigint): number {
  const positive = bits >> 63n === 1n;
  const raw = positive ? bits ^ (1n << 63n) : ~bits & 0xffff_ffff_ffff_ffffn;
  return new Float64Array(new BigUint64Array([raw]).buffer)[0] as number;
}
