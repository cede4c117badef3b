import { RE2JS } from "re2js";
import type { DatasetColumn } from "./spec.ts";

interface ColumnProblem {
  readonly path: string;
  readonly message: string;
}

type ColumnType = DatasetColumn["type"];
type Scalar = string | number | boolean;

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

const isTimestamp = (text: string) =>
  TIMESTAMP.test(text) && isDate(text.slice(0, 10)) && !Number.isNaN(Date.parse(text));

const fits: Readonly<Record<ColumnType, (value: Scalar) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => typeof value === "number" && Number.isSafeInteger(value),
  number: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  date: (value) => typeof value === "string" && isDate(value),
  timestamp: (value) => typeof value === "string" && isTimestamp(value),
};

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  string: "a string",
  integer: "an integer",
  number: "a finite number",
  boolean: "true or false",
  date: "a date as in 2026-01-31",
  timestamp: "a timestamp with a time zone as in 2026-01-31T12:00:00Z",
};

const orderOf = (value: Scalar) => (typeof value === "string" ? Date.parse(value) : Number(value));

function* rangeProblems({ type, min, max }: DatasetColumn): Iterable<ColumnProblem> {
  const bounds = Object.entries({ min, max }).filter(([, value]) => value !== undefined);
  if (type === "string" || type === "boolean") {
    for (const [key] of bounds) yield { path: `/${key}`, message: `a ${type} column has no ${key}` };
    return;
  }
  const misfits = bounds.filter(([, value]) => value !== undefined && !fits[type](value));
  for (const [key] of misfits) yield { path: `/${key}`, message: `must be ${EXPECTED[type]}` };
  if (misfits.length === 0 && min !== undefined && max !== undefined && orderOf(min) > orderOf(max)) {
    yield { path: "/min", message: `is more than max (${max})` };
  }
}

function* enumProblems({ type, min, max, enum: values = [] }: DatasetColumn): Iterable<ColumnProblem> {
  const seen = new Set<Scalar>();
  for (const [index, value] of values.entries()) {
    const path = `/enum/${index}`;
    if (!fits[type](value)) {
      yield { path, message: `must be ${EXPECTED[type]}` };
      continue;
    }
    if (seen.has(value)) yield { path, message: `${JSON.stringify(value)} is listed twice` };
    seen.add(value);
    const below = min !== undefined && orderOf(value) < orderOf(min);
    const above = max !== undefined && orderOf(value) > orderOf(max);
    if (below || above) yield { path, message: "lies outside min and max" };
  }
}

/** Named groups as JavaScript writes them: RE2 of DuckDB, which reads the data, is older than they are. */
const NEWER_THAN_DUCKDB = /\(\?<(?![=!])/;

function* patternProblems({ type, pattern }: DatasetColumn): Iterable<ColumnProblem> {
  if (pattern === undefined) return;
  const path = "/pattern";
  if (type !== "string") yield { path, message: `a ${type} column has no pattern` };
  const mistake = NEWER_THAN_DUCKDB.test(pattern) ? "name groups as in (?P<name>…)" : mistakeIn(pattern);
  if (mistake !== undefined) yield { path, message: `is no regular expression of RE2: ${mistake}` };
}

function mistakeIn(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, "");
  }
}

/** What is wrong within one column; paths are relative to it. */
export function* columnProblems(column: DatasetColumn): Iterable<ColumnProblem> {
  if (column.name !== column.name.trim()) {
    yield { path: "/name", message: "must not begin or end with a space" };
  }
  if (!column.nullable && (column.maxNullFraction ?? 0) > 0) {
    yield { path: "/maxNullFraction", message: "must be 0 or absent: the column is not nullable" };
  }
  yield* rangeProblems(column);
  yield* enumProblems(column);
  yield* patternProblems(column);
}
