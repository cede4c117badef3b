import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { readAsItIs } from "../dataset/engine.ts";
import { type Findings, noFindings, type Search } from "./findings.ts";
import { Unsearchable } from "./records.ts";
import type { Subject, SubjectColumn } from "./request.ts";

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** What a column of the declared type is compared as: feature stores and compactions write some types as others. */
const TYPES: Readonly<Record<SubjectColumn["type"], string>> = {
  string: "VARCHAR",
  integer: "HUGEINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
};

/** Rows of a Parquet file by DuckDB, which spills to the folder of the file instead of taking more memory than this. */
export async function withParquet<T>(
  file: string,
  memoryLimitMb: number,
  work: (parquet: Parquet) => Promise<T>,
): Promise<T> {
  const database = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryLimitMb}MB`,
    temp_directory: `${file}.spill`,
    threads: "2",
    preserve_insertion_order: "true",
  });
  const connection = await database.connect();
  try {
    await readAsItIs(connection);
    return await work(new Parquet(connection, file));
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

export class Parquet {
  readonly #connection: DuckDBConnection;
  readonly #file: string;
  readonly #source: string;

  constructor(connection: DuckDBConnection, file: string) {
    this.#connection = connection;
    this.#file = literal(file);
    this.#source = `read_parquet(${this.#file}, hive_partitioning = false)`;
  }

  /** Counts rows and those of the subject. Throws `Unsearchable` for a file that is no whole Parquet file. */
  async search({ subject, recordIdentifier }: Search): Promise<Findings> {
    const columns = await this.#columns();
    const condition = conditionOf(subject, columns);
    const findings = noFindings();
    if (condition === undefined) {
      const [[rows] = []] = await this.#rows("SELECT count(*)");
      return { ...findings, rows: Number(rows), hasColumns: false };
    }
    const [[rows, found] = []] = await this.#rows(`SELECT count(*), count(*) FILTER (${condition})`);
    const identifier = recordIdentifier && columns.get(recordIdentifier.toLowerCase());
    if (identifier && Number(found) > 0) {
      const records = await this.#rows(
        `SELECT DISTINCT ${quoted(identifier)}::VARCHAR`,
        `WHERE ${condition}`,
      );
      for (const [record] of records) if (typeof record === "string") findings.records.add(record);
    }
    return { ...findings, rows: Number(rows), found: Number(found) };
  }

  /** Writes the file again without the subject's rows, in the order and with the types that it has. */
  async rewrite(subject: Subject, target: string): Promise<void> {
    const condition = conditionOf(subject, await this.#columns());
    await this.#connection.run(
      `COPY (SELECT * FROM ${this.#source} WHERE (${condition}) IS NOT TRUE) TO ${literal(target)} (FORMAT parquet, COMPRESSION ${await this.#codec()})`,
    );
  }

  async #columns(): Promise<ReadonlyMap<string, string>> {
    try {
      const described = await this.#connection.runAndReadAll(`DESCRIBE SELECT * FROM ${this.#source}`);
      return new Map(described.getRowsJS().map(([name]) => [String(name).toLowerCase(), String(name)]));
    } catch (cause) {
      throw new Unsearchable("It is no whole Parquet file", { cause });
    }
  }

  async #codec(): Promise<string> {
    const read = await this.#connection.runAndReadAll(
      `SELECT any_value(compression) FROM parquet_metadata(${this.#file})`,
    );
    const codec = String(read.getRowsJS()[0]?.[0] ?? "").toLowerCase();
    return ["snappy", "gzip", "zstd", "lz4_raw", "brotli", "uncompressed"].includes(codec) ? codec : "snappy";
  }

  async #rows(select: string, where = ""): Promise<unknown[][]> {
    const read = await this.#connection.runAndReadAll(`${select} FROM ${this.#source} ${where}`);
    return read.getRowsJS() as unknown[][];
  }
}

/** SQL that is true for rows of the subject; undefined where a column is missing. */
function conditionOf(subject: Subject, columns: ReadonlyMap<string, string>): string | undefined {
  const parts = subject.map(({ name, type, value }) => {
    const written = columns.get(name.toLowerCase());
    const asType = TYPES[type];
    // A moment without a zone is UTC, as everywhere.
    const text = type === "timestamp" ? value.replace(/Z$/, "") : value;
    return written && `TRY_CAST(${quoted(written)} AS ${asType}) = CAST(${literal(text)} AS ${asType})`;
  });
  return parts.every((part) => part !== undefined) ? parts.join(" AND ") : undefined;
}
