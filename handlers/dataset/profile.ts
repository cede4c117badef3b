import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import type { DatasetColumn } from "../../programs/spec.ts";
import {
  mergeNumbers,
  mergeTexts,
  mergeValues,
  NumberSketch,
  numberBucket,
  numberSketch,
  TextSketch,
  textBucket,
  textSketch,
  ValueCounts,
} from "./sketch.ts";

/** Dates and timestamps move on by nature, so nothing is kept of them. */
const Unprofiled = Type.Object({ kind: Type.Literal("none") });

export const ColumnProfile = Type.Union([NumberSketch, TextSketch, ValueCounts, Unprofiled]);
export type ColumnProfile = Static<typeof ColumnProfile>;

/**
 * How the values of each column are distributed, in at most 25 kB of JSON per column. It holds no text of the data but values that the
 * data set's schema declares.
 */
export const Profile = Type.Object({
  version: Type.Literal(1),
  rows: Type.Integer({ minimum: 0 }),
  columns: Type.Record(Type.String(), ColumnProfile, { maxProperties: 1000 }),
});
export type Profile = Static<typeof Profile>;

/** The profile in a document, or undefined where it is none of this version. */
export const parseProfile = (document: unknown): Profile | undefined =>
  Value.Check(Profile, document) ? document : undefined;

/** DuckDB's rows, as its client has them. */
export type Query = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** Columns that are counted in one scan. With more, DuckDB takes longer for each; it takes long for each scan of a wide table as well. */
const COLUMNS_AT_ONCE = 16;

/**
 * Profiles a table of DuckDB, or a query in parentheses, whose columns have the types that are declared (integer BIGINT, number DOUBLE,
 * boolean BOOLEAN, string VARCHAR) and the names that `nameOf` gives them, quoted where they must be. What the counts take of memory
 * is within DuckDB's own limit.
 */
export async function profileTable(
  query: Query,
  table: string,
  columns: readonly DatasetColumn[],
  nameOf: (index: number) => string,
): Promise<Profile> {
  const named = columns.map((column, index) => ({ column, sql: nameOf(index) }));
  const counts = new Map<DatasetColumn, Counts>();
  const listed = named.flatMap(({ column, sql }) => {
    const values = knownTexts(column);
    return values === undefined ? [] : [{ column, sql: `histogram_exact(${sql}, [${values.map(literal)}])` }];
  });
  const [row = {}] = await query(
    `SELECT ${["count(*) AS n", ...listed.map(({ sql }, i) => `${sql} AS c${i}`)]} FROM ${table}`,
  );
  for (const [i, { column }] of listed.entries()) counts.set(column, entriesOf(row[`c${i}`]));
  const grouped = named.flatMap(({ column, sql }) => {
    const bucket = bucketIn(column, sql);
    return bucket === undefined ? [] : [{ column, bucket }];
  });
  for (let start = 0; start < grouped.length; start += COLUMNS_AT_ONCE) {
    const part = grouped.slice(start, start + COLUMNS_AT_ONCE);
    for (const { g, counted } of await query(countsByBucket(part, table))) {
      // A bit for each column that is not grouped by, the last one's first.
      const index = part.length - 1 - Math.log2(2 ** part.length - 1 - Number(g));
      const column = part[index]?.column;
      if (column !== undefined) counts.set(column, entriesOf(counted));
    }
  }
  const profiles = columns.map(
    (column) => [column.name, columnProfile(column, Number(row.n), counts.get(column) ?? [])] as const,
  );
  return { version: 1, rows: Number(row.n), columns: Object.fromEntries(profiles) };
}

/** What a column is counted by, as a whole number; undefined for one that isn't, or not so. */
function bucketIn(column: DatasetColumn, sql: string): string | undefined {
  switch (column.type) {
    case "integer":
    case "number":
      return numberBucket(sql, column.type === "integer");
    case "string":
      return knownTexts(column) === undefined ? textBucket(sql) : undefined;
    case "boolean":
      return sql;
    default:
      return undefined;
  }
}

/** A row for each column: a map from its buckets to the number of rows there. */
function countsByBucket(columns: readonly { readonly bucket: string }[], table: string): string {
  const names = columns.map((_, i) => `k${i}`);
  const buckets = columns.map(({ bucket }, i) => `(${bucket})::BIGINT AS k${i}`);
  return `SELECT g, map_from_entries(list((k, n))) AS counted FROM (
      SELECT grouping_id(${names}) AS g, coalesce(${names}) AS k, count(*) AS n
      FROM (SELECT ${buckets} FROM ${table})
      GROUP BY GROUPING SETS (${names.map((name) => `(${name})`)})
    ) WHERE k IS NOT NULL GROUP BY g`;
}

type Counts = readonly (readonly [bucket: unknown, count: number])[];

function columnProfile(column: DatasetColumn, rows: number, entries: Counts): ColumnProfile {
  const known = knownTexts(column);
  // DuckDB counts what is not among the declared values under the empty text.
  const counts = known === undefined ? entries : entries.filter(([text]) => known.includes(String(text)));
  const missing = rows - counts.reduce((sum, [, count]) => sum + count, 0);
  const buckets = () => counts.map(([bucket, count]) => [Number(bucket), count] as const);
  switch (column.type) {
    case "integer":
    case "number":
      return numberSketch(buckets(), missing, column.type === "integer");
    case "string":
      return known === undefined ? textSketch(buckets(), missing) : valueCounts(counts, missing);
    case "boolean":
      return valueCounts(
        counts.map(([bucket, count]) => [Boolean(bucket), count]),
        missing,
      );
    default:
      return { kind: "none" };
  }
}

function valueCounts(counts: Counts, missing: number): ColumnProfile {
  const occurring = counts.filter(([, count]) => count > 0);
  return {
    kind: "values",
    missing,
    counts: Object.fromEntries(occurring.map(([value, count]) => [String(value), count])),
  };
}

/** Data that was profiled in two ways: with another type of a column, or with a declaration of its values that was not there. */
export class ProfileMismatch extends Error {
  override readonly name = "ProfileMismatch";
}

/**
 * The profile of the rows of both. Associative and commutative: data has the same profile, however it is divided into files. A column that
 * only one has stays as it is. Throws `ProfileMismatch` where a column is of two kinds.
 */
export function mergeProfiles(one: Profile, other: Profile): Profile {
  const columns = new Map(Object.entries(one.columns));
  for (const [name, values] of Object.entries(other.columns)) {
    const before = columns.get(name);
    columns.set(name, before === undefined ? values : mergeColumns(name, before, values));
  }
  return { version: 1, rows: one.rows + other.rows, columns: Object.fromEntries(columns) };
}

function mergeColumns(name: string, one: ColumnProfile, other: ColumnProfile): ColumnProfile {
  if (one.kind === "numbers" && other.kind === "numbers") return mergeNumbers(one, other);
  if (one.kind === "texts" && other.kind === "texts") return mergeTexts(one, other);
  if (one.kind === "values" && other.kind === "values") return mergeValues(one, other);
  if (one.kind === "none" && other.kind === "none") return one;
  throw new ProfileMismatch(`Column ${name} is profiled as ${one.kind} and as ${other.kind}`);
}

/** The declared values of texts, where DuckDB can count by them: the empty text is its name for all others, and NUL ends a statement. */
function knownTexts({ type, enum: values }: DatasetColumn): readonly string[] | undefined {
  const texts = type === "string" ? values?.map(String) : undefined;
  return texts?.every((text) => text !== "" && !text.includes("\0")) ? texts : undefined;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Of a DuckDBMapValue; by its form, so that who only reads profiles needs no DuckDB. */
function entriesOf(map: unknown): Counts {
  const entries = (map as { entries?: readonly { key: unknown; value: unknown }[] } | null)?.entries ?? [];
  return entries.map(({ key, value }) => [key, Number(value)] as const);
}
