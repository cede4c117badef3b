import type { DatasetColumn } from "../../programs/spec.ts";
import { mergeProfiles, type Profile } from "./profile.ts";
import type { DatasetRules } from "./rules.ts";
import { SAMPLES } from "./samples.ts";
import { literal, quotedText } from "./typed-columns.ts";

/** Violations that are counted in one column. */
export const VIOLATIONS = ["misfit", "below", "above", "unlisted", "mismatch"] as const;
export type Violation = (typeof VIOLATIONS)[number];

export interface ColumnTally {
  readonly values: number;
  readonly violations: Readonly<Partial<Record<Violation, number>>>;
}

/** What was counted in some rows: sums, so tallies of parts add up to the whole's. */
export interface Tally {
  readonly rows: number;
  readonly columns: readonly ColumnTally[];
  /** Newest moment of the column that freshness looks at, in milliseconds since 1970. */
  readonly newestMs: number | undefined;
  /** Up to five values of each violation that was found, by its key. */
  readonly samples: Readonly<Record<string, readonly string[]>>;
  readonly profile: Profile;
}

/**
 * The table of a tally has a column `v<i>` for each declared one, of its type, and `m<i>` that tells whether what stands there is no
 * value of the type, where that can be.
 */
export const valueName = (index: number) => `v${index}`;
export const misfitName = (index: number) => `m${index}`;
export const MISFIT_LENGTH = 100;

export const sampleKey = (violation: Violation, index: number) => `${violation}${index}`;

export const emptyTally = (rules: DatasetRules): Tally => ({
  rows: 0,
  columns: rules.columns.map(() => ({ values: 0, violations: {} })),
  newestMs: undefined,
  samples: {},
  profile: { version: 1, rows: 0, columns: {} },
});

/** Conditions, in DuckDB, under which a row of the table breaks what is declared of a column. */
export function violationsOf(
  column: DatasetColumn,
  index: number,
): readonly (readonly [Violation, condition: string])[] {
  const value = valueName(index);
  const found: (readonly [Violation, string])[] = [];
  if (column.type !== "string") found.push(["misfit", misfitName(index)]);
  if (column.min !== undefined) found.push(["below", `${value} < ${literal(column, column.min)}`]);
  if (column.max !== undefined) found.push(["above", `${value} > ${literal(column, column.max)}`]);
  if (column.enum !== undefined) {
    const listed = column.enum.map((item) => literal(column, item)).join(", ");
    found.push(["unlisted", `${value} NOT IN (${listed})`]);
  }
  if (column.pattern !== undefined) {
    found.push(["mismatch", `NOT regexp_full_match(${value}, ${quotedText(column.pattern)})`]);
  }
  return found;
}

/** One query that counts everything but the profile in one scan. */
export function tallyQuery({ columns, quality }: DatasetRules, table: string): string {
  const counts = columns.flatMap((column, index) => [
    `count(${valueName(index)}) AS n${index}`,
    ...violationsOf(column, index).map(
      ([violation, condition]) => `count_if(${condition}) AS ${sampleKey(violation, index)}`,
    ),
  ]);
  const fresh = columns.findIndex(({ name }) => name === quality.freshness?.column);
  const newest = fresh < 0 ? [] : [`epoch_ms(max(${valueName(fresh)})::TIMESTAMP) AS newest`];
  return `SELECT ${["count(*) AS n", ...counts, ...newest].join(",\n")} FROM ${table}`;
}

/** From the row that `tallyQuery` gave, and the same rows' profile. */
export function readTally(
  { columns }: DatasetRules,
  row: Readonly<Record<string, unknown>>,
  profile: Profile,
): Tally {
  const rows = Number(row.n);
  const newest = row.newest;
  return {
    rows,
    columns: columns.map((column, index) => ({
      values: Number(row[`n${index}`]),
      violations: Object.fromEntries(
        violationsOf(column, index).map(([violation]) => [
          violation,
          Number(row[sampleKey(violation, index)]),
        ]),
      ),
    })),
    newestMs: newest === null || newest === undefined ? undefined : Number(newest),
    samples: {},
    profile,
  };
}

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    rows: one.rows + other.rows,
    columns: one.columns.map((column, index) => addColumns(column, other.columns[index])),
    newestMs:
      one.newestMs === undefined || other.newestMs === undefined
        ? (one.newestMs ?? other.newestMs)
        : Math.max(one.newestMs, other.newestMs),
    samples: addSamples(one.samples, other.samples),
    profile: mergeProfiles(one.profile, other.profile),
  };
}

function addColumns(one: ColumnTally, other: ColumnTally = { values: 0, violations: {} }): ColumnTally {
  return {
    values: one.values + other.values,
    violations: Object.fromEntries(
      VIOLATIONS.map((violation) => [
        violation,
        (one.violations[violation] ?? 0) + (other.violations[violation] ?? 0),
      ]),
    ),
  };
}

function addSamples(one: Tally["samples"], other: Tally["samples"]): Tally["samples"] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      [...new Set([...(one[key] ?? []), ...(other[key] ?? [])])].slice(0, SAMPLES),
    ]),
  );
}
