import { isUtf8 } from "node:buffer";
import { csvFields, RecordSplitter, Unsearchable } from "./records.ts";
import type { Subject } from "./request.ts";
import { normalized } from "./values.ts";

/** How rows are written in an object. */
export type TextKind = "csv" | "jsonl" | "captures" | "labels-csv" | "labels-jsonl";

/** What else rows are looked for by, and told of. */
export interface Search {
  readonly subject: Subject;
  /** Names of all columns of the data set, in their order. */
  readonly columns: readonly string[];
  /** The column whose values name records of the feature store. */
  readonly recordIdentifier?: string | undefined;
  /** Ids of predictions that are the subject's: labels of these are, too. */
  readonly inferences: ReadonlySet<string>;
}

/** What was found in an object. */
export interface Findings {
  rows: number;
  /** Rows of the subject. */
  found: number;
  /** False where the object has none of the subject's columns, so that no row in it can be told to be anybody's. */
  hasColumns: boolean;
  readonly records: Set<string>;
  readonly inferences: Set<string>;
}

export const noFindings = (): Findings => ({
  rows: 0,
  found: 0,
  hasColumns: true,
  records: new Set(),
  inferences: new Set(),
});

/** Whether a record is kept. */
type Judge = (record: Buffer) => boolean;

/**
 * Splits a file into records and tells which are not the subject's: `push` and `end` give what is kept, byte by byte. Counts into
 * `findings`. Throws `Unsearchable` where the text of the subject stands in something that is no row.
 */
export class RowFilter {
  readonly findings = noFindings();
  readonly #splitter: RecordSplitter;
  readonly #isKept: Judge;

  constructor(kind: TextKind, search: Search) {
    const isCsv = kind === "csv" || kind === "labels-csv";
    this.#splitter = new RecordSplitter(isCsv);
    this.#isKept = isCsv
      ? csvJudge(search, this.findings)
      : kind === "jsonl"
        ? lineJudge(search, this.findings)
        : eventJudge(search, this.findings);
  }

  push(chunk: Buffer): Buffer[] {
    return this.#splitter.push(chunk).filter(this.#isKept);
  }

  end(): Buffer[] {
    return this.#splitter.end().filter(this.#isKept);
  }
}

/** Text of the subject as bytes, in the encodings that files come in. Numbers stand in too many places to be told by their text. */
export const textOf = (subject: Subject): Buffer[] =>
  subject
    .filter(({ type }) => type === "string")
    .flatMap(({ value }) =>
      (["utf8", "latin1", "utf16le"] as const).map((encoding) => Buffer.from(value, encoding)),
    );

const decoded = (record: Buffer): string => record.toString(isUtf8(record) ? "utf8" : "latin1");

const INFERENCE_COLUMNS = ["inferenceid", "inference_id", "eventid", "event_id"];

function csvJudge(search: Search, findings: Findings): Judge {
  const { subject, inferences } = search;
  const needles = textOf(subject);
  let header: Map<string, number> | undefined;
  return (record) => {
    if (header === undefined) {
      header = headerOf(record);
      findings.hasColumns = subject.every(({ name }) => header?.has(name.toLowerCase()));
      return true;
    }
    findings.rows += 1;
    const at = header;
    const inferenceAt = INFERENCE_COLUMNS.map((name) => at.get(name)).find((index) => index !== undefined);
    if (!findings.hasColumns && inferenceAt === undefined) {
      refuseText(record, needles);
      return true;
    }
    const fields = csvFields(decoded(record));
    const isLabel = inferenceAt !== undefined && inferences.has(fields[inferenceAt] ?? "");
    const isRow =
      findings.hasColumns &&
      subject.every(
        ({ name, type, value }) => normalized(type, fields[at.get(name.toLowerCase()) ?? -1]) === value,
      );
    if (!isLabel && !isRow) return true;
    const identifier = search.recordIdentifier && fields[at.get(search.recordIdentifier.toLowerCase()) ?? -1];
    if (identifier) findings.records.add(identifier);
    findings.found += 1;
    return false;
  };
}

function headerOf(record: Buffer): Map<string, number> {
  const names = csvFields(decoded(record).replace(/^\uFEFF/, ""));
  return new Map(names.map((name, index) => [name.trim().toLowerCase(), index]));
}

function refuseText(record: Buffer, needles: readonly Buffer[]): void {
  if (needles.some((needle) => record.includes(needle))) {
    throw new Unsearchable("The subject's text stands in it, but not in a column");
  }
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Numbers as they are written: an integer of 64 bits is more than a double holds. */
const exactNumbers = (_: string, value: unknown, { source }: { source?: string } = {}) =>
  typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined ? source : value;

/** Only for subjects that need it: with it, parsing takes ten times as long. A smaller integer is never the rounding of a larger one. */
const reviverFor = (subject: Subject) =>
  subject.some(({ type, value }) => type === "integer" && !Number.isSafeInteger(Number(value)))
    ? exactNumbers
    : undefined;

function parsed(record: Buffer, subject: Subject): unknown {
  try {
    return JSON.parse(decoded(record).replace(/^\uFEFF/, ""), reviverFor(subject));
  } catch {
    return undefined;
  }
}

/** A line without the text and without escapes can't hold the text: it needn't be parsed. */
const BACKSLASH = 0x5c;

function mayHold(record: Buffer, needles: readonly Buffer[]): boolean {
  return (
    needles.length === 0 || record.includes(BACKSLASH) || needles.some((needle) => record.includes(needle))
  );
}

/** Whether an object has all of the subject's values under the names of their columns. */
function isSubject(row: Json, subject: Subject): boolean {
  const names = new Map(Object.keys(row).map((name) => [name.toLowerCase(), name]));
  return subject.every(({ name, type, value }) => {
    const written = names.get(name.toLowerCase());
    return written !== undefined && normalized(type, row[written]) === value;
  });
}

function lineJudge({ subject, recordIdentifier }: Search, findings: Findings): Judge {
  const needles = textOf(subject);
  return (record) => {
    findings.rows += 1;
    if (!mayHold(record, needles)) return true;
    const row = parsed(record, subject);
    if (!isObject(row)) {
      refuseText(record, needles);
      return true;
    }
    if (!isSubject(row, subject)) return true;
    const identifier = recordIdentifier === undefined ? undefined : row[recordIdentifier];
    if (identifier !== undefined && identifier !== null) findings.records.add(String(identifier));
    findings.found += 1;
    return false;
  };
}

/**
 * Lines of data capture and of labels (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html). A
 * request of several rows goes as a whole: what is left of it would match no answer.
 */
function eventJudge(search: Search, findings: Findings): Judge {
  const { inferences } = search;
  return (record) => {
    findings.rows += 1;
    const event = parsed(record, search.subject);
    if (!isObject(event)) {
      refuseText(record, textOf(search.subject));
      return true;
    }
    const ids = inferencesOf(event);
    const capture = isObject(event.captureData) ? event.captureData : {};
    const isFound =
      ids.some((id) => inferences.has(id)) ||
      isSubject(event, search.subject) ||
      Object.values(capture).some((part) => isObject(part) && holdsSubject(part, search));
    if (!isFound) return true;
    for (const id of ids) findings.inferences.add(id);
    findings.found += 1;
    return false;
  };
}

function inferencesOf(event: Json): string[] {
  const { inferenceId, eventId } = isObject(event.eventMetadata) ? event.eventMetadata : event;
  return [inferenceId, eventId].filter((id) => typeof id === "string");
}

/** `part`: what went in, or what came out, `{ data, encoding, … }`. */
function holdsSubject({ data, encoding }: Json, search: Search): boolean {
  if (typeof data !== "string") return anyObject(data, search.subject);
  const text = encoding === "BASE64" ? Buffer.from(data, "base64").toString() : data;
  try {
    return anyObject(JSON.parse(text, reviverFor(search.subject)), search.subject);
  } catch {
    return csvRows(text).some((fields) => isSubjectByPlace(fields, search));
  }
}

function anyObject(value: unknown, subject: Subject): boolean {
  if (Array.isArray(value)) return value.some((item) => anyObject(item, subject));
  if (!isObject(value)) return false;
  return isSubject(value, subject) || Object.values(value).some((item) => anyObject(item, subject));
}

function csvRows(text: string): string[][] {
  const splitter = new RecordSplitter(true);
  return [...splitter.push(Buffer.from(text)), ...splitter.end()].map((record) =>
    csvFields(record.toString()),
  );
}

/**
 * Requests in CSV have no header and leave the target out, which only the training program knows: a column stands at its own place,
 * or one before it.
 */
function isSubjectByPlace(fields: readonly string[], { subject, columns }: Search): boolean {
  return subject.every(({ name, type, value }) => {
    const place = columns.indexOf(name);
    return normalized(type, fields[place]) === value || normalized(type, fields[place - 1]) === value;
  });
}
