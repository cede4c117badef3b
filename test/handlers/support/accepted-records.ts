import { readFileSync } from "node:fs";
import { DuckDBInstance, DuckDBTimestampTZValue } from "@duckdb/node-api";
import { Value } from "typebox/value";
import { timestampMs } from "../../../handlers/dataset/moments.ts";
import type { Row, Statistics } from "../../../handlers/features/fit.ts";
import { Features } from "../../../programs/spec/features.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

const SQL_TYPES: Readonly<Record<DatasetColumn["type"], string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMPTZ",
};

export type Column = Pick<DatasetColumn, "name" | "type">;

/** Records as DuckDB's relation `accepted`, whose columns have their declared types. */
export async function acceptedRecords(columns: readonly Column[], records: readonly Row[]) {
  const connection = await (await DuckDBInstance.fromCache(":memory:", { threads: "1" })).connect();
  const named = columns.map(({ name, type }) => `"${name.replaceAll('"', '""')}" ${SQL_TYPES[type]}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE accepted (${named.join(", ")})`);
  const appender = await connection.createAppender("accepted");
  for (const record of records) {
    for (const { name, type } of columns) {
      const value = record[name];
      if (value === null || value === undefined) appender.appendNull();
      else if (type === "integer") appender.appendBigInt(BigInt(Number(value)));
      else if (type === "number") appender.appendDouble(Number(value));
      else if (type === "timestamp") {
        appender.appendTimestampTZ(new DuckDBTimestampTZValue(BigInt(timestampMs(String(value))) * 1000n));
      } else if (type === "boolean") appender.appendBoolean(Boolean(value));
      else appender.appendVarchar(String(value));
    }
    appender.endRow();
  }
  appender.closeSync();
  const ask = async (sql: string): Promise<Row[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJS() as Row[];
  const statistics: Statistics = { ask, sha256: "0".repeat(64) };
  return { ask, statistics, close: () => connection.closeSync() };
}

/** A declaration with its defaults. */
export const someFeatures = (features: object): Features => Value.Default(Features, features) as Features;

const data = (file: string): Row[] =>
  JSON.parse(
    readFileSync(new URL(`../../../node_modules/vega-datasets/data/${file}`, import.meta.url), "utf8"),
  );

export const PENGUIN_COLUMNS: readonly Column[] = [
  { name: "Species", type: "string" },
  { name: "Island", type: "string" },
  { name: "Beak Length (mm)", type: "number" },
  { name: "Beak Depth (mm)", type: "number" },
  { name: "Flipper Length (mm)", type: "integer" },
  { name: "Body Mass (g)", type: "integer" },
  { name: "Sex", type: "string" },
];
export const penguins = () => data("penguins.json");

export const FLIGHT_COLUMNS: readonly Column[] = [
  { name: "date", type: "timestamp" },
  { name: "delay", type: "integer" },
  { name: "distance", type: "integer" },
  { name: "origin", type: "string" },
  { name: "destination", type: "string" },
];

/** Their moments are written 2001/01/31 06:55. */
export const flights = (): Row[] =>
  data("flights-2k.json").map((flight) => ({
    ...flight,
    date: `${String(flight.date).replaceAll("/", "-").replace(" ", "T")}:00Z`,
  }));
