import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";

export interface EngineLimits {
  /** A folder of its own for whatever doesn't fit into memory. */
  readonly workFolder: string;
  readonly memoryLimitMb: number;
  readonly threads: number;
}

/** DuckDB, cut off from everything but files. */
export interface Engine {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Rows as they come, a few thousand at a time. */
  chunks(sql: string): AsyncIterable<DuckDBDataChunk>;
  /** Ends whatever runs, with an error. */
  interrupt(): void;
  close(): void;
}

export async function startEngine({ workFolder, memoryLimitMb, threads }: EngineLimits): Promise<Engine> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryLimitMb}MB`,
    threads: String(threads),
    temp_directory: workFolder,
    preserve_insertion_order: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection: DuckDBConnection = await instance.connect();
  const run = async (sql: string) => {
    await connection.run(sql);
  };
  await run("SET TimeZone = 'UTC'");
  return {
    run,
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects(),
    chunks: async function* (sql) {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    interrupt: () => connection.interrupt(),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A column of numbers or hashes as it lies in memory. Without this a value takes longer to read than to compute. */
export function itemsOf<Kind extends BigUint64Array | Float64Array>(
  chunk: DuckDBDataChunk,
  index: number,
  Kind: abstract new (...args: never[]) => Kind,
): Kind {
  const vector: object = chunk.getColumnVector(index);
  if ("items" in vector && vector.items instanceof Kind) return vector.items;
  throw new TypeError("This release of DuckDB's client keeps its vectors otherwise: see its vectors/*.js");
}
