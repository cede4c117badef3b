import type { DatasetColumn } from "../../programs/spec.ts";
import type { DatasetRules } from "./rules.ts";
import { shownSamples } from "./samples.ts";
import { type ColumnTally, sampleKey, type Tally, type Violation } from "./tally.ts";
import type { Finding } from "./text-file.ts";

const MS_PER_HOUR = 3_600_000;

const EXPECTED: Readonly<Record<DatasetColumn["type"], string>> = {
  string: "texts",
  integer: "whole numbers within 64 bits",
  number: "finite numbers",
  boolean: "true or false",
  date: "dates as 2026-01-31",
  timestamp: "ISO 8601 timestamps with a time",
};

const percent = (fraction: number) => `${Number((100 * fraction).toPrecision(3))} %`;

/** What a violation is called, and what is said about it. */
const TOLD: Readonly<
  Record<
    Violation,
    {
      readonly check: Finding["check"];
      readonly code: string;
      readonly says: (column: DatasetColumn) => string;
      readonly limit?: (column: DatasetColumn) => number | string | undefined;
    }
  >
> = {
  misfit: { check: "type", code: "wrong_type", says: ({ type }) => `are no ${EXPECTED[type]}` },
  below: {
    check: "range",
    code: "below_minimum",
    says: ({ min }) => `are less than ${min}`,
    limit: ({ min }) => min,
  },
  above: {
    check: "range",
    code: "above_maximum",
    says: ({ max }) => `are more than ${max}`,
    limit: ({ max }) => max,
  },
  unlisted: { check: "enum", code: "not_listed", says: () => "are not among the declared ones" },
  mismatch: {
    check: "pattern",
    code: "no_match",
    says: () => "don't match the pattern",
    limit: ({ pattern }) => pattern,
  },
};

/** Everything in what was counted that breaks the rules, but duplicates and anomalies. */
export function findings(tally: Tally, rules: DatasetRules, now: Date): Finding[] {
  if (tally.rows === 0)
    return [{ check: "volume", code: "no_rows", message: "The file has no rows", count: 0 }];
  return [
    ...rules.columns.flatMap((column, index) => columnFindings(column, index, tally, rules)),
    ...nullFindings(tally, rules),
    ...volumeFindings(tally, rules),
    ...freshnessFindings(tally, rules, now),
  ];
}

function columnFindings(
  column: DatasetColumn,
  index: number,
  { rows, columns, samples }: Tally,
  { classification }: DatasetRules,
): Finding[] {
  const found = Object.entries(columns[index]?.violations ?? {}) as [Violation, number][];
  return found.flatMap(([violation, count]) => {
    if (count === 0) return [];
    const { check, code, says, limit } = TOLD[violation];
    const shown = shownSamples(samples[sampleKey(violation, index)] ?? [], classification);
    const bound = limit?.(column);
    return {
      check,
      code,
      column: column.name,
      message: `${count} values of "${column.name}" ${says(column)}`,
      count,
      fraction: count / rows,
      ...(bound !== undefined && { limit: bound }),
      ...(shown !== undefined && { samples: shown }),
    };
  });
}

const nullsOf = ({ rows }: Tally, { values, violations: { misfit = 0 } }: ColumnTally) =>
  rows - values - misfit;

/** Share of nulls among all values. */
export function nullFraction(tally: Tally): number {
  const nulls = tally.columns.reduce((sum, column) => sum + nullsOf(tally, column), 0);
  return tally.rows === 0 ? 0 : nulls / (tally.rows * tally.columns.length);
}

function nullFindings(tally: Tally, { columns, quality }: DatasetRules): Finding[] {
  const ofColumns = columns.flatMap((column, index): Finding[] => {
    const count = nullsOf(tally, tally.columns[index] ?? { values: tally.rows, violations: {} });
    const limit = column.nullable ? (column.maxNullFraction ?? quality.maxNullFraction) : 0;
    const fraction = count / tally.rows;
    if (fraction <= limit) return [];
    const message = column.nullable
      ? `${percent(fraction)} of "${column.name}" is missing, more than ${percent(limit)}`
      : `${count} values of "${column.name}" are missing, which is not nullable`;
    const code = column.nullable ? "too_many_nulls" : "null_not_allowed";
    return [{ check: "nulls", code, column: column.name, message, count, fraction, limit }];
  });
  const limit = quality.maxOverallNullFraction ?? 1;
  const fraction = nullFraction(tally);
  if (fraction <= limit) return ofColumns;
  const message = `${percent(fraction)} of all values are missing, more than ${percent(limit)}`;
  return [...ofColumns, { check: "nulls", code: "too_many_nulls_overall", message, fraction, limit }];
}

function volumeFindings({ rows }: Tally, { quality: { volume = {} } }: DatasetRules): Finding[] {
  const { minRows, maxRows } = volume;
  if (minRows !== undefined && rows < minRows) {
    const message = `The file has ${rows} rows, fewer than ${minRows}`;
    return [{ check: "volume", code: "too_few_rows", message, count: rows, limit: minRows }];
  }
  if (maxRows !== undefined && rows > maxRows) {
    const message = `The file has ${rows} rows, more than ${maxRows}`;
    return [{ check: "volume", code: "too_many_rows", message, count: rows, limit: maxRows }];
  }
  return [];
}

function freshnessFindings(
  { newestMs }: Tally,
  { quality: { freshness } }: DatasetRules,
  now: Date,
): Finding[] {
  if (freshness === undefined) return [];
  const { column, maxAgeHours: limit } = freshness;
  if (newestMs === undefined) {
    const message = `"${column}" has no value that could tell how old the data is`;
    return [{ check: "freshness", code: "no_moment", column, message, limit }];
  }
  const score = (now.getTime() - newestMs) / MS_PER_HOUR;
  if (score <= limit) return [];
  const message = `The newest value of "${column}" is ${score.toFixed(1)} hours old, more than ${limit}`;
  return [{ check: "freshness", code: "too_old", column, message, score, limit }];
}

/** Rows that equal an earlier one, by all columns or by a key. */
export function duplicateFindings(
  rows: number,
  duplicates: number,
  keyDuplicates: readonly number[],
  { keys = [], quality: { maxDuplicateFraction: limit } }: DatasetRules,
): Finding[] {
  // As shares, which are rounded as the limit is: 0.29 of 100 rows is less than 29.
  const tooMany = (count: number) => count / rows > limit;
  const ofRows: Finding[] = tooMany(duplicates)
    ? [
        {
          check: "duplicates",
          code: "duplicate_rows",
          message: `${duplicates} rows equal an earlier one in every value`,
          count: duplicates,
          fraction: duplicates / rows,
          limit,
        },
      ]
    : [];
  const ofKeys = keyDuplicates.flatMap((count, index): Finding[] => {
    if (!tooMany(count)) return [];
    const message = `${count} rows have the ${(keys[index] ?? []).join(", ")} of an earlier one`;
    return [{ check: "keys", code: "duplicate_keys", message, count, fraction: count / rows, limit }];
  });
  return [...ofRows, ...ofKeys];
}
