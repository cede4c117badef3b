import type { DuckDBConnection } from "@duckdb/node-api";
import { isMismatch } from "../dataset/tally.ts";
import { RowBatches } from "./row-batches.ts";

const TABLE = "patterned";

/** By column how many texts don't match, and how many rows have such a text and are not broken already. */
export interface Mismatches {
  readonly counts: readonly number[];
  readonly broken: number;
}

/**
 * Counts texts that don't match the patterns of their columns. By the engine of data validation, so that both say the same of a text,
 * and because RE2 takes linear time for whatever callers sent: one text could keep JavaScript's expressions busy for hours.
 */
export class PatternMismatches {
  readonly #connection: DuckDBConnection;
  readonly #patterns: readonly string[];
  readonly #batches: RowBatches;
  readonly #counts: number[];
  #broken = 0;

  constructor(connection: DuckDBConnection, patterns: readonly string[]) {
    this.#connection = connection;
    this.#patterns = patterns;
    this.#counts = patterns.map(() => 0);
    const columns = ["broken BOOLEAN", ...patterns.map((_, index) => `t${index} VARCHAR`)];
    this.#batches = new RowBatches(connection, TABLE, columns, () => this.#check());
  }

  /** The texts of a row in the order of the patterns, null where there is none to check; and whether it is broken already. */
  async add(texts: readonly (string | null)[], isBroken: boolean): Promise<void> {
    if (texts.every((text) => text === null)) return;
    await this.#batches.add((appender) => {
      appender.appendBoolean(isBroken);
      for (const text of texts) {
        if (text === null) appender.appendNull();
        else appender.appendVarchar(text);
      }
    });
  }

  async finish(): Promise<Mismatches> {
    await this.#batches.finish();
    return { counts: this.#counts, broken: this.#broken };
  }

  async #check(): Promise<void> {
    const conditions = this.#patterns.map((pattern, index) => isMismatch(`t${index}`, pattern));
    const result = await this.#connection.runAndReadAll(
      `SELECT ${conditions.map((condition, index) => `count_if(${condition}) AS n${index}`).join(", ")}, ` +
        `count_if(NOT broken AND (${conditions.join(" OR ")})) AS broken FROM ${TABLE}`,
    );
    const [row = {}] = result.getRowObjects();
    for (const index of this.#patterns.keys()) {
      this.#counts[index] = (this.#counts[index] ?? 0) + Number(row[`n${index}`]);
    }
    this.#broken += Number(row.broken);
  }
}
