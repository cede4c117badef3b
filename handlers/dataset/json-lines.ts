import type { DatasetColumn } from "../../programs/spec.ts";
import { canonicalRecords } from "./canonical-records.ts";
import { MISFIT_LENGTH } from "./tally.ts";
import { type Finding, MAX_RECORD_BYTES, type PartReader, tooLong, Unreadable } from "./text-file.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LF = 0x0a;

/** What a value is written as; an object or a list is no value of any column. */
type Kind = "string" | "number" | "boolean" | "null" | "nested";

const WRITTEN_AS: Readonly<Record<DatasetColumn["type"], Kind>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  date: "string",
  timestamp: "string",
};

const SYNTAX = {
  json_syntax: "A line is no JSON object",
  json_key_twice: "An object has a key twice",
  json_not_unicode: "A text escapes half of a surrogate pair, which is no character",
} as const;

class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
  readonly code: keyof typeof SYNTAX;

  constructor(code: keyof typeof SYNTAX = "json_syntax") {
    super(code);
    this.code = code;
  }
}

/** Values that are written as another kind than their column's, which the records that are handed on hold as nulls. */
export interface KindMisfits {
  readonly counts: readonly number[];
  readonly samples: readonly (readonly string[])[];
}

export interface JsonLinesReader extends PartReader {
  misfits(): KindMisfits;
  /** Keys that no column has, as `count` of occurrences. */
  unknownKeys(): { readonly count: number; readonly names: readonly string[] };
}

const NAMES_KEPT = 5;

/** Absent keys become commas: short lines may take much more room than they had. */
const OUTPUT_BYTES = 32 * 1024 * 1024;

/**
 * Reads JSON lines by RFC 8259, one object a line, and hands them on as CSV with the columns in declared order, where text is always quoted
 * and a null is an empty field. DuckDB's own reader allows more (trailing commas, NaN) and keeps one of two equal keys.
 */
export function jsonLinesReader(columns: readonly DatasetColumn[]): JsonLinesReader {
  const canonical = canonicalRecords(columns);
  const encoded = columns.map(({ name }) => Buffer.from(name));
  const byName = new Map(columns.map(({ name }, index) => [name, index]));
  const starts = new Int32Array(columns.length);
  const ends = new Int32Array(columns.length);
  const escaped = new Uint8Array(columns.length);
  const seen = new Float64Array(columns.length);
  const counts = columns.map(() => 0);
  const samples = columns.map((): string[] => []);
  const unknown = new Set<string>();
  let unknownCount = 0;
  let record = 0;
  let bytes: Buffer = Buffer.alloc(0);
  let at = 0;
  let stringEscapes = false;
  let out = Buffer.alloc(0);
  let written = 0;
  let hasLineEndInQuotes = false;

  const skipSpace = () => {
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x09 || byte === 0x0d; byte = bytes[at]) at++;
  };

  /** From the opening quote to behind the closing one. */
  const skipString = () => {
    stringEscapes = false;
    for (at++; ; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === undefined || byte < 0x20) throw new SyntaxProblem();
      if (byte !== BACKSLASH) continue;
      stringEscapes = true;
      at++;
    }
    at++;
  };

  const decoded = (start: number, end: number, escapes: boolean): string => {
    if (!escapes) return bytes.toString("utf8", start + 1, end - 1);
    let text: unknown;
    try {
      text = JSON.parse(bytes.toString("utf8", start, end));
    } catch {
      throw new SyntaxProblem();
    }
    const decodedText = String(text);
    if (!decodedText.isWellFormed()) throw new SyntaxProblem("json_not_unicode");
    return decodedText;
  };

  const skipWord = (word: string) => {
    for (let index = 0; index < word.length; index++) {
      if (bytes[at++] !== word.charCodeAt(index)) throw new SyntaxProblem();
    }
  };

  const skipDigits = () => {
    const start = at;
    while ((bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at++;
    if (at === start) throw new SyntaxProblem();
  };

  const skipNumber = () => {
    if (bytes[at] === 0x2d) at++;
    if (bytes[at] === 0x30) at++;
    else skipDigits();
    if (bytes[at] === 0x2e) {
      at++;
      skipDigits();
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      skipDigits();
    }
  };

  /** The whole of an object or a list, by the built-in parser: it is rare, and wrong anyway. */
  const skipNested = () => {
    const start = at;
    const closing: number[] = [];
    do {
      const byte = bytes[at];
      if (byte === undefined || byte === LF) throw new SyntaxProblem();
      if (byte === QUOTE) {
        skipString();
        continue;
      }
      if (byte === 0x7b) closing.push(0x7d);
      else if (byte === 0x5b) closing.push(0x5d);
      else if (byte === closing.at(-1)) closing.pop();
      at++;
    } while (closing.length > 0);
    try {
      JSON.parse(bytes.toString("utf8", start, at));
    } catch {
      throw new SyntaxProblem();
    }
  };

  const skipValue = (): Kind => {
    switch (bytes[at]) {
      case QUOTE:
        skipString();
        return "string";
      case 0x74:
        skipWord("true");
        return "boolean";
      case 0x66:
        skipWord("false");
        return "boolean";
      case 0x6e:
        skipWord("null");
        return "null";
      case 0x7b:
      case 0x5b:
        skipNested();
        return "nested";
      default:
        skipNumber();
        return "number";
    }
  };

  /** The column of the key at `at`. Most lines have the keys of the line before, in its order. */
  const readKey = (guess: number): number | undefined => {
    const start = at;
    if (bytes[at] !== QUOTE) throw new SyntaxProblem();
    skipString();
    const expected = encoded[guess];
    if (
      expected !== undefined &&
      !stringEscapes &&
      expected.length === at - start - 2 &&
      expected.compare(bytes, start + 1, at - 1) === 0
    ) {
      return guess;
    }
    const name = decoded(start, at, stringEscapes);
    const index = byName.get(name);
    if (index === undefined) {
      unknownCount++;
      if (unknown.size < NAMES_KEPT) unknown.add(name.slice(0, MISFIT_LENGTH));
    }
    return index;
  };

  const keep = (index: number, kind: Kind, start: number) => {
    starts[index] = start;
    ends[index] = kind === "null" ? start : at;
    escaped[index] = kind === "string" && stringEscapes ? 1 : 0;
    if (kind === "null" || kind === WRITTEN_AS[columns[index]?.type ?? "string"]) return;
    ends[index] = start;
    counts[index] = (counts[index] ?? 0) + 1;
    const kept = samples[index] ?? [];
    const text = bytes.toString("utf8", start, Math.min(at, start + MISFIT_LENGTH));
    if (kept.length < NAMES_KEPT && !kept.includes(text)) kept.push(text);
  };

  const readObject = () => {
    record++;
    skipSpace();
    if (bytes[at++] !== 0x7b) throw new SyntaxProblem();
    skipSpace();
    if (bytes[at] === 0x7d) {
      at++;
      return;
    }
    for (let guess = 0; ; guess++) {
      const index = readKey(guess);
      skipSpace();
      if (bytes[at++] !== 0x3a) throw new SyntaxProblem();
      skipSpace();
      const start = at;
      const kind = skipValue();
      if (kind === "string" && stringEscapes) decoded(start, at, true);
      if (index !== undefined) {
        if (seen[index] === record) throw new SyntaxProblem("json_key_twice");
        seen[index] = record;
        keep(index, kind, start);
        guess = index;
      }
      skipSpace();
      const byte = bytes[at++];
      if (byte === 0x7d) return;
      if (byte !== COMMA) throw new SyntaxProblem();
      skipSpace();
    }
  };

  const writeString = (index: number) => {
    const start = starts[index] as number;
    const end = ends[index] as number;
    if (escaped[index] === 0) {
      written += bytes.copy(out, written, start, end);
      return;
    }
    const text = decoded(start, end, true);
    if (text.includes("\n") || text.includes("\r")) hasLineEndInQuotes = true;
    written += out.write(`"${text.replaceAll('"', '""')}"`, written);
  };

  const writeRecord = () => {
    for (let index = 0; index < columns.length; index++) {
      if (index > 0) out[written++] = COMMA;
      const start = starts[index] as number;
      const end = ends[index] as number;
      if (seen[index] !== record || start === end) continue;
      if (bytes[start] === QUOTE) writeString(index);
      else written += bytes.copy(out, written, start, end);
    }
    out[written++] = LF;
  };

  return {
    take: (whole, isLast) => {
      const end = isLast ? whole.length : whole.lastIndexOf(LF) + 1;
      if (end === 0) return { consumed: 0 };
      bytes = whole.subarray(0, end);
      at = 0;
      written = 0;
      hasLineEndInQuotes = false;
      let records = 0;
      while (at < end && written < OUTPUT_BYTES) {
        const start = at;
        // Absent keys take a comma each, escapes at most as many bytes as they had.
        const need = written + 2 * (columns.length + 1);
        if (out.length < need + (end - start))
          out = Buffer.concat([out], Math.ceil(1.25 * (need + end - start)));
        try {
          readObject();
          skipSpace();
          if (at < end && bytes[at] !== LF) throw new SyntaxProblem();
          writeRecord();
        } catch (error) {
          if (!(error instanceof SyntaxProblem)) throw error;
          throw new Unreadable({ ...syntaxFinding(error.code), record: records });
        }
        at++;
        if (at - start > MAX_RECORD_BYTES) throw new Unreadable(tooLong());
        records++;
      }
      const text = out.subarray(0, written);
      const isCanonical = canonical(text) === records;
      const part = { bytes: text, hasLineEndInQuotes, isCanonical, records };
      return { consumed: Math.min(at, end), part };
    },
    misfits: () => ({ counts, samples }),
    unknownKeys: () => ({ count: unknownCount, names: [...unknown] }),
  };
}

const syntaxFinding = (code: keyof typeof SYNTAX): Finding => ({
  check: "structure",
  code,
  message: SYNTAX[code],
});
