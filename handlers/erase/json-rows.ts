import type { Findings, Judge, Search } from "./findings.ts";
import { decoded, Unsearchable } from "./records.ts";
import type { Subject } from "./request.ts";
import { escapeOf, Traces } from "./traces.ts";
import { normalized } from "./values.ts";

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Numbers as they are written: an integer of 64 bits is more than a double holds. */
const exactNumbers = (_: string, value: unknown, { source }: { source?: string } = {}) =>
  typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined ? source : value;

/** Only for subjects that need it: with it, parsing takes ten times as long. A smaller integer is never the rounding of a larger one. */
export const reviverFor = (subject: Subject) =>
  subject.some(({ type, value }) => type === "integer" && !Number.isSafeInteger(Number(value)))
    ? exactNumbers
    : undefined;

export function parsed(record: Buffer, subject: Subject): unknown {
  try {
    return JSON.parse(decoded(record).replace(/^\uFEFF/, ""), reviverFor(subject));
  } catch {
    return undefined;
  }
}

/** Whether an object has all of the subject's values under the names of their columns. */
export function isSubject(row: Json, subject: Subject): boolean {
  return subject.every(
    ({ name, type, value }) =>
      normalized(type, row[name]) === value ||
      otherSpellings(row, name).some((other) => normalized(type, row[other]) === value),
  );
}

const otherSpellings = (row: Json, name: string): string[] =>
  Object.keys(row).filter(
    (key) => key.length === name.length && key !== name && key.toLowerCase() === name.toLowerCase(),
  );

export const NO_PLAIN_OBJECT = "The subject's text stands in it where it is no JSON object of plain values";

/**
 * Judges JSON lines. A line that is the subject's by its columns goes, whatever else is in it. Throws `Unsearchable` for the subject's
 * text in any other line that validation would not take for a row.
 */
export function lineJudge({ subject, recordIdentifier }: Search, findings: Findings): Judge {
  const traces = new Traces(subject);
  const isPlain = plainRows(subject);
  return (record) => {
    findings.rows += 1;
    if (!traces.mayBeInJson(record)) return true;
    const row = parsed(record, subject);
    if (!isObject(row) || !isSubject(row, subject)) {
      if (!isPlain(row, record) && traces.areIn(record)) throw new Unsearchable(NO_PLAIN_OBJECT);
      return true;
    }
    const identifier = recordIdentifier === undefined ? undefined : row[recordIdentifier];
    if (identifier !== undefined && identifier !== null) findings.records.add(String(identifier));
    findings.found += 1;
    return false;
  };
}

/** Whether a line is a row as validation takes it: an object of plain values, none under a name that stands there twice. */
function plainRows(subject: Subject): (row: unknown, record: Buffer) => boolean {
  const hasTexts = subject.some(({ type }) => type === "string");
  const names = subject.map(({ name }) => Buffer.from(JSON.stringify(name)));
  const escaping = Buffer.from(escapeOf(subject.map(({ name }) => name)));
  // Of a number only what stands under its own name is the subject's, and to count all names takes longer than to parse.
  const mayRepeat = (record: Buffer) =>
    hasTexts ||
    record.includes(escaping) ||
    names.some((name) => record.indexOf(name) !== record.lastIndexOf(name));
  return (row, record) => {
    if (!isObject(row)) return false;
    for (const name in row) if (typeof row[name] === "object" && row[name] !== null) return false;
    return !mayRepeat(record) || Object.keys(row).length === namesIn(decoded(record));
  };
}

/** How many names an object of plain values has, with those that JSON.parse lost. */
function namesIn(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) names += 1;
  return names;
}
