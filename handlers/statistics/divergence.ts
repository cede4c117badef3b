/** Counts per bin of two samples, bin by bin. */
export interface Bins {
  readonly expected: readonly number[];
  readonly actual: readonly number[];
}

/** What an empty bin counts as, in rows of the smaller sample: no comparison sees less, and the logarithm of nothing is no number. */
const EMPTY_ROWS = 0.5;

/**
 * Population stability index Σ (a − e) · ln(a / e) over shares of bins (Siddiqi, "Credit Risk Scorecards", 2006; it is Jeffreys'
 * divergence). A bin that is empty in one sample has there the share that half a row has of the smaller sample; one that is empty in
 * both adds nothing. 0 where a sample has no rows.
 */
export function populationStability({ expected, actual }: Bins): number {
  const [expectedRows, actualRows] = [sumOf(expected), sumOf(actual)];
  if (expectedRows === 0 || actualRows === 0) return 0;
  const least = EMPTY_ROWS / Math.min(expectedRows, actualRows);
  let index = 0;
  for (const [i, count] of expected.entries()) {
    const other = actual[i] ?? 0;
    if (count === 0 && other === 0) continue;
    const e = count === 0 ? least : count / expectedRows;
    const a = other === 0 ? least : other / actualRows;
    index += (a - e) * Math.log(a / e);
  }
  return index;
}

/** Half of Σ |a − e| over shares: the largest difference of the probability of any event. 0 where a sample has no rows. */
export function totalVariation(bins: Bins): number {
  return shares(bins).reduce((sum, [e, a]) => sum + Math.abs(a - e), 0) / 2;
}

/**
 * Square root of the Jensen-Shannon divergence with natural logarithms (Lin 1991; Endres, Schindelin 2003), as
 * `scipy.spatial.distance.jensenshannon`: from 0 to √(ln 2).
 */
export function jensenShannonDistance(bins: Bins): number {
  const term = (p: number, mean: number) => (p === 0 ? 0 : p * Math.log(p / mean));
  const divergence = shares(bins).reduce((sum, [e, a]) => {
    const mean = (e + a) / 2;
    return sum + term(e, mean) / 2 + term(a, mean) / 2;
  }, 0);
  return Math.sqrt(Math.max(0, divergence));
}

function shares({ expected, actual }: Bins): (readonly [number, number])[] {
  const [expectedRows, actualRows] = [sumOf(expected), sumOf(actual)];
  if (expectedRows === 0 || actualRows === 0) return [];
  return expected.map((count, i) => [count / expectedRows, (actual[i] ?? 0) / actualRows] as const);
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
