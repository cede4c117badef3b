import { kolmogorovSurvival } from "./kolmogorov.ts";

/**
 * The two-sample Kolmogorov-Smirnov statistic: the largest difference between the shares of values that are at most x, over all x.
 * 0 where a sample is empty.
 */
export function ksStatistic(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const [a, b] = [Float64Array.from(one).sort(), Float64Array.from(other).sort()];
  if (a.length === 0 || b.length === 0) return 0;
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** The same from counts per bin, by ascending bin: exact for values that are known to their bin, and else a lower bound. */
export function ksStatisticOfCounts(one: readonly number[], other: readonly number[]): number {
  const rows = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const [oneRows, otherRows] = [rows(one), rows(other)];
  if (oneRows === 0 || otherRows === 0) return 0;
  let [oneBelow, otherBelow, largest] = [0, 0, 0];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    oneBelow += one[i] ?? 0;
    otherBelow += other[i] ?? 0;
    largest = Math.max(largest, Math.abs(oneBelow / oneRows - otherBelow / otherRows));
  }
  return largest;
}

/** Pairs of values up to which the exact distribution is worth its time: some 20 ms. */
const EXACT_PAIRS = 4_000_000;

/**
 * How likely two samples of one continuous distribution are to differ by at least `statistic`; ties make it an upper bound. Exact for
 * samples whose sizes multiply to at most four million; beyond, of one sample of the size mn / (m + n), as
 * `scipy.stats.ks_2samp(method="asymp")` has it (Hodges 1958). 1 where a sample is empty.
 */
export function ksPValue(statistic: number, m: number, n: number, method?: "exact" | "asymptotic"): number {
  if (m === 0 || n === 0) return 1;
  const exact = method === undefined ? m * n <= EXACT_PAIRS : method === "exact";
  const pValue = exact
    ? exactSurvival(statistic, m, n)
    : kolmogorovSurvival(statistic, Math.round((m * n) / (m + n)));
  return Math.min(1, Math.max(0, pValue));
}

/**
 * Counts the ways to mix both samples by how far their shares drift apart (Hodges, "The significance probability of the Smirnov two-sample
 * test", 1958): a path through an m by n grid that stays off the forbidden corner cells. What is kept per cell is the share of
 * the paths there that went too far, so that small probabilities don't vanish in a difference.
 */
function exactSurvival(statistic: number, m: number, n: number): number {
  // Differences of shares are multiples of 1 / mn; rounding must not decide which of them is reached.
  const limit = Math.round(statistic * m * n) - 0.5;
  if (limit < 0) return 1;
  const far = new Float64Array(n + 1);
  for (let j = 1; j <= n; j++) far[j] = j * m > limit ? 1 : (far[j - 1] ?? 0);
  for (let i = 1; i <= m; i++) {
    if (i * n > limit) far[0] = 1;
    for (let j = 1; j <= n; j++) {
      far[j] = Math.abs(i * n - j * m) > limit ? 1 : ((far[j] ?? 0) * i + (far[j - 1] ?? 0) * j) / (i + j);
    }
  }
  return far[n] ?? 1;
}
