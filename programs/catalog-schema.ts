import { fitless } from "./spec/feature-names.ts";
import type { DatasetColumn, PipelineSpec } from "./spec.ts";

type Format = PipelineSpec["dataset"]["format"];

interface CatalogColumn {
  readonly name: string;
  readonly type: string;
}

interface Storage {
  readonly inputFormat: string;
  readonly outputFormat: string;
  readonly serializationLibrary: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TEXT = {
  inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
  outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
} as const;

/** How readers of the catalog, such as Athena, take each format apart. */
export const STORAGE: Readonly<Record<Format, Storage>> = {
  csv: {
    ...TEXT,
    serializationLibrary: "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    parameters: { separatorChar: ",", quoteChar: '"', escapeChar: "\\" },
  },
  jsonl: { ...TEXT, serializationLibrary: "org.openx.data.jsonserde.JsonSerDe", parameters: {} },
  parquet: {
    inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    parameters: { "serialization.format": "1" },
  },
};

/** Properties of a table, by which crawlers and readers tell its format. */
export const TABLE_PARAMETERS: Readonly<Record<Format, Readonly<Record<string, string>>>> = {
  csv: { classification: "csv", "skip.header.line.count": "1" },
  jsonl: { classification: "json" },
  parquet: { classification: "parquet" },
};

const HIVE_TYPES: Readonly<Record<DatasetColumn["type"], string>> = {
  string: "string",
  integer: "bigint",
  number: "double",
  boolean: "boolean",
  date: "date",
  timestamp: "timestamp",
};

/**
 * The type that a reader can take a column as. Text formats hold moments in ISO 8601, which their readers don't parse; and the
 * CSV reader fails on an empty field in a column that is not text
 * (https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html).
 */
function hiveType({ type, nullable }: DatasetColumn, format: Format): string {
  const isMoment = type === "date" || type === "timestamp";
  if (format !== "parquet" && isMoment) return "string";
  return format === "csv" && nullable ? "string" : HIVE_TYPES[type];
}

/** The columns of accepted data in the catalog, which knows lower case only. */
export const catalogColumns = (columns: readonly DatasetColumn[], format: Format): CatalogColumn[] =>
  columns.map((column) => ({ name: column.name.toLowerCase(), type: hiveType(column, format) }));

export type FeatureType = "String" | "Integral" | "Fractional";

const FEATURE_TYPES: Readonly<Record<DatasetColumn["type"], FeatureType>> = {
  string: "String",
  integer: "Integral",
  number: "Fractional",
  // Feature Store knows three types: 0 or 1 stands for a truth value, ISO 8601 for a moment.
  boolean: "Integral",
  date: "String",
  timestamp: "String",
};

/** The columns of the data set as features of a Feature Store group, and what is derived of a record alone. */
export const featureDefinitions = ({
  schema,
  features,
}: Pick<PipelineSpec["dataset"], "schema" | "features">): {
  featureName: string;
  featureType: FeatureType;
}[] => [
  ...schema.map(({ name, type }) => ({ featureName: name, featureType: FEATURE_TYPES[type] })),
  ...fitless(features?.derive ?? []).map(({ name }) => ({
    featureName: name,
    featureType: "Fractional" as const,
  })),
];
