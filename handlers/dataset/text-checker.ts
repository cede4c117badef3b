import { readFileSync } from "node:fs";
import type { ByteSource } from "./byte-source.ts";
import { csvReader, problemInPart } from "./csv-file.ts";
import { columnFindings, unknownColumns } from "./declared-columns.ts";
import type { Connection } from "./engine.ts";
import { explainedByEngine } from "./engine-errors.ts";
import { jsonLinesReader, type KindMisfits } from "./json-lines.ts";
import type { DatasetRules } from "./rules.ts";
import type { TableChecker } from "./table-checker.ts";
import { MISFIT_LENGTH, misfitName, sampleKey, type Tally, valueName } from "./tally.ts";
import {
  type Finding,
  MAX_RECORD_BYTES,
  type PartPlace,
  readText,
  type TextPart,
  Unreadable,
} from "./text-file.ts";
import { fromText, isBareText, quotedText, STORED_AS } from "./typed-columns.ts";

interface TextOptions {
  readonly workFolder: string;
  /** One for each part that is checked at the same time. */
  readonly connections: readonly Connection[];
  readonly partBytes?: number;
}

/** Checks CSV by the header's order of columns. */
export async function checkCsv(
  source: ByteSource,
  checker: TableChecker,
  rules: DatasetRules,
  options: TextOptions,
): Promise<void> {
  let header: readonly string[] = [];
  const reader = csvReader((names) => {
    const wrong = columnFindings(names, rules);
    if (wrong.length > 0) throw new Unreadable(wrong);
    header = names;
    return names.flatMap((name) => rules.columns.filter((column) => column.name === name));
  });
  await readText(
    source,
    reader,
    async (part, place) => {
      const places = rules.columns.map(({ name }) => header.indexOf(name));
      try {
        await addPart(options, checker, rules, { part, ...place, places, emptyQuotesAreNull: true });
      } catch (error) {
        await place.before;
        const problem = problemInPart(readFileSync(place.path), header.length);
        throw problem === undefined ? explainedByEngine(error) : new Unreadable(problem, error);
      }
    },
    { ...options, lanes: options.connections.length },
  );
}

/** Checks JSON lines. Returns what was found besides, once all was read; the tally counts values of another kind as nulls. */
export async function checkJsonLines(
  source: ByteSource,
  checker: TableChecker,
  rules: DatasetRules,
  options: TextOptions,
): Promise<{ readonly tally: Tally; readonly findings: readonly Finding[] }> {
  const reader = jsonLinesReader(rules.columns);
  const places = rules.columns.map((_, index) => index);
  await readText(
    source,
    reader,
    async (part, place) => {
      try {
        await addPart(options, checker, rules, { part, ...place, places, emptyQuotesAreNull: false });
      } catch (error) {
        throw explainedByEngine(error);
      }
    },
    { ...options, lanes: options.connections.length },
  );
  const { count, names } = reader.unknownKeys();
  return {
    tally: withMisfits(checker.tally(), reader.misfits()),
    findings: unknownColumns(count, names, rules.classification),
  };
}

interface WrittenPart extends PartPlace {
  readonly part: TextPart;
  /** Where each declared column stands in the file. */
  readonly places: readonly number[];
  readonly emptyQuotesAreNull: boolean;
}

async function addPart(
  { connections }: TextOptions,
  checker: TableChecker,
  rules: DatasetRules,
  written: WrittenPart,
): Promise<void> {
  const { isCanonical, records } = written.part;
  const connection = connections[written.lane] as Connection;
  const rows = isCanonical
    ? await checker.add(connection, canonicalTable(rules, written), noMisfits, written.before)
    : await addTexts(connection, checker, rules, written);
  if (rows === records) return;
  // DuckDB leaves out a last record that is too long, and says nothing.
  throw new Error(
    `DuckDB read ${rows} of ${records} records: this is a fault of the reader, not of the file`,
  );
}

/** Looks at what is written as text. The table comes first: what fails while it is filled was not counted yet. */
async function addTexts(
  connection: Connection,
  checker: TableChecker,
  rules: DatasetRules,
  written: WrittenPart,
): Promise<number> {
  const { bytes, hasLineEndInQuotes } = written.part;
  const isBare = !hasLineEndInQuotes && isBareText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const load = async (how: Reading) => {
    // First, so that there are never two.
    await connection.run("DROP TABLE IF EXISTS part");
    await connection.run(`CREATE TEMP TABLE part AS ${typedSelect(rules, written, { ...how, isBare })}`);
  };
  let used: Reading = USUAL;
  try {
    await load(USUAL);
  } catch (error) {
    if (bytes.length <= USUAL.recordBytes) throw error;
    used = LARGE;
    // One at a time, for its memory.
    await written.before;
    await load(LARGE);
  }
  const misfits = (index: number) => misfitTexts(rules, written, { ...used, isBare }, index);
  return checker.add(connection, "part", misfits, written.before);
}

interface Reading {
  readonly recordBytes: number;
  readonly bufferBytes: number;
}

/** Canonical records are no longer than this. */
const SHORT: Reading = { recordBytes: 1_100_000, bufferBytes: 4_000_000 };
/** Big enough for nearly every record; parts with longer ones are read once more with more memory. */
const USUAL: Reading = { recordBytes: 2_000_000, bufferBytes: 8_000_000 };
const LARGE: Reading = { recordBytes: MAX_RECORD_BYTES, bufferBytes: 4 * MAX_RECORD_BYTES };

type Typing = Reading & { readonly isBare: boolean };

/** Columns of the file as `c<i>`, of these types. */
function csvTable(types: readonly string[], { path, emptyQuotesAreNull }: WrittenPart, how: Reading): string {
  const columns = types.map((type, index) => `'c${index}': '${type}'`).join(", ");
  return `read_csv(${quotedText(path)}, auto_detect = false, header = false, columns = {${columns}}, delim = ',',
      quote = '"', escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = ${emptyQuotesAreNull},
      strict_mode = true, null_padding = false, compression = 'none', parallel = false,
      max_line_size = ${how.recordBytes}, buffer_size = ${how.bufferBytes})`;
}

/** Records that are canonical have the values that DuckDB's own reader finds. */
function canonicalTable({ columns }: DatasetRules, written: WrittenPart): string {
  const { places } = written;
  const types = columns.map((_, place) => STORED_AS[columns[places.indexOf(place)]?.type ?? "string"]);
  const values = columns.flatMap(({ type }, index) => [
    `c${places[index]} AS ${valueName(index)}`,
    ...(type === "string" ? [] : [`false AS ${misfitName(index)}`]),
  ]);
  return `(SELECT ${values.join(", ")} FROM ${csvTable(types, written, SHORT)})`;
}

const noMisfits = () => "SELECT '' AS shown LIMIT 0";

/** Texts of the file as `c<i>`, and beside them what they are as values of the declared types. */
function typedTexts({ columns }: DatasetRules, written: WrittenPart, how: Typing) {
  const typed = columns.map((column, index) =>
    fromText(column, `c${written.places[index]}`, valueName(index), how.isBare),
  );
  const types = columns.map(() => STORED_AS.string);
  const query = `(SELECT *, ${typed.map(({ value }, index) => `${value} AS ${valueName(index)}`).join(",\n")}
    FROM ${csvTable(types, written, how)})`;
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
