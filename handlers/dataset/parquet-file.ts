import { open } from "node:fs/promises";
import { columnFindings } from "./declared-columns.ts";
import { BELIEVE_PLACES, type Connection } from "./engine.ts";
import { explainedByEngine } from "./engine-errors.ts";
import type { DatasetRules } from "./rules.ts";
import type { TableChecker } from "./table-checker.ts";
import { MISFIT_LENGTH, misfitName, valueName } from "./tally.ts";
import { type Finding, refuseCompressed, Unreadable } from "./text-file.ts";
import { fromParquet, parquetTypes, quotedName, quotedText, type TypedColumn } from "./typed-columns.ts";

/** What DuckDB calls a row's place in its file. */
const ROW_NUMBER = "file_row_number";

const MAGIC = "PAR1";
/** Magic, length of the footer, magic. */
const LEAST_BYTES = 12;

/** A page of a few bytes can claim billions of rows: more than these take hours, and no such table fits anybody's training. */
export const MAX_ROWS = 4_000_000_000;
const MAX_UNPACKED_BYTES = 200 * 1024 ** 3;

/** Checks a Parquet file by columns. `path` has no characters that DuckDB would take for a pattern. */
export async function checkParquet(
  path: string,
  connections: readonly Connection[],
  checker: TableChecker,
  rules: DatasetRules,
): Promise<void> {
  await refuseCutOff(path);
  try {
    const [first] = connections as readonly [Connection];
    const { rows, typed } = await typedQuery(path, first, rules);
    // A column of this name hides the number.
    const isNumbered = rules.columns.every(({ name }) => name.toLowerCase() !== ROW_NUMBER);
    const ranges = isNumbered ? await rangesOf(path, rows, connections.length, first) : ["true"];
    const added: Promise<number>[] = [];
    for (const [lane, range] of ranges.entries()) {
      const before = added.at(-1) ?? Promise.resolve();
      const connection = connections[lane] as Connection;
      const adding = checker.add(
        connection,
        typed.table(range),
        (index) => typed.misfits(range, index),
        before,
      );
      // Told below; without this Node would take it for unhandled.
      adding.catch(() => {});
      added.push(adding);
    }
    let read = 0;
    try {
      for (const adding of added) read += await adding;
    } finally {
      await Promise.allSettled(added);
    }
    if (read !== rows) throw new Unreadable(otherRows(rows, read));
  } catch (error) {
    throw explainedByEngine(error);
  }
}

/** Conditions for the rows of each lane: whole row groups, of which DuckDB then reads no other lane's. */
async function rangesOf(
  path: string,
  rows: number,
  lanes: number,
  connection: Connection,
): Promise<string[]> {
  const groups = await connection.rows(
    `SELECT row_group_id AS id, any_value(row_group_num_rows) AS n FROM parquet_metadata(${quotedText(path)}) GROUP BY id ORDER BY id`,
  );
  const total = groups.reduce((sum, { n }) => sum + Number(n), 0);
  if (total !== rows) throw new Unreadable(otherRows(rows, total));
  await connection.run(BELIEVE_PLACES);
  const ranges: string[] = [];
  let start = 0;
  let end = 0;
  for (const { n } of groups) {
    end += Number(n);
    if (end === start || end < (rows / lanes) * (ranges.length + 1)) continue;
    ranges.push(`${ROW_NUMBER} >= ${start} AND ${ROW_NUMBER} < ${end}`);
    start = end;
  }
  return ranges.length === 0 ? ["true"] : ranges;
}

const otherRows = (rows: number, there: number): Finding => ({
  check: "structure",
  code: "parquet_not_whole",
  message: `The file says that it has ${rows} rows, and ${there} are there`,
});

async function refuseCutOff(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size === 0)
      throw new Unreadable({ check: "structure", code: "empty_file", message: "The file is empty" });
    const bytes = Buffer.alloc(16);
    await file.read(bytes, 0, 16, 0);
    refuseCompressed(bytes);
    const start = bytes.toString("latin1", 0, 4);
    await file.read(bytes, 0, 8, Math.max(0, size - 8));
    const footer = bytes.readUInt32LE(0);
    if (
      size < LEAST_BYTES ||
      start !== MAGIC ||
      bytes.toString("latin1", 4, 8) !== MAGIC ||
      footer > size - LEAST_BYTES
    ) {
      throw new Unreadable({
        check: "structure",
        code: "parquet_not_whole",
        message: "The file is no Parquet, or its beginning or end is missing",
      });
    }
  } finally {
    await file.close();
  }
}

/** Queries of the rows for which a condition holds. */
interface TypedQuery {
  readonly table: (condition: string) => string;
  /** What is no value of the type of the column of this index. */
  readonly misfits: (condition: string, index: number) => string;
}

async function typedQuery(
  path: string,
  connection: Connection,
  rules: DatasetRules,
): Promise<{ readonly rows: number; readonly typed: TypedQuery }> {
  const place = quotedText(path);
  const [shape = {}] = await connection.rows(
    `SELECT num_rows AS n, (SELECT sum(total_uncompressed_size) FROM parquet_metadata(${place})) AS bytes
     FROM parquet_file_metadata(${place})`,
  );
  if (Number(shape.n) > MAX_ROWS || Number(shape.bytes) > MAX_UNPACKED_BYTES) {
    throw new Unreadable({
      check: "size",
      code: "too_large_unpacked",
      message: `Unpacked, the file has ${shape.n} rows and ${shape.bytes} bytes: more than a table may have`,
      limit: MAX_ROWS,
    });
  }
  const schema = await connection.rows(`SELECT name, num_children FROM parquet_schema(${place})`);
  const wrong = columnFindings(topLevelNames(schema), rules);
  if (wrong.length > 0) throw new Unreadable(wrong);
  const reading = `read_parquet(${place}, hive_partitioning = false)`;
  const typed = typedColumns(await parquetTypes(connection.rows, path), rules);
  const selected = typed.flatMap(({ value, misfit = "false" }, index) => [
    `${value} AS ${valueName(index)}`,
    `coalesce(${misfit}, false) AS ${misfitName(index)}`,
  ]);
  return {
    rows: Number(shape.n),
    typed: {
      table: (condition) => `(SELECT ${selected.join(", ")} FROM ${reading} WHERE ${condition})`,
      misfits: (condition, index) => {
        const text = `${quotedName(rules.columns[index]?.name ?? "")}::VARCHAR`;
        return `SELECT left(${text}, ${MISFIT_LENGTH}) AS shown FROM ${reading}
          WHERE coalesce(${typed[index]?.misfit ?? "false"}, false) AND ${condition}`;
      },
    },
  };
}

/** The schema is a tree, told depth first: only what stands right below its root is a column. */
function topLevelNames(schema: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names: string[] = [];
  let below = 0;
  for (const { name, num_children } of schema.slice(1)) {
    if (below === 0) names.push(String(name));
    else below--;
    below += Number(num_children ?? 0);
  }
  return names;
}

function typedColumns(stored: ReadonlyMap<string, string>, { columns }: DatasetRules): TypedColumn[] {
  const typed: TypedColumn[] = [];
  const wrong: Finding[] = [];
  for (const column of columns) {
    const type = stored.get(column.name) ?? "";
    const found = fromParquet(column, type, quotedName(column.name));
    if (found !== undefined) typed.push(found);
    else {
      wrong.push({
        check: "type",
        code: "wrong_column_type",
        column: column.name,
        message: `"${column.name}" is stored as ${type.slice(0, MISFIT_LENGTH)}, which is no ${column.type}`,
        limit: column.type,
      });
    }
  }
  if (wrong.length > 0) throw new Unreadable(wrong);
  return typed;
}
