import { upperGamma } from "./gamma.ts";

export interface ChiSquare {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
}

/** How likely a chi-square variable is to be at least `statistic`; 1 without degrees of freedom. */
export const chiSquareSurvival = (statistic: number, degreesOfFreedom: number): number =>
  degreesOfFreedom <= 0 ? 1 : upperGamma(degreesOfFreedom / 2, statistic / 2);

/**
 * Pearson's test that two samples come from one distribution, by their counts per category (Pearson 1900); without Yates'
 * correction, as `scipy.stats.chi2_contingency(…, correction=False)`. Categories that neither has don't count. Throws
 * `RangeError` for lists of different lengths.
 */
export function chiSquareOfSamples(one: readonly number[], other: readonly number[]): ChiSquare {
  sameLength(one, other);
  const totals = [total(one), total(other)] as const;
  const rows = totals[0] + totals[1];
  let statistic = 0;
  let categories = 0;
  for (const [i, inOne] of one.entries()) {
    const both = inOne + (other[i] ?? 0);
    if (both === 0) continue;
    categories++;
    for (const [sample, count] of [inOne, other[i] ?? 0].entries()) {
      const expected = (both * (totals[sample] ?? 0)) / rows;
      if (expected > 0) statistic += (count - expected) ** 2 / expected;
    }
  }
  const degreesOfFreedom = totals.includes(0) ? 0 : Math.max(0, categories - 1);
  return { statistic, degreesOfFreedom, pValue: chiSquareSurvival(statistic, degreesOfFreedom) };
}

/** Pearson's test that counts follow expected counts of the same sum, as `scipy.stats.chisquare`. Expected counts are positive. */
export function chiSquareOfFit(observed: readonly number[], expected: readonly number[]): ChiSquare {
  sameLength(observed, expected);
  const statistic = observed.reduce((sum, count, i) => {
    const wanted = expected[i] ?? 0;
    return sum + (count - wanted) ** 2 / wanted;
  }, 0);
  const degreesOfFreedom = Math.max(0, observed.length - 1);
  return { statistic, degreesOfFreedom, pValue: chiSquareSurvival(statistic, degreesOfFreedom) };
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

function sameLength(one: readonly number[], other: readonly number[]): void {
  if (one.length !== other.length)
    throw new RangeError(`${one.length} categories are compared with ${other.length}`);
}
