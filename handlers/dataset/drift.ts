import type { DatasetColumn } from "../../programs/spec.ts";
import { chiSquareOfSamples } from "../statistics/chi-square.ts";
import { type Bins, populationStability, totalVariation } from "../statistics/divergence.ts";
import { ksPValue, ksStatisticOfCounts } from "../statistics/kolmogorov-smirnov.ts";
import { categoryBins, numberBins, orderedBins } from "./drift-bins.ts";
import type { ColumnProfile, Profile } from "./profile.ts";

export type DriftMethod = "psi" | "ks";

export interface ColumnDrift {
  readonly name: string;
  /** 0 for equal distributions. By `psi` without a bound, by `ks` at most 1. */
  readonly score: number;
  readonly test: "kolmogorov-smirnov" | "chi-square";
  readonly statistic: number;
  /** How likely samples of one distribution would differ as much. With many rows even a negligible difference is significant. */
  readonly pValue: number;
  /** What `psi` compares, in shares of all rows; holds nothing of the data's content. */
  readonly bins: readonly { readonly expected: number; readonly actual: number }[];
}

export interface DriftReport {
  readonly method: DriftMethod;
  /** The worst column's; 0 where no column could be compared. */
  readonly score: number;
  /** The worst column. */
  readonly column?: string;
  readonly columns: readonly ColumnDrift[];
}

/**
 * How far new data is from the baseline, by columns; dates, timestamps and columns that only one of both has in this form are left out.
 *
 * `psi` is the population stability index. Numbers: over ten bins, at whose bounds a tenth, two tenths … of the baseline's
 * values lie; bounds at the same value are one, and a value that more than one of them is at has a bin of its own. Texts and booleans:
 * over categories. Missing values have a further bin. `ks` is the largest difference between the cumulated shares, missing values
 * before all numbers; for categories, which have no order, the total variation.
 *
 * Besides, each column has the test that suits it: Kolmogorov-Smirnov for numbers, chi-square for categories.
 */
export function driftBetween(
  baseline: Profile,
  fresh: Profile,
  columns: readonly DatasetColumn[],
  method: DriftMethod,
): DriftReport {
  const compared = columns.flatMap(({ name }) => {
    const [expected, actual] = [columnOf(baseline, name), columnOf(fresh, name)];
    const comparison = expected && actual && compare(expected, actual);
    if (comparison === undefined) return [];
    const { bins, scores, ...test } = comparison;
    return [{ name, score: scores[method], ...test, bins: shares(bins) }];
  });
  const worst = compared.reduce<ColumnDrift | undefined>(
    (most, column) => (most === undefined || column.score > most.score ? column : most),
    undefined,
  );
  return { method, score: worst?.score ?? 0, ...(worst && { column: worst.name }), columns: compared };
}

const columnOf = ({ columns }: Profile, name: string): ColumnProfile | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

interface Comparison extends Pick<ColumnDrift, "test" | "statistic" | "pValue"> {
  readonly bins: Bins;
  readonly scores: Readonly<Record<DriftMethod, number>>;
}

function compare(expected: ColumnProfile, actual: ColumnProfile): Comparison | undefined {
  if (expected.kind === "numbers" && actual.kind === "numbers") {
    const [bins, ordered] = [numberBins(expected, actual), orderedBins(expected, actual)];
    if (isEmpty(bins)) return undefined;
    const statistic = ksStatisticOfCounts(ordered.expected, ordered.actual);
    return {
      test: "kolmogorov-smirnov",
      statistic,
      pValue: ksPValue(statistic, rowsOf(bins.expected), rowsOf(bins.actual)),
      bins,
      scores: { psi: populationStability(bins), ks: statistic },
    };
  }
  const bins = categoryBins(expected, actual);
  if (bins === undefined || isEmpty(bins)) return undefined;
  const { statistic, pValue } = chiSquareOfSamples(bins.expected, bins.actual);
  return {
    test: "chi-square",
    statistic,
    pValue,
    bins,
    scores: { psi: populationStability(bins), ks: totalVariation(bins) },
  };
}

const rowsOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

const isEmpty = ({ expected, actual }: Bins) => rowsOf(expected) === 0 || rowsOf(actual) === 0;

function shares({ expected, actual }: Bins): ColumnDrift["bins"] {
  const [expectedRows, actualRows] = [rowsOf(expected), rowsOf(actual)];
  return expected.map((count, i) => ({
    expected: count / expectedRows,
    actual: (actual[i] ?? 0) / actualRows,
  }));
}
