import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { DatasetColumn } from "../../programs/spec.ts";
import { chunksOf } from "../dataset/engine.ts";
import { mergeProfiles, type Profile } from "../dataset/profile.ts";
import { profileTable } from "../dataset/profiler.ts";
import { NumberMoments } from "./number-moments.ts";
import { RowBatches } from "./row-batches.ts";

const SQL_TYPE = { integer: "BIGINT", number: "DOUBLE", boolean: "BOOLEAN", string: "VARCHAR" } as const;

type ProfiledColumn = DatasetColumn & { readonly type: keyof typeof SQL_TYPE };

const isProfiled = (column: DatasetColumn): column is ProfiledColumn => column.type in SQL_TYPE;

/** What is known of rows that came by. */
export interface ProfiledRows {
  readonly profile: Profile;
  /** Of each column with numbers. */
  readonly moments: ReadonlyMap<string, NumberMoments>;
  /** By column, dates and timestamps too: how many rows have something there, whatever its type. */
  readonly present: ReadonlyMap<string, number>;
}

/** Profiles rows as they come by. A value of another type than its column's counts as missing. */
export class RowProfiler {
  readonly #connection: DuckDBConnection;
  readonly #columns: readonly ProfiledColumn[];
  readonly #table: string;
  readonly #moments = new Map<string, NumberMoments>();
  readonly #present: Map<string, number>;
  readonly #batches: RowBatches;
  #profile: Profile;

  /** `table` is a name of letters that no other profiler of the connection has. */
  constructor(connection: DuckDBConnection, table: string, columns: readonly DatasetColumn[]) {
    this.#connection = connection;
    this.#table = table;
    this.#columns = columns.filter(isProfiled);
    this.#present = new Map(columns.map(({ name }) => [name, 0]));
    for (const { name, type } of this.#columns) {
      if (type === "integer" || type === "number") this.#moments.set(name, new NumberMoments());
    }
    this.#profile = { version: 1, rows: 0, columns: {} };
    const stored = this.#columns.map(({ type }, index) => `c${index} ${SQL_TYPE[type]}`);
    // A data set of dates and timestamps only has no column to profile, and a table needs one.
    const needed = stored.length === 0 ? ["none BOOLEAN"] : stored;
    this.#batches = new RowBatches(connection, table, needed, () => this.#profileBatch());
  }

  async add(row: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [name, count] of this.#present) {
      if (row[name] !== undefined && row[name] !== null) this.#present.set(name, count + 1);
    }
    await this.#batches.add((appender) => {
      if (this.#columns.length === 0) appender.appendNull();
      for (const column of this.#columns) this.#append(appender, column, row[column.name]);
    });
  }

  async finish(): Promise<ProfiledRows> {
    await this.#batches.finish();
    return { profile: this.#profile, moments: this.#moments, present: this.#present };
  }

  #append(appender: DuckDBAppender, { name, type }: ProfiledColumn, value: unknown): void {
    if (typeof value === "number" && (type === "integer" ? Number.isSafeInteger(value) : type === "number")) {
      this.#moments.get(name)?.add(value);
      if (type === "integer") appender.appendBigInt(BigInt(value));
      else appender.appendDouble(value);
    } else if (type === "string" && typeof value === "string") appender.appendVarchar(value);
    else if (type === "boolean" && typeof value === "boolean") appender.appendBoolean(value);
    else appender.appendNull();
  }

  async #profileBatch(): Promise<void> {
    const chunks = (sql: string) => chunksOf(this.#connection, sql);
    const profile = await profileTable(chunks, this.#table, this.#columns, (index) => `c${index}`);
    this.#profile = mergeProfiles(this.#profile, profile);
  }
}
