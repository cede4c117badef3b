import { DuckDBInstance } from "@duckdb/node-api";
import { chunksOf } from "../../../handlers/dataset/engine.ts";
import type { Profile } from "../../../handlers/dataset/profile.ts";
import { profileTable } from "../../../handlers/dataset/profiler.ts";
import {
  bucketOf,
  type NumberSketch,
  numberSketch,
  type TextSketch,
  textSketch,
} from "../../../handlers/dataset/sketch.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

export const FLIGHTS = "node_modules/vega-datasets/data/flights-3m.parquet";

export const FLIGHT_COLUMNS: readonly DatasetColumn[] = [
  { name: "date", type: "timestamp", nullable: false },
  { name: "delay", type: "integer", nullable: false },
  { name: "distance", type: "integer", nullable: false },
  { name: "origin", type: "string", nullable: false },
  { name: "destination", type: "string", nullable: false },
];

/** Profiles what `from` names, such as a table or `'file.parquet' WHERE …`, with DuckDB. */
export async function profileOf(columns: readonly DatasetColumn[], from: string): Promise<Profile> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const chunks = (sql: string) => chunksOf(connection, sql);
    return await profileTable(chunks, `(SELECT * FROM ${from})`, columns, (i) => `"${columns[i]?.name}"`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A profile of one column, `x`, of these numbers; null is a missing one. */
export function profileOfNumbers(values: readonly (number | null)[], integer = false): Profile {
  const present = values.filter((value) => value !== null);
  const level = integer ? 0 : 1;
  const sketch: NumberSketch = numberSketch(
    present.map((value) => [bucketOf(value, level), 1] as const),
    values.length - present.length,
    level,
  );
  return { version: 1, rows: values.length, columns: { x: sketch } };
}

/** A profile of one column, `x`, of texts with these hashes. */
export function profileOfHashes(hashes: readonly number[], missing = 0): Profile {
  const sketch: TextSketch = textSketch(
    hashes.map((hash) => [hash % 65_536, 1] as const),
    missing,
    16,
  );
  return { version: 1, rows: hashes.length + missing, columns: { x: sketch } };
}
