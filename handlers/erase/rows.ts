import { csvJudge, fieldsOf } from "./csv-rows.ts";
import { type Findings, type Judge, noFindings, type Search } from "./findings.ts";
import {
  isObject,
  isSubject,
  type Json,
  lineJudge,
  NO_PLAIN_OBJECT,
  parsed,
  reviverFor,
} from "./json-rows.ts";
import { RecordSplitter, Unsearchable } from "./records.ts";
import type { Subject } from "./request.ts";
import { Traces } from "./traces.ts";
import { normalized } from "./values.ts";

/** How rows are written in an object. */
export type TextKind = "csv" | "jsonl" | "captures" | "labels-csv" | "labels-jsonl";

/**
 * Splits a file into records and tells which are not the subject's: `push` and `end` give what is kept, byte by byte. Counts into
 * `findings`. Throws `Unsearchable` where the text of the subject stands in something that is no row of a table.
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

/**
 * Lines of data capture and of labels (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html). A
 * request of several rows goes as a whole: what is left of it would match no answer.
 */
function eventJudge(search: Search, findings: Findings): Judge {
  const { inferences } = search;
  const traces = new Traces(search.subject);
  return (record) => {
    findings.rows += 1;
    const event = parsed(record, search.subject);
    if (!isObject(event)) {
      if (traces.areIn(record)) throw new Unsearchable(NO_PLAIN_OBJECT);
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
    return csvRows(text, search.subject).some((fields) => isSubjectByPlace(fields, search));
  }
}

function anyObject(value: unknown, subject: Subject): boolean {
  if (Array.isArray(value)) return value.some((item) => anyObject(item, subject));
  if (!isObject(value)) return false;
  return isSubject(value, subject) || Object.values(value).some((item) => anyObject(item, subject));
}

function csvRows(text: string, subject: Subject): string[][] {
  const splitter = new RecordSplitter(true);
  return fieldsOf([...splitter.push(Buffer.from(text)), ...splitter.end()], new Traces(subject));
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
