import type { Bins } from "../statistics/divergence.ts";
import type { ColumnProfile } from "./profile.ts";
import { atBits, atLevel, type Buckets, type NumberSketch } from "./sketch.ts";

const QUANTILE_BINS = 10;

/** Counts in the baseline's quantile bins, by ascending bin, after those of missing values. */
export function numberBins(expected: NumberSketch, actual: NumberSketch): Bins {
  const [one, other] = atCommonLevel(expected, actual);
  const ends = quantileEnds(one.buckets);
  const counts = ({ missing, buckets }: NumberSketch) => {
    const bins = new Array<number>(ends.length + 1).fill(0);
    let bin = 0;
    for (const [index, count] of buckets) {
      while (bin < ends.length && index > (ends[bin] ?? 0)) bin++;
      bins[bin] = (bins[bin] ?? 0) + count;
    }
    return [missing, ...bins];
  };
  return { expected: counts(one), actual: counts(other) };
}

/** Indexes of the buckets that end a bin: those with the first to ninth tenth, from below (the inverse of the distribution function). */
function quantileEnds(buckets: Buckets): readonly number[] {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const ends = new Set<number>();
  let below = 0;
  let passed = 0;
  for (const [index, count] of buckets) {
    below += count;
    const tenths = Math.min(QUANTILE_BINS - 1, Math.floor((below * QUANTILE_BINS) / total));
    // All between two bounds: what is below must not be counted with it.
    if (tenths - passed > 1) ends.add(index - 1);
    if (tenths > passed) ends.add(index);
    passed = tenths;
  }
  return [...ends].sort((a, b) => a - b);
}

/** Counts of every bucket that one of both has, by ascending bucket, after those of missing values. */
export function orderedBins(expected: NumberSketch, actual: NumberSketch): Bins {
  const [one, other] = atCommonLevel(expected, actual);
  const [inOne, inOther] = [new Map(one.buckets), new Map(other.buckets)];
  const indexes = [...new Set([...inOne.keys(), ...inOther.keys()])].sort((a, b) => a - b);
  return {
    expected: [one.missing, ...indexes.map((index) => inOne.get(index) ?? 0)],
    actual: [other.missing, ...indexes.map((index) => inOther.get(index) ?? 0)],
  };
}

function atCommonLevel(one: NumberSketch, other: NumberSketch): readonly [NumberSketch, NumberSketch] {
  const level = Math.max(one.level, other.level);
  return [atLevel(one, level), atLevel(other, level)];
}

/** A category has a bin of its own where the smaller of both samples should have so many rows of it, by its share in the baseline. */
const LEAST_ROWS = 10;

/**
 * Where single occurrences are more than this share of the baseline, so many new rows may hold what it has never seen (Good 1953):
 * then new categories are nothing to notice, as in a column of identifiers.
 */
const OPEN_SHARE = 0.01;

/**
 * Counts by categories of the baseline, after those of missing values: rare ones together, what the baseline has never seen together.
 * Undefined where both are no categories, or of two kinds.
 */
export function categoryBins(expected: ColumnProfile, actual: ColumnProfile): Bins | undefined {
  const counts = categoryCounts(expected, actual);
  if (counts === undefined) return undefined;
  const { one, other, missing } = counts;
  const [oneRows, otherRows] = [rowsOf(one), rowsOf(other)];
  const own: [number, number][] = [];
  const rare: [number, number] = [0, 0];
  let [singles, seen] = [0, 0];
  for (const [category, count] of one) {
    const now = other.get(category) ?? 0;
    seen += now;
    if (count === 1) singles++;
    if ((count / oneRows) * Math.min(oneRows, otherRows) >= LEAST_ROWS) own.push([count, now]);
    else {
      rare[0] += count;
      rare[1] += now;
    }
  }
  const unseen = otherRows - seen;
  const rest = singles > OPEN_SHARE * oneRows ? [[rare[0], rare[1] + unseen]] : [rare, [0, unseen]];
  const bins = [missing, ...own, ...rest];
  return { expected: bins.map(([count = 0]) => count), actual: bins.map(([, count = 0]) => count) };
}

type Counts = ReadonlyMap<number | string, number>;

function categoryCounts(expected: ColumnProfile, actual: ColumnProfile) {
  if (expected.kind === "texts" && actual.kind === "texts") {
    const bits = Math.min(expected.bits, actual.bits);
    const [one, other]: Counts[] = [expected, actual].map((texts) => new Map(atBits(texts, bits).buckets));
    return one && other && { one, other, missing: [expected.missing, actual.missing] };
  }
  if (expected.kind === "values" && actual.kind === "values") {
    const [one, other]: Counts[] = [expected, actual].map(({ counts }) => new Map(Object.entries(counts)));
    return one && other && { one, other, missing: [expected.missing, actual.missing] };
  }
  return undefined;
}

const rowsOf = (counts: Counts) => [...counts.values()].reduce((sum, count) => sum + count, 0);
