import { describe, expect, it } from "vitest";
import {
  chiSquareOfFit,
  chiSquareOfSamples,
  chiSquareSurvival,
} from "../../../handlers/statistics/chi-square.ts";
import {
  jensenShannonDistance,
  populationStability,
  totalVariation,
} from "../../../handlers/statistics/divergence.ts";
import { lnGamma } from "../../../handlers/statistics/gamma.ts";
import { kolmogorovSurvival } from "../../../handlers/statistics/kolmogorov.ts";
import {
  ksPValue,
  ksStatistic,
  ksStatisticOfCounts,
} from "../../../handlers/statistics/kolmogorov-smirnov.ts";
import { median, medianAbsoluteDeviation, robustScore } from "../../../handlers/statistics/robust.ts";
import distances from "./distances.json" with { type: "json" };
import tests from "./tests.json" with { type: "json" };

/** Equal to 10⁻⁹, of the value or of one, whichever is more. */
function expectNear(actual: number, published: number, what: unknown = "", tolerance = 1e-9) {
  const error = Math.abs(actual - published) / Math.max(1, Math.abs(published));
  expect(error, `${actual} for ${published} ${JSON.stringify(what)}`).toBeLessThan(tolerance);
}

describe("Kolmogorov-Smirnov", () => {
  it.each(tests.kolmogorovSmirnov)("has SciPy's statistic and p-values: $name", (sample) => {
    const { one, other, statistic, exact, asymptotic } = sample;
    expectNear(ksStatistic(one, other), statistic);
    expectNear(ksPValue(statistic, one.length, other.length, "exact"), exact);
    expectNear(ksPValue(statistic, one.length, other.length, "asymptotic"), asymptotic);
  });

  it("has SciPy's p-values over sizes and statistics", () => {
    for (const { m, n, statistic, exact, asymptotic } of tests.pValues) {
      if (exact !== null) expectNear(ksPValue(statistic, m, n, "exact"), exact, { m, n, statistic });
      expectNear(ksPValue(statistic, m, n, "asymptotic"), asymptotic, { m, n, statistic });
    }
  });

  it("has SciPy's one-sample distribution in every region of its methods", () => {
    for (const { n, d, survival } of tests.kstwo) {
      expectNear(kolmogorovSurvival(d, n), survival, { n, d }, n > 100_000 ? 1e-8 : 1e-9);
    }
  });

  it("finds the same statistic in counts as in samples", () => {
    for (const { one, other, statistic } of tests.kolmogorovSmirnov) {
      const values = [...new Set([...one, ...other])].sort((a, b) => a - b);
      const counts = (sample: number[]) => values.map((value) => sample.filter((v) => v === value).length);
      expectNear(ksStatisticOfCounts(counts(one), counts(other)), statistic);
    }
  });

  it("compares nothing with an empty sample", () => {
    expect(ksStatistic([], [1, 2])).toBe(0);
    expect(ksStatisticOfCounts([0, 0], [1, 2])).toBe(0);
    expect(ksPValue(0, 0, 2)).toBe(1);
  });
});

describe("chi-square", () => {
  it.each(tests.chi2Contingency)("has SciPy's values for two samples: $name", (table) => {
    const result = chiSquareOfSamples(table.one, table.other);
    expectNear(result.statistic, table.statistic);
    expect(result.degreesOfFreedom).toBe(table.degreesOfFreedom);
    expectNear(result.pValue, table.pValue);
  });

  it("has SciPy's values for a fit", () => {
    const { observed, expected, statistic, pValue } = tests.chisquare;
    const result = chiSquareOfFit(observed, expected);
    expectNear(result.statistic, statistic);
    expectNear(result.pValue, pValue);
  });

  it("has SciPy's tail of the distribution", () => {
    for (const { statistic, degreesOfFreedom, pValue } of tests.chi2Survival) {
      expectNear(chiSquareSurvival(statistic, degreesOfFreedom), pValue, { statistic, degreesOfFreedom });
    }
  });

  it("has SciPy's logarithm of the gamma function", () => {
    for (const { x, lnGamma: published } of tests.gammaln) expectNear(lnGamma(x), published, x);
  });

  it("refuses lists of different lengths", () => {
    expect(() => chiSquareOfSamples([1, 2], [1])).toThrow(RangeError);
  });
});

describe("distances of distributions", () => {
  it.each(distances.divergences)("have published values: $name", (bins) => {
    expectNear(populationStability(bins), bins.psi);
    expectNear(totalVariation(bins), bins.totalVariation);
    expectNear(jensenShannonDistance(bins), bins.jensenShannon);
  });

  it("are 0 where a sample has no rows", () => {
    const bins = { expected: [1, 2], actual: [0, 0] };
    expect([populationStability(bins), totalVariation(bins), jensenShannonDistance(bins)]).toEqual([0, 0, 0]);
  });
});

describe("robust scores", () => {
  it.each(distances.deviations)("have SciPy's median and deviation: $name", (sample) => {
    expectNear(median(sample.values), sample.median);
    expectNear(medianAbsoluteDeviation(sample.values), sample.deviation);
  });

  it("are infinite beside a value that most rows have", () => {
    expect(robustScore(5, 4, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(robustScore(4, 4, 0)).toBe(0);
  });
});
