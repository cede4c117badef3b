import { scanCsv } from "../dataset/csv-structure.ts";
import type { Findings, Judge, Search } from "./findings.ts";
import { csvFields, decoded, Unsearchable } from "./records.ts";
import { Traces } from "./traces.ts";
import { normalized } from "./values.ts";

const INFERENCE_COLUMNS = ["inferenceid", "inference_id", "eventid", "event_id"];

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

export const NO_REGULAR_CSV = "The subject's text stands in it where it is no regular CSV";
const NO_COLUMN = "The subject's text stands in it, but not in a column";

/**
 * Judges records of CSV with a header. What validation would not take for CSV is read leniently as long as it is certain where its
 * records end: a record of the subject then goes as any other. Throws `Unsearchable` for the subject's text elsewhere in it.
 */
export function csvJudge(search: Search, findings: Findings): Judge {
  const { subject, inferences } = search;
  const traces = new Traces(subject);
  const quotes = new Quotes();
  let header: Header | undefined;

  const refuseTraces = (record: Buffer) => {
    if (traces.areIn(record) || hasId(record, inferences)) throw new Unsearchable(NO_REGULAR_CSV);
  };
  const begin = (record: Buffer) => {
    header = headerOf(record, quotes);
    findings.hasColumns = subject.every(({ name }) => header?.columns.has(name.toLowerCase()));
    if (quotes.areBroken) refuseTraces(record);
    if (!findings.hasColumns && traces.hasText(record)) throw new Unsearchable(NO_COLUMN);
  };

  return (record) => {
    if (header === undefined) {
      begin(record);
      return true;
    }
    findings.rows += 1;
    if (!quotes.areRegularIn(record)) {
      refuseTraces(record);
      return true;
    }
    const { columns, count, inferenceAt } = header;
    const mayBeLabel = inferenceAt !== undefined && inferences.size > 0;
    if (!mayBeLabel && !traces.mayBeIn(record)) return true;
    const fields = csvFields(decoded(record));
    const of = (name: string) => fields[columns.get(name.toLowerCase()) ?? -1];
    const isLabel = mayBeLabel && inferences.has(fields[inferenceAt] ?? "");
    const isRow =
      findings.hasColumns && subject.every(({ name, type, value }) => normalized(type, of(name)) === value);
    if (isLabel || isRow) {
      const identifier = search.recordIdentifier && of(search.recordIdentifier);
      if (identifier) findings.records.add(identifier);
      findings.found += 1;
      return false;
    }
    if (fields.length !== count) refuseTraces(record);
    if (!findings.hasColumns && traces.hasText(record)) throw new Unsearchable(NO_COLUMN);
    return true;
  };
}

/** Records of CSV without a header, as `csvJudge` reads them. Throws `Unsearchable`. */
export function fieldsOf(records: readonly Buffer[], traces: Traces): string[][] {
  const quotes = new Quotes();
  return records.map((record) => {
    if (!quotes.areRegularIn(record) && traces.areIn(record)) throw new Unsearchable(NO_REGULAR_CSV);
    return csvFields(decoded(record));
  });
}

interface Header {
  /** Places of the columns by their names in small letters. */
  readonly columns: ReadonlyMap<string, number>;
  readonly count: number;
  readonly inferenceAt: number | undefined;
}

function headerOf(record: Buffer, quotes: Quotes): Header {
  const hasMark = record.subarray(0, 3).equals(BYTE_ORDER_MARK);
  const bytes = hasMark ? record.subarray(3) : record;
  const isRegular = quotes.areRegularIn(bytes);
  const names = csvFields(decoded(bytes)).map((name) => name.trim().toLowerCase());
  const columns = new Map(names.map((name, index) => [name, index]));
  // Then nobody can tell which fields are whose.
  if (!isRegular || columns.size < names.length) quotes.areBroken = true;
  const inferenceAt = INFERENCE_COLUMNS.map((name) => columns.get(name)).find((index) => index !== undefined);
  return { columns, count: names.length, inferenceAt };
}

/** Whether records are cut where RFC 4180 cuts them, as validation reads it. */
class Quotes {
  /** Behind a quote in a wrong place nobody can tell where records end. */
  areBroken = false;
  #scanned: Buffer = Buffer.alloc(0);

  areRegularIn(record: Buffer): boolean {
    if (this.areBroken) return false;
    const cr = record.indexOf(CR);
    const isOfLineEnd = cr === record.length - 2 && record.at(-1) === LF;
    if ((cr === -1 || isOfLineEnd) && !record.includes(QUOTE)) return true;
    if (this.#scanned.length < record.length) this.#scanned = Buffer.allocUnsafeSlow(2 * record.length);
    const { problem } = scanCsv(record, { isLast: true, into: this.#scanned });
    this.areBroken = problem !== undefined && problem.code !== "lone_carriage_return";
    return problem === undefined;
  }
}

const hasId = (record: Buffer, inferences: ReadonlySet<string>) =>
  inferences.size > 0 &&
  decoded(record)
    .split(/[\s",;]+/)
    .some((piece) => inferences.has(piece));
