const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** A file that is not whole in its format. `record` counts from 0 within what was looked at. */
export interface StructureProblem {
  readonly code:
    | "quote_inside_field"
    | "text_after_quote"
    | "quote_never_closed"
    | "lone_carriage_return"
    | "field_count";
  readonly record: number;
}

export interface CsvScan {
  /** Where the last complete record ends, behind its line end. */
  readonly end: number;
  /** Bytes of those records in `into`, where every line end between them is LF. */
  readonly length: number;
  readonly records: number;
  readonly hasLineEndInQuotes: boolean;
  readonly longestRecord: number;
  readonly problem?: StructureProblem;
}

export interface CsvScanOptions {
  /** How many fields each record must have; any number unless given. */
  readonly fields?: number;
  /** What stands behind the last line end is the last record; otherwise it is left for the next look. */
  readonly isLast: boolean;
  readonly maxRecords?: number;
  /** At least as long as what is read. */
  readonly into: Uint8Array;
}

/** Reads RFC 4180 strictly, record by record, with LF or CRLF as line ends. */
export function scanCsv(
  bytes: Uint8Array,
  { fields, isLast, maxRecords = Number.POSITIVE_INFINITY, into }: CsvScanOptions,
): CsvScan {
  const size = bytes.length;
  let at = 0;
  let out = 0;
  let end = 0;
  let length = 0;
  let records = 0;
  let separators = 0;
  let longestRecord = 0;
  let hasLineEndInQuotes = false;
  const ended = (problem?: StructureProblem["code"]): CsvScan => ({
    end,
    length,
    records,
    hasLineEndInQuotes,
    longestRecord,
    ...(problem !== undefined && { problem: { code: problem, record: records } }),
  });

  while (at < size && records < maxRecords) {
    if (bytes[at] === QUOTE) {
      into[out++] = QUOTE;
      at++;
      for (;;) {
        if (at >= size) return ended(isLast ? "quote_never_closed" : undefined);
        const byte = bytes[at++] as number;
        into[out++] = byte;
        if (byte === LF || byte === CR) hasLineEndInQuotes = true;
        else if (byte === QUOTE) {
          // The next byte tells whether this one ends the field: at the edge of a part it isn't there yet.
          if (at >= size && !isLast) return ended();
          if (bytes[at] !== QUOTE) break;
          into[out++] = QUOTE;
          at++;
        }
      }
      if (at < size && bytes[at] !== COMMA && bytes[at] !== LF && bytes[at] !== CR) {
        return ended("text_after_quote");
      }
    } else {
      let byte = bytes[at];
      while (at < size && byte !== COMMA && byte !== LF && byte !== CR) {
        if (byte === QUOTE) return ended("quote_inside_field");
        into[out++] = byte as number;
        byte = bytes[++at];
      }
    }
    if (at >= size) break;
    if (bytes[at] === COMMA) {
      into[out++] = COMMA;
      at++;
      separators++;
      continue;
    }
    if (bytes[at] === CR) {
      if (at + 1 >= size && !isLast) return ended();
      if (bytes[at + 1] !== LF) return ended("lone_carriage_return");
      at++;
    }
    at++;
    into[out++] = LF;
    if (fields !== undefined && separators + 1 !== fields) return ended("field_count");
    longestRecord = Math.max(longestRecord, at - end);
    separators = 0;
    records++;
    end = at;
    length = out;
  }
  if (!isLast || end === size || records === maxRecords) return ended();
  if (fields !== undefined && separators + 1 !== fields) return ended("field_count");
  longestRecord = Math.max(longestRecord, size - end);
  records++;
  end = size;
  length = out;
  return ended();
}

/**
 * What DuckDB's reader lets pass among records without quotes and carriage returns that all end with LF: an empty line, and one
 * empty field too many at a line's end. Returns where the record begins, or undefined.
 */
export function plainRecordProblem(bytes: Buffer, fields: number): number | undefined {
  if (fields > 1) {
    if (bytes[0] === LF) return 0;
    const empty = bytes.indexOf("\n\n");
    if (empty >= 0) return empty + 1;
  }
  for (let at = bytes.indexOf(",\n"); at >= 0; at = bytes.indexOf(",\n", at + 2)) {
    let separators = 0;
    let start = at;
    for (; start >= 0 && bytes[start] !== LF; start--) if (bytes[start] === COMMA) separators++;
    if (separators + 1 !== fields) return start + 1;
  }
  return undefined;
}

/** Fields of one record that `scanCsv` found no problem in, without its line end. */
export function csvFields(record: string): string[] {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const start = at;
    if (record[start] === '"') {
      at = closingQuote(record, start) + 1;
      fields.push(record.slice(start + 1, at - 1).replaceAll('""', '"'));
    } else {
      const comma = record.indexOf(",", start);
      at = comma < 0 ? record.length : comma;
      fields.push(record.slice(start, at));
    }
    if (at >= record.length) return fields;
  }
}

function closingQuote(record: string, opening: number): number {
  let at = record.indexOf('"', opening + 1);
  while (record[at + 1] === '"') at = record.indexOf('"', at + 2);
  return at;
}
