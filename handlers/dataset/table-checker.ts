import { join } from "node:path";
import { type Connection, itemsOf } from "./engine.ts";
import type { Profile } from "./profile.ts";
import { Profiler } from "./profiler.ts";
import { DuplicateCounter, rowHashes } from "./row-hashes.ts";
import type { DatasetRules } from "./rules.ts";
import { SAMPLES } from "./samples.ts";
import { Spill } from "./spill.ts";
import {
  addTallies,
  emptyTally,
  MISFIT_LENGTH,
  sampleKey,
  type Tally,
  tallyCounter,
  tallyExpressions,
  valueName,
  violationsOf,
} from "./tally.ts";

const NUMBERS_KEPT_BYTES = 1 << 20;
/** Rows that are looked through for different samples. */
const SAMPLED_ROWS = 200;

/** What the rows of one file come to, part by part. */
export interface TableChecker {
  /**
   * Counts the rows of a table, or of a query in parentheses, as `tally.ts` describes it, in one scan, and returns their number. `misfits`
   * is a query of what stands in the column of this index and is no value of its type, as `shown`. Parts may be added at the same time,
   * each by a connection of its own: what they come to is kept when what is `before` them has ended, and not when that failed.
   */
  add(
    connection: Connection,
    table: string,
    misfits: (index: number) => string,
    before: Promise<unknown>,
  ): Promise<number>;
  tally(): Tally;
  profile(): Profile;
  /** Rows that equal an earlier one. */
  duplicates(): number;
  /** The same by each declared key. */
  keyDuplicates(): readonly number[];
  /** Numbers of the column of `quality.anomalies` at this index. */
  numbers(index: number): Iterable<Float64Array>;
  close(): void;
}

export function tableChecker(rules: DatasetRules, workFolder: string): TableChecker {
  const { columns, keys = [], quality } = rules;
  const indexOf = (name: string) => columns.findIndex((column) => column.name === name);
  const all = columns.map((_, index) => index);
  const counted = [all, ...keys.map((key) => key.map(indexOf))];
  const counters = counted.map((_, index) => new DuplicateCounter(workFolder, `hashes-${index}`));
  const hashes = counted.flatMap((indexes) =>
    rowHashes(indexes.map((index) => ({ sql: valueName(index), isText: columns[index]?.type === "string" }))),
  );
  const scaled = (quality.anomalies ?? []).map(({ column }, index) => ({
    value: valueName(indexOf(column)),
    numbers: new Spill(join(workFolder, `numbers-${index}`), NUMBERS_KEPT_BYTES),
  }));
  const profiler = new Profiler(columns, valueName);
  const tallied = tallyExpressions(rules);
  const streamed = [
    ...hashes,
    ...scaled.map(({ value }) => `coalesce(${value}::DOUBLE, 'NaN'::DOUBLE)`),
    ...tallied,
    ...profiler.expressions,
  ];
  const places = { numbers: hashes.length, tallied: hashes.length + scaled.length };
  let tally = emptyTally(rules);

  const count = async (connection: Connection, table: string): Promise<Tally> => {
    const counter = tallyCounter(rules);
    for await (const chunk of connection.chunks(`SELECT ${streamed.join(",\n")} FROM ${table}`)) {
      for (const [index, hashed] of counters.entries()) {
        hashed.add(itemsOf(chunk, 2 * index, BigUint64Array), itemsOf(chunk, 2 * index + 1, BigUint64Array));
      }
      for (const [index, { numbers }] of scaled.entries()) {
        const items = itemsOf(chunk, places.numbers + index, Float64Array);
        numbers.append(new Uint8Array(items.buffer, items.byteOffset, items.byteLength));
      }
      counter.add(chunk, places.tallied);
      profiler.add(chunk, places.tallied + tallied.length);
    }
    return counter.tally();
  };

  const collectSamples = async (
    connection: Connection,
    part: Tally,
    table: string,
    misfits: (index: number) => string,
  ): Promise<Tally["samples"]> => {
    const samples: Record<string, readonly string[]> = {};
    for (const [index, column] of columns.entries()) {
      for (const [violation, condition] of violationsOf(column, index)) {
        const key = sampleKey(violation, index);
        const isFull = (tally.samples[key] ?? []).length >= SAMPLES;
        if (isFull || (part.columns[index]?.violations[violation] ?? 0) === 0) continue;
        const value = `left(${valueName(index)}::VARCHAR, ${MISFIT_LENGTH})`;
        const query =
          violation === "misfit"
            ? misfits(index)
            : // A bare comparison would be decided by what a Parquet file claims of its values.
              `SELECT ${value} AS shown FROM ${table} WHERE coalesce(${condition}, false)`;
        const rows = await connection.rows(`${query} LIMIT ${SAMPLED_ROWS}`);
        samples[key] = [...new Set(rows.map((row) => String(row.shown)))].slice(0, SAMPLES);
      }
    }
    return samples;
  };

  return {
    add: async (connection, table, misfits, before) => {
      const part = await count(connection, table);
      await before;
      const samples = await collectSamples(connection, part, table, misfits);
      tally = addTallies(tally, { ...part, samples });
      return part.rows;
    },
    tally: () => tally,
    profile: () => profiler.profile(),
    duplicates: () => counters[0]?.duplicates() ?? 0,
    keyDuplicates: () => counters.slice(1).map((counter) => counter.duplicates()),
    numbers: function* (index) {
      for (const block of scaled[index]?.numbers.blocks() ?? []) {
        const items = new Float64Array(block.buffer, block.byteOffset, block.length / 8);
        yield items.filter((item) => !Number.isNaN(item));
      }
    },
    close: () => {
      for (const counter of counters) counter.close();
      for (const { numbers } of scaled) numbers.close();
    },
  };
}
