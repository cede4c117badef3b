import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";

/** Rows are looked at this many at a time, so that memory doesn't grow with their number. */
const BATCH_ROWS = 100_000;

/** Rows that come one by one, and are looked at in a table that holds a batch of them. */
export class RowBatches {
  readonly #connection: DuckDBConnection;
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #look: () => Promise<void>;
  #appender: DuckDBAppender | undefined;
  #waiting = 0;

  /** `table` is a name of letters that nothing else of the connection has, `columns` are as in CREATE TABLE; `look` at each batch. */
  constructor(
    connection: DuckDBConnection,
    table: string,
    columns: readonly string[],
    look: () => Promise<void>,
  ) {
    this.#connection = connection;
    this.#table = table;
    this.#columns = columns;
    this.#look = look;
  }

  /** A row whose values `append` appends, all of them. */
  async add(append: (appender: DuckDBAppender) => void): Promise<void> {
    this.#appender ??= await this.#open();
    append(this.#appender);
    this.#appender.endRow();
    this.#waiting += 1;
    if (this.#waiting === BATCH_ROWS) await this.#lookAtBatch();
  }

  /** When every row was looked at. */
  async finish(): Promise<void> {
    if (this.#waiting > 0) await this.#lookAtBatch();
    this.#appender?.closeSync();
  }

  async #open(): Promise<DuckDBAppender> {
    await this.#connection.run(`CREATE TABLE ${this.#table} (${this.#columns.join(", ")})`);
    return this.#connection.createAppender(this.#table);
  }

  async #lookAtBatch(): Promise<void> {
    this.#appender?.flushSync();
    this.#waiting = 0;
    await this.#look();
    await this.#connection.run(`TRUNCATE ${this.#table}`);
  }
}
