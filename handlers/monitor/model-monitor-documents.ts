import type { DatasetColumn } from "../../programs/spec.ts";
import type { ColumnProfile } from "../dataset/profile.ts";
import { bucketStart } from "../dataset/sketch.ts";
import type { NumberMoments } from "./number-moments.ts";
import type { ProfiledRows } from "./profiled-rows.ts";

const BUCKETS = 10;

const inferredType = ({ type }: DatasetColumn) =>
  type === "integer" ? "Integral" : type === "number" ? "Fractional" : "String";

/**
 * `statistics.json` as Model Monitor publishes it
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html), without its sketch, as ours is another.
 * Of texts, only those that the schema lists are named.
 */
export function statisticsDocument(
  columns: readonly DatasetColumn[],
  { profile, moments, present }: ProfiledRows,
) {
  return {
    version: 0,
    dataset: { item_count: profile.rows },
    features: columns.map((column) => {
      const num_present = present.get(column.name) ?? 0;
      const common = { num_present, num_missing: profile.rows - num_present };
      const named = { name: column.name, inferred_type: inferredType(column) };
      const numbers = moments.get(column.name);
      const kept = profile.columns[column.name];
      return numbers === undefined
        ? { ...named, string_statistics: { common, ...categories(kept) } }
        : { ...named, numerical_statistics: { common, ...numberStatistics(numbers, kept) } };
    }),
  };
}

function categories(profile: ColumnProfile | undefined) {
  if (profile?.kind === "texts") return { distinct_count: profile.buckets.length };
  if (profile?.kind !== "values") return {};
  const buckets = Object.entries(profile.counts).map(([value, count]) => ({ value, count }));
  return { distinct_count: buckets.length, distribution: { categorical: { buckets } } };
}

function numberStatistics(numbers: NumberMoments, profile: ColumnProfile | undefined) {
  if (numbers.count === 0) return {};
  const { mean, sum, standardDeviation: std_dev, min, max } = numbers;
  return {
    mean,
    sum,
    std_dev,
    min,
    max,
    ...(profile?.kind === "numbers" && { distribution: { kll: { buckets: tenths(profile, min, max) } } }),
  };
}

/** Equal parts between the ends; exact but for what lies within a sketch's bucket of a bound. */
function tenths({ buckets, level }: Extract<ColumnProfile, { kind: "numbers" }>, min: number, max: number) {
  const width = (max - min) / BUCKETS;
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const [index, count] of buckets) {
    const part = width === 0 ? 0 : Math.floor((bucketStart(index, level) - min) / width);
    const place = Math.min(BUCKETS - 1, Math.max(0, part));
    counts[place] = (counts[place] ?? 0) + count;
  }
  return counts.map((count, part) => ({
    lower_bound: min + part * width,
    upper_bound: part === BUCKETS - 1 ? max : min + (part + 1) * width,
    count,
  }));
}

/** How large a share of a column may be null. */
export const nullLimit = (column: DatasetColumn, ofDataset: number): number =>
  column.nullable ? (column.maxNullFraction ?? ofDataset) : 0;

/**
 * `constraints.json` as Model Monitor publishes it (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html):
 * what the data set's schema demands. Distributions are compared by the monitor of drift.
 */
export function constraintsDocument(columns: readonly DatasetColumn[], maxNullFraction: number) {
  return {
    version: 0,
    features: columns.map((column) => ({
      name: column.name,
      inferred_type: inferredType(column),
      completeness: 1 - nullLimit(column, maxNullFraction),
      ...(inferredType(column) === "String"
        ? column.enum && { string_constraints: { domains: column.enum.map(String) } }
        : {
            num_constraints: { is_non_negative: typeof column.min === "number" && column.min >= 0 },
          }),
    })),
    monitoring_config: {
      evaluate_constraints: "Enabled",
      emit_metrics: "Enabled",
      datatype_check_threshold: 1,
      domain_content_threshold: 1,
      distribution_constraints: { perform_comparison: "Disabled" },
    },
  };
}
