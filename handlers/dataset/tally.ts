import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { DatasetColumn } from "../../programs/spec.ts";
import { itemsOf } from "./engine.ts";
import { globOf } from "./fixed-pattern.ts";
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
});

/** Condition, in DuckDB, that a text doesn't match a pattern of RE2 as a whole. */
export function isMismatch(text: string, pattern: string): string {
  const glob = globOf(pattern);
  return glob === undefined
    ? `NOT regexp_full_match(${text}, ${quotedText(pattern)})`
    : `NOT (${text} GLOB ${quotedText(glob)})`;
}

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
    found.push(["mismatch", isMismatch(value, column.pattern)]);
  }
  return found;
}

/** Conditions in one number of 32 bits, the sign left out. */
const BITS = 31;

/** Counts rows as they come by. */
export interface TallyCounter {
  /** Rows whose values of `tallyExpressions` begin at this place. */
  add(chunk: DuckDBDataChunk, at: number): void;
  tally(): Tally;
}

/** What is to be selected for a `TallyCounter`. */
export function tallyExpressions(rules: DatasetRules): readonly string[] {
  const masks = conditionGroups(rules).map((conditions) => {
    const bits = conditions.map(({ sql }, bit) => `CASE WHEN ${sql} THEN ${2 ** bit} ELSE 0 END`);
    // Most rows break nothing: of those only the first question is asked.
    return `(CASE WHEN ${conditions.map(({ sql }) => sql).join(" OR ")} THEN ${bits.join(" + ")} ELSE 0 END)::INTEGER`;
  });
  const fresh = freshnessIndex(rules);
  const moment = `coalesce(epoch_ms(${valueName(fresh)}::TIMESTAMP)::DOUBLE, '-inf'::DOUBLE)`;
  return [...masks, ...(fresh < 0 ? [] : [moment])];
}

const freshnessIndex = ({ columns, quality }: DatasetRules) =>
  columns.findIndex(({ name }) => name === quality.freshness?.column);

interface Condition {
  readonly column: number;
  readonly kind: Violation | "absent";
  readonly sql: string;
}

/** In groups of one number each. Those that cost most stand last of each column. */
function conditionGroups({ columns }: DatasetRules): readonly (readonly Condition[])[] {
  const conditions = columns.flatMap((column, index): Condition[] => [
    { column: index, kind: "absent", sql: `${valueName(index)} IS NULL` },
    ...violationsOf(column, index).map(([kind, sql]) => ({ column: index, kind, sql: `(${sql})` })),
  ]);
  return Array.from({ length: Math.ceil(conditions.length / BITS) }, (_, group) =>
    conditions.slice(group * BITS, (group + 1) * BITS),
  );
}

export function tallyCounter(rules: DatasetRules): TallyCounter {
  const groups = conditionGroups(rules);
  const counts = groups.map((conditions) => new Float64Array(conditions.length));
  const fresh = freshnessIndex(rules);
  let rows = 0;
  let newestMs = Number.NEGATIVE_INFINITY;
  return {
    add: (chunk, at) => {
      for (const [group, of] of counts.entries()) countBits(itemsOf(chunk, at + group, Int32Array), of);
      if (fresh >= 0) {
        for (const ms of itemsOf(chunk, at + groups.length, Float64Array)) if (ms > newestMs) newestMs = ms;
      }
      rows += chunk.rowCount;
    },
    tally: () => {
      const violations = rules.columns.map((): Partial<Record<Condition["kind"], number>> => ({}));
      for (const [group, conditions] of groups.entries()) {
        for (const [bit, { column, kind }] of conditions.entries()) {
          (violations[column] as (typeof violations)[number])[kind] = counts[group]?.[bit] ?? 0;
        }
      }
      return {
        rows,
        columns: violations.map(({ absent = 0, ...rest }) => ({ values: rows - absent, violations: rest })),
        newestMs: newestMs === Number.NEGATIVE_INFINITY ? undefined : newestMs,
        samples: {},
      };
    },
  };
}

function countBits(masks: Int32Array, counts: Float64Array): void {
  for (let row = 0; row < masks.length; row++) {
    for (let mask = masks[row] as number; mask !== 0; mask &= mask - 1) {
      const bit = 31 - Math.clz32(mask & -mask);
      counts[bit] = (counts[bit] as number) + 1;
    }
  }
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
