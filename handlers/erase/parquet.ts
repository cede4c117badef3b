import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { readAsItIs } from "../dataset/engine.ts";
import { isOfContent } from "../dataset/engine-errors.ts";
import { fromParquet } from "../dataset/typed-columns.ts";
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

/** What a process is asked about a Parquet file: to search it, or to write it again without the subject's rows. */
export interface ParquetRequest {
  readonly file: string;
  readonly memoryLimitMb: number;
  readonly search: Pick<Search, "subject" | "recordIdentifier">;
  /** Where it is written again. */
  readonly target?: string;
}

export type ParquetAnswer = { readonly findings: Findings } | { readonly unsearchable: string };

/** What the process does. */
export async function readParquet({
  file,
  memoryLimitMb,
  search,
  target,
}: ParquetRequest): Promise<ParquetAnswer> {
  try {
    const findings = await withParquet(file, memoryLimitMb, async (parquet) => {
      if (target === undefined) return parquet.search(search);
      await parquet.rewrite(search.subject, target);
      return noFindings();
    });
    return { findings };
  } catch (error) {
    if (error instanceof Unsearchable) return { unsearchable: error.message };
    throw error;
  }
}

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

interface StoredColumn {
  readonly name: string;
  /** DuckDB's. */
  readonly type: string;
}

/** The methods throw `Unsearchable` for a file that is no whole Parquet file. */
export class Parquet {
  readonly #connection: DuckDBConnection;
  readonly #file: string;
  readonly #source: string;

  constructor(connection: DuckDBConnection, file: string) {
    this.#connection = connection;
    this.#file = literal(file);
    this.#source = `read_parquet(${this.#file}, hive_partitioning = false)`;
  }

  /** Counts rows and those of the subject. */
  async search({ subject, recordIdentifier }: ParquetRequest["search"]): Promise<Findings> {
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
        `SELECT DISTINCT ${quoted(identifier.name)}::VARCHAR`,
        `WHERE ${condition}`,
      );
      for (const [record] of records) if (typeof record === "string") findings.records.add(record);
    }
    return { ...findings, rows: Number(rows), found: Number(found) };
  }

  /** Writes the file again without the subject's rows, in the order and with the types that it has. */
  async rewrite(subject: Subject, target: string): Promise<void> {
    const condition = conditionOf(subject, await this.#columns());
    await this.#ask(
      `COPY (SELECT * FROM ${this.#source} WHERE (${condition}) IS NOT TRUE) TO ${literal(target)} (FORMAT parquet, COMPRESSION ${await this.#codec()})`,
    );
  }

  async #columns(): Promise<ReadonlyMap<string, StoredColumn>> {
    const described = await this.#ask(`DESCRIBE SELECT * FROM ${this.#source}`);
    return new Map(
      described.map(([name, type]) => [
        String(name).toLowerCase(),
        { name: String(name), type: String(type) },
      ]),
    );
  }

  async #codec(): Promise<string> {
    const [[compression] = []] = await this.#ask(
      `SELECT any_value(compression) FROM parquet_metadata(${this.#file})`,
    );
    const codec = String(compression ?? "").toLowerCase();
    return ["snappy", "gzip", "zstd", "lz4_raw", "brotli", "uncompressed"].includes(codec) ? codec : "snappy";
  }

  #rows(select: string, where = ""): Promise<unknown[][]> {
    return this.#ask(`${select} FROM ${this.#source} ${where}`);
  }

  async #ask(sql: string): Promise<unknown[][]> {
    try {
      return (await this.#connection.runAndReadAll(sql)).getRowsJS() as unknown[][];
    } catch (error) {
      throw explained(error as Error);
    }
  }
}

/** All that differs from one statement to the next is the file: it is the cause of every error but of trouble with the disk. */
function explained(error: Error): Error {
  // DuckDB's client tells the kind of an error only by how its message begins.
  if (error.message.startsWith("IO Error") && !isOfContent(error.message)) return error;
  const reason = error.message.startsWith("Out of Memory Error")
    ? "It is a Parquet file that takes more memory to read than there is"
    : "It is no whole Parquet file";
  return new Unsearchable(reason, { cause: error });
}

/** SQL that is true for rows of the subject; undefined where a column is missing. */
function conditionOf(subject: Subject, columns: ReadonlyMap<string, StoredColumn>): string | undefined {
  const parts = subject.map((column) => {
    const stored = columns.get(column.name.toLowerCase());
    const asType = TYPES[column.type];
    // A moment without a zone is UTC, as everywhere.
    const text = column.type === "timestamp" ? column.value.replace(/Z$/, "") : column.value;
    return stored && `${comparable(column, stored)} = CAST(${literal(text)} AS ${asType})`;
  });
  return parts.every((part) => part !== undefined) ? parts.join(" AND ") : undefined;
}

function comparable({ name, type }: SubjectColumn, stored: StoredColumn): string {
  const column = quoted(stored.name);
  const cast = `TRY_CAST(${column} AS ${TYPES[type]})`;
  if (type !== "timestamp" || stored.type !== "VARCHAR") return cast;
  // DuckDB's cast ignores the zone of a text; what validation would not take for a moment is left to it.
  return `coalesce(${fromParquet({ name, type, nullable: true }, stored.type, column)?.value}, ${cast})`;
}
