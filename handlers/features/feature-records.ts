import type { FeatureValue } from "@aws-sdk/client-sagemaker-featurestore-runtime";
import { fitless } from "../../programs/spec/feature-names.ts";
import type { Features } from "../../programs/spec/features.ts";
import { quotedName } from "../dataset/typed-columns.ts";
import type { DatasetSchema } from "./accepted-file.ts";
import { derivedQuery, typedQuery } from "./transform-sql.ts";

/** The row as it was read, beside what is derived of it: columns can't begin with a space. */
const ROW = '" row"';

/** As Feature Store takes values: text of the three types that it knows, moments in ISO 8601 with milliseconds, in UTC. */
const TEXTS: Readonly<Record<DatasetSchema["columns"][number]["type"], (value: string) => string>> = {
  string: (value) => value,
  integer: (value) => `${value}::VARCHAR`,
  number: (value) => `${value}::VARCHAR`,
  boolean: (value) => `${value}::INTEGER::VARCHAR`,
  date: (value) => `${value}::VARCHAR`,
  timestamp: (value) => `strftime(make_timestamp(epoch_us(${value})), '%Y-%m-%dT%H:%M:%S.%gZ')`,
};

export interface FeatureQuery {
  readonly sql: string;
  /** Of the columns of the query, in their order. */
  readonly names: readonly string[];
}

/**
 * The features that a group knows as text, of a query for accepted rows: the columns themselves and what is derived of a record alone.
 * What is fitted (bins, fill values, scales, categories) belongs to a model and changes with each training: records of different
 * trainings would not be comparable.
 */
export function featureQuery(
  rows: string,
  columns: DatasetSchema["columns"],
  features: Features | undefined,
  known: ReadonlySet<string>,
): FeatureQuery {
  const derived =
    features === undefined ? [] : fitless(features.derive).filter(({ name }) => known.has(name));
  const kept = columns.filter(({ name }) => known.has(name));
  const typed = typedQuery(
    columns.map(({ name, type }) => ({ name, type })),
    `(SELECT r AS ${ROW}, r.* FROM (${rows}) AS r)`,
    [" row"],
  );
  const texts = [
    ...kept.map(({ name, type }) => TEXTS[type](`${ROW}.${quotedName(name)}`)),
    ...derived.map(({ name }) => `${quotedName(name)}::VARCHAR`),
  ];
  const all = features === undefined ? [] : fitless(features.derive);
  return {
    sql: `SELECT ${texts.join(", ")} FROM (${derivedQuery(all, typed)})`,
    names: [...kept, ...derived].map(({ name }) => name),
  };
}

/** A record of the group; what is missing is left out. */
export const featureRecord = (names: readonly string[], values: readonly unknown[]): FeatureValue[] =>
  names.flatMap((FeatureName, place) => {
    const value = values[place];
    return value === null || value === undefined ? [] : [{ FeatureName, ValueAsString: String(value) }];
  });
