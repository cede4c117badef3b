import type { DatasetColumn } from "../../programs/spec.ts";
import { DATE, HOURS, TIMESTAMP } from "./moments.ts";

type ColumnType = DatasetColumn["type"];

/** How a column becomes a value of its declared type in DuckDB: null where it is none. */
export interface TypedColumn {
  readonly value: string;
  /** Whether what stands there is a value, though none of the type. Absent where it can't be. */
  readonly misfit?: string;
}

export const quotedText = (text: string) => `'${text.replaceAll("'", "''")}'`;
export const quotedName = (name: string) => `"${name.replaceAll('"', '""')}"`;

const full = (text: string, pattern: string) => `regexp_full_match(${text}, '${pattern}')`;

/** With an exponent up to 19 digits, so that what isn't whole shows either as a double or as a decimal. */
const integerFromText = (text: string) => `CASE
  WHEN ${full(text, "[+-]?\\d+(?:\\.0*)?|[+-]?\\.0+")} THEN TRY_CAST(${text} AS BIGINT)
  WHEN ${full(text, "[+-]?(?:\\d{1,19}|\\d*\\.\\d*)[eE][+-]?\\d{1,3}")}
    AND length(regexp_extract(${text}, '^[+-]?([\\d.]+)', 1)) <= 20
    AND TRY_CAST(${text} AS DOUBLE) = TRY_CAST(${text} AS BIGINT)::DOUBLE
    AND TRY_CAST(${text} AS DECIMAL(38, 18)) = TRY_CAST(${text} AS BIGINT)::DECIMAL(38, 18)
    AND (TRY_CAST(${text} AS BIGINT) <> 0 OR ${full(text, "[+-]?[0.]*[eE].*")})
    THEN TRY_CAST(${text} AS BIGINT)
  END`;

const numberFromText = (text: string, isBare: boolean) => {
  const parsed = finite(`TRY_CAST(${text} AS DOUBLE)`);
  if (isBare) return parsed;
  return `CASE WHEN ${full(text, "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?")} THEN ${parsed} END`;
};

const finite = (value: string) => `CASE WHEN isfinite(${value}) THEN ${value} END`;

/** DuckDB's TIMESTAMP ignores an offset, and its TIMESTAMPTZ wants seconds: both only where there is a need. */
const timestampFromText = (text: string) => `CASE
  WHEN ${full(text, `${DATE}[T ]${HOURS}:[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?Z?`)} THEN TRY_CAST(${text} AS TIMESTAMP)
  WHEN ${full(text, TIMESTAMP)} THEN
    timezone('UTC', TRY_CAST(regexp_replace(regexp_replace(${text}, '^(.{16})(Z|[+-].*)?$', '\\1:00\\2'),
      '([+-]\\d\\d)(\\d\\d)$', '\\1:\\2') AS TIMESTAMPTZ))
  END`;

const FROM_TEXT: Readonly<Record<ColumnType, (text: string, isBare: boolean) => string>> = {
  string: (text) => text,
  integer: integerFromText,
  number: numberFromText,
  boolean: (text) => `CASE lower(${text}) WHEN 'true' THEN true WHEN 'false' THEN false END`,
  date: (text) => `CASE WHEN ${full(text, DATE)} THEN TRY_CAST(${text} AS DATE) END`,
  timestamp: timestampFromText,
};

/** Characters that DuckDB lets stand in numbers where none of ours has them: it trims, groups by "_" and takes "+-1". */
const LENIENT = [" ", "\t", "\v", "\f", "\r", "_", "+"] as const;

/** Whether numbers in records without line ends in quotes need no look at how they are written: nothing that DuckDB is lenient with is there. */
export const isBareText = (bytes: Buffer): boolean => !LENIENT.some((character) => bytes.includes(character));

/**
 * From text, where an empty field is null already. NaN is no value either where a number is expected: what isn't there can't be of a
 * wrong type.
 */
export function fromText({ type }: DatasetColumn, text: string, value: string, isBare: boolean): TypedColumn {
  if (type === "string") return { value: text };
  const isNumber = type === "integer" || type === "number";
  // A CASE, for only it spares the values that fit the second pattern.
  const misfit = `CASE WHEN ${text} IS NOT NULL AND ${value} IS NULL THEN ${isNumber ? `NOT ${full(text, "[+-]?(?i:nan)")}` : "true"} END`;
  return { value: FROM_TEXT[type](text, isBare), misfit };
}

/** As DuckDB's reader of CSV is told it. */
export const STORED_AS: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
};

/** Of a column of Parquet that is declared to hold nothing but nulls. */
const NULL_TYPE = "NULL";

/** The types of the columns of a Parquet file, by name, as DuckDB reads them. */
export async function parquetTypes(
  rowsOf: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>,
  path: string,
): Promise<ReadonlyMap<string, string>> {
  const place = quotedText(path);
  const described = await rowsOf(`DESCRIBE SELECT * FROM read_parquet(${place}, hive_partitioning = false)`);
  const untyped = await rowsOf(`SELECT name FROM parquet_schema(${place}) WHERE logical_type = 'NullType()'`);
  return new Map([
    ...described.map((row) => [String(row.column_name), String(row.column_type)] as const),
    ...untyped.map(({ name }) => [String(name), NULL_TYPE] as const),
  ]);
}

const WHOLE = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const FLOATING = /^(FLOAT|DOUBLE)$/;
const DECIMAL = /^DECIMAL\(/;

/**
 * From a column of a Parquet file, by the type that DuckDB reads it as. Undefined where no value of that type can be one of the declared
 * type. Whole doubles are integers: pandas writes integers so where some are missing.
 */
export function fromParquet(
  { type }: DatasetColumn,
  stored: string,
  column: string,
): TypedColumn | undefined {
  const checked = (value: string, absent = "false"): TypedColumn => ({
    value,
    misfit: `(${column} IS NOT NULL AND NOT (${absent}) AND (${value}) IS NULL)`,
  });
  const nan = `isnan(${column})`;
  // Whoever writes a column without any value may not know its type.
  if (stored === NULL_TYPE) return checked(`NULL::${STORED_AS[type]}`);
  switch (type) {
    case "integer":
      if (WHOLE.test(stored)) return checked(`TRY_CAST(${column} AS BIGINT)`);
      if (DECIMAL.test(stored)) {
        return checked(`CASE WHEN trunc(${column}) = ${column} THEN TRY_CAST(${column} AS BIGINT) END`);
      }
      if (!FLOATING.test(stored)) return undefined;
      return checked(
        `CASE WHEN isfinite(${column}) AND trunc(${column}) = ${column} THEN TRY_CAST(${column} AS BIGINT) END`,
        nan,
      );
    case "number":
      if (WHOLE.test(stored) || DECIMAL.test(stored)) return { value: `${column}::DOUBLE` };
      return FLOATING.test(stored) ? checked(finite(`${column}::DOUBLE`), nan) : undefined;
    case "boolean":
      return stored === "BOOLEAN" ? { value: column } : undefined;
    case "string":
      return stored === "VARCHAR" || stored.startsWith("ENUM(") ? { value: `${column}::VARCHAR` } : undefined;
    case "date":
      if (stored === "DATE") return checked(`CASE WHEN isfinite(${column}) THEN ${column} END`);
      return stored === "VARCHAR" ? checked(FROM_TEXT.date(column, false)) : undefined;
    case "timestamp":
      if (stored === "TIMESTAMP WITH TIME ZONE") return checked(instant(`timezone('UTC', ${column})`));
      if (stored === "TIMESTAMP_NS") return checked(instant(microseconds(column)));
      if (stored.startsWith("TIMESTAMP")) return checked(instant(`TRY_CAST(${column} AS TIMESTAMP)`));
      return stored === "VARCHAR" ? checked(timestampFromText(column)) : undefined;
  }
}

/** Cut as text is: DuckDB would round those before 1970 up. */
const microseconds = (nanoseconds: string) => `CASE WHEN isfinite(${nanoseconds}) THEN
  make_timestamp(epoch_ns(${nanoseconds}) // 1000 - (epoch_ns(${nanoseconds}) % 1000 < 0)::BIGINT) END`;

const instant = (value: string) => `CASE WHEN isfinite(${value}) THEN ${value} END`;

/** A bound or a listed value as DuckDB compares it with values of the column. */
export function literal({ type }: DatasetColumn, value: string | number | boolean): string {
  switch (type) {
    case "date":
      return `DATE ${quotedText(String(value))}`;
    case "timestamp":
      return `TIMESTAMP ${quotedText(momentLiteral(String(value)))}`;
    case "string":
      return quotedText(String(value));
    case "number":
      // A bare number would be a decimal first, and that another double.
      return `'${value}'::DOUBLE`;
    default:
      return String(value);
  }
}

/** In UTC, by microseconds: a date of JavaScript has only thousandths. */
function momentLiteral(text: string): string {
  const [, digits = ""] = /\.(\d{1,6})/.exec(text) ?? [];
  return new Date(text).toISOString().replace(/\d{3}Z$/, digits.padEnd(6, "0"));
}
