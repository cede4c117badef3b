import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";

export interface EngineLimits {
  /** A folder of its own for whatever doesn't fit into memory. */
  readonly workFolder: string;
  readonly memoryLimitMb: number;
  readonly threads: number;
}

/** One statement at a time. */
export interface Connection {
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Rows as they come, a few thousand at a time. */
  chunks(sql: string): AsyncIterable<DuckDBDataChunk>;
}

/** DuckDB, cut off from everything but files. */
export interface Engine extends Connection {
  /** For statements beside the engine's own, within its limits. */
  connect(): Promise<Connection>;
  /** Ends whatever runs, with an error. */
  interrupt(): void;
  close(): void;
}

/**
 * Optimizers that take what a Parquet file claims of its values for true: whoever made the file could hide values from every check. Without
 * them a file is read as a whole, as it is anyway where all of its values are looked at.
 */
const CREDULOUS_OPTIMIZERS = "statistics_propagation,filter_pushdown";

/** Has a connection read moments as UTC, and a file as a whole instead of believing what it claims of itself. */
export async function readAsItIs(connection: DuckDBConnection): Promise<void> {
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET disabled_optimizers = '${CREDULOUS_OPTIMIZERS}'`);
}

/** For where nothing is asked for by its value, so that rows can be asked for by their place. */
export const BELIEVE_PLACES = "SET disabled_optimizers = 'statistics_propagation'";

export async function startEngine({ workFolder, memoryLimitMb, threads }: EngineLimits): Promise<Engine> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryLimitMb}MB`,
    threads: String(threads),
    temp_directory: workFolder,
    preserve_insertion_order: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connections: DuckDBConnection[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = await instance.connect();
    connections.push(connection);
    await readAsItIs(connection);
    return {
      run: async (sql) => {
        await connection.run(sql);
      },
      rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects(),
      chunks: (sql) => chunksOf(connection, sql),
    };
  };
  return {
    ...(await connect()),
    connect,
    interrupt: () => {
      for (const connection of connections) connection.interrupt();
    },
    close: () => {
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Of some hundred thousand rows. */
const CHUNKS_KEPT = 200;

/** Chunks are good until the next one is asked for. */
export async function* chunksOf(connection: DuckDBConnection, sql: string): AsyncIterable<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  for (let count = 1; ; count++) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk;
    // What a chunk holds is DuckDB's: to Node it looks like a few bytes, which would not be collected for a long time.
    if (count % CHUNKS_KEPT === 0) collectYoung();
  }
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as NodeJS.GCFunction;
const collectYoung = () => collect({ type: "minor" });

/** A column of numbers or hashes as it lies in memory. Without this a value takes longer to read than to compute. */
export function itemsOf<Kind extends BigUint64Array | Float64Array | Int32Array>(
  chunk: DuckDBDataChunk,
  index: number,
  Kind: abstract new (...args: never[]) => Kind,
): Kind {
  const vector: object = chunk.getColumnVector(index);
  if ("items" in vector && vector.items instanceof Kind) return vector.items;
  throw new TypeError("This release of DuckDB's client keeps its vectors otherwise: see its vectors/*.js");
}
