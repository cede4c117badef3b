import { readFileSync } from "node:fs";
import type { ByteSource } from "./byte-source.ts";
import { csvReader, problemInPart } from "./csv-file.ts";
import { columnFindings, unknownColumns } from "./declared-columns.ts";
import type { Engine } from "./engine.ts";
import { explainedByEngine } from "./engine-errors.ts";
import { jsonLinesReader, type KindMisfits } from "./json-lines.ts";
import type { DatasetRules } from "./rules.ts";
import type { TableChecker } from "./table-checker.ts";
import { MISFIT_LENGTH, misfitName, sampleKey, type Tally, valueName } from "./tally.ts";
import { type Finding, MAX_RECORD_BYTES, readText, type TextPart, Unreadable } from "./text-file.ts";
import { fromText, isBareText, quotedText } from "./typed-columns.ts";

interface TextOptions {
  readonly workFolder: string;
  readonly partBytes?: number;
}

/** Checks CSV by the header's order of columns. */
export async function checkCsv(
  source: ByteSource,
  engine: Engine,
  checker: TableChecker,
  rules: DatasetRules,
  options: TextOptions,
): Promise<void> {
  let header: readonly string[] = [];
  const reader = csvReader((names) => {
    const wrong = columnFindings(names, rules);
    if (wrong.length > 0) throw new Unreadable(wrong);
    header = names;
  });
  await readText(
    source,
    reader,
    async (part, path) => {
      const places = rules.columns.map(({ name }) => header.indexOf(name));
      try {
        await addPart(engine, checker, rules, { part, path, places, emptyQuotesAreNull: true });
      } catch (error) {
        const problem = problemInPart(readFileSync(path), header.length);
        throw problem === undefined ? explainedByEngine(error) : new Unreadable(problem, error);
      }
    },
    options,
  );
}

/** Checks JSON lines. Returns what was found besides, once all was read; the tally counts values of another kind as nulls. */
export async function checkJsonLines(
  source: ByteSource,
  engine: Engine,
  checker: TableChecker,
  rules: DatasetRules,
  options: TextOptions,
): Promise<{ readonly tally: Tally; readonly findings: readonly Finding[] }> {
  const reader = jsonLinesReader(rules.columns);
  const places = rules.columns.map((_, index) => index);
  await readText(
    source,
    reader,
    async (part, path) => {
      try {
        await addPart(engine, checker, rules, { part, path, places, emptyQuotesAreNull: false });
      } catch (error) {
        throw explainedByEngine(error);
      }
    },
    options,
  );
  const { count, names } = reader.unknownKeys();
  return {
    tally: withMisfits(checker.tally(), reader.misfits()),
    findings: unknownColumns(count, names, rules.classification),
  };
}

interface WrittenPart {
  readonly part: TextPart;
  readonly path: string;
  /** Where each declared column stands in the file. */
  readonly places: readonly number[];
  readonly emptyQuotesAreNull: boolean;
}

async function addPart(
  engine: Engine,
  checker: TableChecker,
  rules: DatasetRules,
  written: WrittenPart,
): Promise<void> {
  const { bytes, isSplittable, records } = written.part;
  const isBare = isSplittable && isBareText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const reading = isSplittable ? PARALLEL : ALONE;
  const load = async (how: Reading) => {
    // First, so that there are never two.
    await engine.run("DROP TABLE IF EXISTS part");
    await engine.run(`CREATE TEMP TABLE part AS ${typedSelect(rules, written, { ...how, isBare })}`);
  };
  let used: Reading = reading;
  try {
    await load(reading);
  } catch (error) {
    if (bytes.length <= reading.recordBytes) throw error;
    used = LARGE;
    await load(LARGE);
  }
  await proveRows(engine, records);
  await checker.add("part", (index) => misfitTexts(rules, written, { ...used, isBare }, index));
}

/** DuckDB must have read as many records as were counted: it leaves out a last one that is too long, and says nothing. */
async function proveRows(engine: Engine, records: number): Promise<void> {
  const [row = {}] = await engine.rows("SELECT count(*) AS n FROM part");
  if (Number(row.n) === records) return;
  throw new Error(
    `DuckDB read ${row.n} of ${records} records: this is a fault of the reader, not of the file`,
  );
}

interface Reading {
  readonly recordBytes: number;
  readonly bufferBytes: number;
  readonly parallel: boolean;
}

/** Big enough for nearly every record; parts with longer ones are read once more with more memory. */
const PARALLEL: Reading = { recordBytes: 2_000_000, bufferBytes: 8_000_000, parallel: true };
const ALONE: Reading = { ...PARALLEL, parallel: false };
const LARGE: Reading = { recordBytes: MAX_RECORD_BYTES, bufferBytes: 4 * MAX_RECORD_BYTES, parallel: false };

type Typing = Reading & { readonly isBare: boolean };

/** Texts of the file as `c<i>`, and beside them what they are as values of the declared types. */
function typedTexts(
  { columns }: DatasetRules,
  { path, places, emptyQuotesAreNull }: WrittenPart,
  how: Typing,
) {
  const typed = columns.map((column, index) =>
    fromText(column, `c${places[index]}`, valueName(index), how.isBare),
  );
  const names = columns.map((_, index) => `'c${index}': 'VARCHAR'`).join(", ");
  const query = `(SELECT *, ${typed.map(({ value }, index) => `${value} AS ${valueName(index)}`).join(",\n")}
    FROM read_csv(${quotedText(path)}, auto_detect = false, header = false, columns = {${names}}, delim = ',',
      quote = '"', escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = ${emptyQuotesAreNull},
      strict_mode = true, null_padding = false, compression = 'none', parallel = ${how.parallel},
      max_line_size = ${how.recordBytes}, buffer_size = ${how.bufferBytes}))`;
  return { typed, query };
}

function typedSelect(rules: DatasetRules, written: WrittenPart, how: Typing): string {
  const { typed, query } = typedTexts(rules, written, how);
  const kept = typed.flatMap(({ misfit }, index) => [
    valueName(index),
    ...(misfit === undefined ? [] : [`coalesce(${misfit}, false) AS ${misfitName(index)}`]),
  ]);
  return `SELECT ${kept.join(", ")} FROM ${query}`;
}

/** What stands where no value of the column's type does. The table holds no texts of it: they would take most of its room. */
function misfitTexts(rules: DatasetRules, written: WrittenPart, how: Typing, index: number): string {
  const { typed, query } = typedTexts(rules, written, how);
  return `SELECT left(c${written.places[index]}, ${MISFIT_LENGTH}) AS shown FROM ${query} WHERE ${typed[index]?.misfit}`;
}

/** What the reader found to be of another kind was handed on as a null, and is none. */
function withMisfits(tally: Tally, { counts, samples }: KindMisfits): Tally {
  const added = Object.fromEntries(
    samples
      .map((values, index) => [sampleKey("misfit", index), values] as const)
      .filter(([, values]) => values.length > 0),
  );
  return {
    ...tally,
    columns: tally.columns.map(({ values, violations }, index) => ({
      values,
      violations: { ...violations, misfit: (violations.misfit ?? 0) + (counts[index] ?? 0) },
    })),
    samples: { ...tally.samples, ...added },
  };
}
