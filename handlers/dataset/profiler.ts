import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { DatasetColumn } from "../../programs/spec.ts";
import { BucketCounts, halvesOf, NEIGHBOURS } from "./bucket-counts.ts";
import { itemsOf } from "./engine.ts";
import type { ColumnProfile, Profile } from "./profile.ts";
import {
  bucketOf,
  levelOf,
  mergeNumbers,
  NO_BUCKET,
  numberBucket,
  numberSketch,
  SINGLE,
  TEXT_BITS,
  textBucket,
  textSketch,
} from "./sketch.ts";
import { quotedText } from "./typed-columns.ts";

/**
 * Profiles a table of DuckDB, or a query in parentheses, whose columns have the types that are declared (integer BIGINT, number DOUBLE,
 * boolean BOOLEAN, string VARCHAR) and the names that `nameOf` gives them, quoted where they must be.
 */
export async function profileTable(
  chunks: (sql: string) => AsyncIterable<DuckDBDataChunk>,
  table: string,
  columns: readonly DatasetColumn[],
  nameOf: (index: number) => string,
): Promise<Profile> {
  const profiler = new Profiler(columns, nameOf);
  for await (const chunk of chunks(`SELECT ${["0", ...profiler.expressions]} FROM ${table}`)) {
    profiler.add(chunk, 1);
  }
  return profiler.profile();
}

/** Profiles rows as they come by. */
export class Profiler {
  /** What is to be selected for it, as whole numbers of 32 bits. */
  readonly expressions: readonly string[];
  readonly #counters: readonly (readonly [name: string, Counter | undefined])[];
  #rows = 0;

  constructor(columns: readonly DatasetColumn[], nameOf: (index: number) => string) {
    this.#counters = columns.map((column, index) => [column.name, counterOf(column, nameOf(index))]);
    this.expressions = this.#counters.flatMap(([, counter]) =>
      counter === undefined ? [] : [counter.bucket],
    );
  }

  /** Rows whose values of `expressions` begin at this place. */
  add(chunk: DuckDBDataChunk, at: number): void {
    let place = at;
    for (const [, counter] of this.#counters) counter?.add(itemsOf(chunk, place++, Int32Array));
    this.#rows += chunk.rowCount;
  }

  profile(): Profile {
    const profiles = this.#counters.map(
      ([name, counter]) => [name, counter?.profile(this.#rows) ?? ({ kind: "none" } as const)] as const,
    );
    return { version: 1, rows: this.#rows, columns: Object.fromEntries(profiles) };
  }
}

/** Counts one column. */
interface Counter {
  /** What it is counted by, in DuckDB: a whole number of 32 bits. */
  readonly bucket: string;
  add(buckets: Int32Array): void;
  profile(rows: number): ColumnProfile;
}

function counterOf(column: DatasetColumn, sql: string): Counter | undefined {
  switch (column.type) {
    case "integer":
      return integerCounter(sql);
    case "number":
      return numberCounter(sql);
    case "string":
      return textOrValueCounter(sql, column.enum?.map(String));
    case "boolean":
      return valueCounter(sql, [false, true]);
    default:
      return undefined;
  }
}

function integerCounter(sql: string): Counter {
  const single = new Float64Array(2 * SINGLE + 1);
  const large = new BucketCounts(NEIGHBOURS);
  return {
    bucket: orNone(numberBucket(sql, true)),
    add: (buckets) => {
      let isAllSingle = true;
      for (let row = 0; row < buckets.length; row++) {
        const place = (buckets[row] as number) + SINGLE;
        if (place >= 0 && place < single.length) single[place] = (single[place] as number) + 1;
        else isAllSingle = false;
      }
      if (!isAllSingle) large.add(buckets.filter((bucket) => bucket < -SINGLE || bucket > SINGLE));
    },
    profile: (rows) => {
      const singles = [...single.entries()].flatMap(([place, count]) =>
        count === 0 ? [] : [[bucketOf(place - SINGLE, levelOf(true)), count] as const],
      );
      const missing = rows - counted(singles) - counted(large.buckets());
      return mergeNumbers(
        numberSketch(singles, missing, levelOf(true)),
        numberSketch(large.buckets(), 0, levelOf(true) + large.folds),
      );
    },
  };
}

function numberCounter(sql: string): Counter {
  const counts = new BucketCounts(NEIGHBOURS);
  return {
    bucket: orNone(numberBucket(sql, false)),
    add: (buckets) => counts.add(buckets),
    profile: (rows) =>
      numberSketch(counts.buckets(), rows - counted(counts.buckets()), levelOf(false) + counts.folds),
  };
}

function textCounter(sql: string): Counter {
  const counts = new BucketCounts(halvesOf(TEXT_BITS));
  return {
    bucket: textBucket(sql),
    add: (buckets) => counts.add(buckets),
    profile: (rows) =>
      textSketch(counts.buckets(), rows - counted(counts.buckets()), TEXT_BITS - counts.folds),
  };
}

/** A text with NUL is nothing that a statement can name. */
const textOrValueCounter = (sql: string, values: readonly string[] | undefined): Counter =>
  values === undefined || values.some((value) => value.includes("\0"))
    ? textCounter(sql)
    : valueCounter(`enum_code(TRY_CAST(${sql} AS ENUM (${values.map(quotedText)})))`, values);

const orNone = (bucket: string) => `coalesce((${bucket})::INTEGER, ${NO_BUCKET})`;

/** Of values that are known, by their place among them. */
function valueCounter(place: string, values: readonly unknown[]): Counter {
  const counts = new Float64Array(values.length);
  return {
    bucket: orNone(place),
    add: (places) => {
      for (let row = 0; row < places.length; row++) {
        const place = places[row] as number;
        if (place >= 0) counts[place] = (counts[place] as number) + 1;
      }
    },
    profile: (rows) => {
      const occurring = values.flatMap((value, place) =>
        counts[place] === 0 ? [] : [[String(value), counts[place] as number] as const],
      );
      return { kind: "values", missing: rows - counted(occurring), counts: Object.fromEntries(occurring) };
    },
  };
}

const counted = (counts: readonly (readonly [unknown, count: number])[]) =>
  counts.reduce((sum, [, count]) => sum + count, 0);
