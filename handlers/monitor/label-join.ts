import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import type { Label } from "./labels.ts";

/** Predictions are joined this many at a time, so that memory doesn't grow with their number. */
const CHUNK_ROWS = 200_000;

/** A prediction as it was captured. */
export interface AskedPrediction {
  readonly inferenceId: string;
  readonly index: number;
  readonly value: string | number;
  readonly score?: number | undefined;
  /** Which variant answered, for comparisons between two. */
  readonly variant: string;
  /** Which model version answered, where it is known. */
  readonly modelVersion?: number | undefined;
  /** Values of the segments, in the order of their columns; null where there is none. */
  readonly segments: readonly (string | null)[];
}

/** A prediction and what turned out to be right. */
export interface LabelledPrediction {
  readonly label: string;
  readonly value: string | number;
  readonly score?: number;
  readonly variant: string;
  readonly modelVersion?: number;
  readonly segments: readonly (string | null)[];
  /** US dollars gained or saved, where the label tells. */
  readonly worth?: number;
}

/** Stable between versions of DuckDB, which its own `hash` is not. */
const key = "md5_number_lower(id || '/' || idx)";

function orNull(appender: DuckDBAppender, value: string | null | undefined): void {
  if (value === null || value === undefined) appender.appendNull();
  else appender.appendVarchar(value);
}

/**
 * Joins labels with predictions by inference id and index: each label with one prediction at most, whatever is brought or captured
 * twice. Of two labels for one prediction the one that was added last counts. Holds its rows in DuckDB, which moves them to disk.
 *
 * First every label, then `settle`, then the predictions of the hours that `hours` names, then the results.
 */
export class LabelJoin {
  readonly #connection: DuckDBConnection;
  readonly #segments: number;
  #labels: DuckDBAppender | undefined;
  #asked: DuckDBAppender | undefined;
  #waiting = 0;
  #sequence = 0;

  constructor(connection: DuckDBConnection, segments: number) {
    this.#connection = connection;
    this.#segments = segments;
  }

  async open(): Promise<void> {
    const segments = Array.from({ length: this.#segments }, (_, index) => `, segment${index} VARCHAR`).join(
      "",
    );
    const prediction = `number DOUBLE, text VARCHAR, score DOUBLE, variant VARCHAR, version INTEGER${segments}`;
    await this.#connection.run(
      "CREATE TABLE brought (id VARCHAR, idx INTEGER, label VARCHAR, worth DOUBLE, predicted BIGINT, place BIGINT)",
    );
    await this.#connection.run("CREATE TABLE counted (key UBIGINT)");
    await this.#connection.run(`CREATE TABLE asked (id VARCHAR, idx INTEGER, ${prediction})`);
    await this.#connection.run(
      `CREATE TABLE joined (id VARCHAR, idx INTEGER, label VARCHAR, worth DOUBLE, ${prediction})`,
    );
    this.#labels = await this.#connection.createAppender("brought");
    this.#asked = await this.#connection.createAppender("asked");
  }

  addLabel({ inferenceId, index, label, value, predictedAt }: Label): void {
    const appender = opened(this.#labels);
    appender.appendVarchar(inferenceId);
    appender.appendInteger(index);
    appender.appendVarchar(label);
    if (value === undefined) appender.appendNull();
    else appender.appendDouble(value);
    if (predictedAt === undefined) appender.appendNull();
    else appender.appendBigInt(BigInt(predictedAt.getTime()));
    appender.appendBigInt(BigInt(this.#sequence++));
    appender.endRow();
  }

  /** Labels that an earlier report counted, as `writeCounted` wrote them. */
  async addCounted(files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(", ");
    await this.#connection.run(`INSERT INTO counted SELECT key FROM read_parquet([${list}])`);
  }

  /**
   * Drops what was counted before, what another label replaces, and what was predicted before the watermark. Returns how many
   * labels wait for their predictions, and how many were dropped for which reason.
   */
  async settle(watermark: Date): Promise<{ waiting: number; repeated: number; late: number }> {
    opened(this.#labels).closeSync();
    this.#labels = undefined;
    const all = await this.#count("brought");
    await this.#connection.run(
      "CREATE TABLE waiting AS SELECT * EXCLUDE (place) FROM brought " +
        `WHERE ${key} NOT IN (SELECT key FROM counted) ` +
        "QUALIFY row_number() OVER (PARTITION BY id, idx ORDER BY place DESC) = 1",
    );
    const once = await this.#count("waiting");
    await this.#connection.run(`DELETE FROM waiting WHERE predicted < ${watermark.getTime()}`);
    const waiting = await this.#count("waiting");
    return { waiting, repeated: all - once, late: once - waiting };
  }

  /** Moments of the predictions that labels wait for, one an hour; and whether some label doesn't tell its own. */
  async moments(): Promise<{ readonly hours: readonly Date[]; readonly someUnknown: boolean }> {
    const rows = await this.#rows(
      "SELECT DISTINCT predicted // 3600000 AS hour FROM waiting ORDER BY hour NULLS LAST",
    );
    const hours = rows.flatMap(({ hour }) => (hour === null ? [] : [new Date(Number(hour) * 3_600_000)]));
    return { hours, someUnknown: hours.length < rows.length };
  }

  async addPrediction(prediction: AskedPrediction): Promise<void> {
    const appender = opened(this.#asked);
    appender.appendVarchar(prediction.inferenceId);
    appender.appendInteger(prediction.index);
    if (typeof prediction.value === "number") {
      appender.appendDouble(prediction.value);
      appender.appendNull();
    } else {
      appender.appendNull();
      appender.appendVarchar(prediction.value);
    }
    if (prediction.score === undefined) appender.appendNull();
    else appender.appendDouble(prediction.score);
    appender.appendVarchar(prediction.variant);
    if (prediction.modelVersion === undefined) appender.appendNull();
    else appender.appendInteger(prediction.modelVersion);
    for (let segment = 0; segment < this.#segments; segment++) orNull(appender, prediction.segments[segment]);
    appender.endRow();
    this.#waiting += 1;
    if (this.#waiting === CHUNK_ROWS) await this.#join();
  }

  /** Every labelled prediction, in an order that doesn't depend on the order in which they came. */
  async results(): Promise<LabelledPrediction[]> {
    await this.#join();
    const result = await this.#connection.stream("SELECT * FROM joined ORDER BY id, idx");
    const joined: LabelledPrediction[] = [];
    for await (const rows of result.yieldRowObjectJs()) {
      for (const row of rows) joined.push(this.#labelled(row));
    }
    return joined;
  }

  /** Names the labels that were counted in a Parquet file, by 64 bits of a hash. */
  async writeCounted(file: string): Promise<void> {
    await this.#connection.run(
      `COPY (SELECT ${key} AS key FROM joined ORDER BY key) TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`,
    );
  }

  async #join(): Promise<void> {
    opened(this.#asked).flushSync();
    this.#waiting = 0;
    const segments = Array.from({ length: this.#segments }, (_, index) => `segment${index}`);
    // By every column: which of two captures counts must not depend on the order in which they come.
    const ordered = ["variant", "text", "number", "score", "version", ...segments];
    await this.#connection.run(
      "INSERT INTO joined SELECT asked.id, asked.idx, label, worth, asked.* EXCLUDE (id, idx) FROM asked " +
        "JOIN waiting ON waiting.id = asked.id AND waiting.idx = asked.idx " +
        `QUALIFY row_number() OVER (PARTITION BY asked.id, asked.idx ORDER BY ${ordered.join(", ")}) = 1`,
    );
    await this.#connection.run(
      "DELETE FROM waiting WHERE EXISTS (FROM asked WHERE asked.id = waiting.id AND asked.idx = waiting.idx)",
    );
    await this.#connection.run("DELETE FROM asked");
  }

  #labelled(row: Readonly<Record<string, unknown>>): LabelledPrediction {
    return {
      label: String(row.label),
      value: row.text === null ? Number(row.number) : String(row.text),
      ...(row.score !== null && { score: Number(row.score) }),
      variant: String(row.variant),
      ...(row.version !== null && { modelVersion: Number(row.version) }),
      segments: Array.from({ length: this.#segments }, (_, index) => {
        const value = row[`segment${index}`];
        return typeof value === "string" ? value : null;
      }),
      ...(row.worth !== null && { worth: Number(row.worth) }),
    };
  }

  async #rows(sql: string) {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJS();
  }

  async #count(table: string): Promise<number> {
    const [row] = await this.#rows(`SELECT count(*) AS rows FROM ${table}`);
    return Number(row?.rows ?? 0);
  }
}

function opened(appender: DuckDBAppender | undefined): DuckDBAppender {
  if (appender === undefined) throw new Error("The join is not open for this any more");
  return appender;
}
