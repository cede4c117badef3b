import pg from "pg";

/** What a store needs of a connection: a pool or the client of a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
  query<Row extends pg.QueryResultRow>(statement: Statement): Promise<pg.QueryResult<Row>>;
}

export interface Statement {
  /**
   * With a name, each connection parses and plans the statement once: for what is asked all the time, where that costs more than
   * running it. One name must always stand for the same text.
   */
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
}

// Counts and sequence numbers stay far below 2^53, so a bigint arrives as a number instead of pg's string.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens a pool of at most `max` connections; the caller ends it. */
export function openPool(databaseUrl: string, max = 10): pg.Pool {
  const pool = new pg.Pool({ connectionString: databaseUrl, max, application_name: "aidlc" });
  // A connection that is being closed while its server shuts down still says so, when nobody of the pool's listens any more; of
  // those in use the query tells, of idle ones the pool.
  pool.on("connect", (client) => client.on("error", () => {}));
  // The loss of an idle connection costs nothing, since the pool opens another; unheard, it would end the process.
  pool.on("error", () => {});
  return pool;
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    // A connection that can't even roll back must not go back to the pool.
    await client.query("rollback").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
