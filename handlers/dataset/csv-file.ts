import type { DatasetColumn } from "../../programs/spec.ts";
import { canonicalRecords } from "./canonical-records.ts";
import { csvFields, plainRecordProblem, type StructureProblem, scanCsv } from "./csv-structure.ts";
import {
  type Finding,
  MAX_RECORD_BYTES,
  type PartReader,
  type TextPart,
  tooLong,
  Unreadable,
} from "./text-file.ts";

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

const MESSAGES: Readonly<Record<StructureProblem["code"], string>> = {
  quote_inside_field: "A quote stands within a field that doesn't begin with one",
  text_after_quote: "Text stands between a closing quote and the next comma or line end",
  quote_never_closed: "A quote is never closed: the file may be cut off",
  lone_carriage_return: "A carriage return stands outside of quotes without a line feed",
  field_count: "A record has more or fewer fields than the header",
};

export const structureFinding = ({ code, record }: StructureProblem): Finding => ({
  check: "structure",
  code,
  message: MESSAGES[code],
  record,
});

/**
 * Reads CSV by RFC 4180. `onHeader` is told the names in the header once, before any part, and returns the columns in their order, or
 * throws `Unreadable` when they are wrong. Most parts are canonical, and most others have neither quotes nor carriage returns: those are
 * only searched, not read byte by byte.
 */
export function csvReader(onHeader: (names: readonly string[]) => readonly DatasetColumn[]): PartReader {
  let fields: number | undefined;
  let canonical: ReturnType<typeof canonicalRecords> = () => undefined;
  let scanned: Buffer | undefined;

  const scan = (bytes: Buffer, options: { fields?: number; isLast: boolean; maxRecords?: number }) => {
    scanned =
      scanned !== undefined && scanned.length >= bytes.length
        ? scanned
        : Buffer.allocUnsafeSlow(bytes.length);
    const found = scanCsv(bytes, { ...options, into: scanned });
    if (found.problem !== undefined) throw new Unreadable(structureFinding(found.problem));
    if (found.longestRecord > MAX_RECORD_BYTES) throw new Unreadable(tooLong());
    return { found, text: scanned };
  };

  const takeHeader = (bytes: Buffer, isLast: boolean): number => {
    // Not of the whole part: the rest may be long, and is looked at with the number of fields.
    const line = bytes.indexOf(LF);
    const isPlain = line >= 0 && !bytes.subarray(0, line).includes(QUOTE);
    const { found, text } = scan(isPlain ? bytes.subarray(0, line + 1) : bytes, {
      isLast: isLast || isPlain,
      maxRecords: 1,
    });
    if (found.end === 0) return 0;
    const names = csvFields(text.toString("utf8", 0, found.length).replace(/\n$/, ""));
    fields = names.length;
    canonical = canonicalRecords(onHeader(names));
    return found.end;
  };

  const takeRecords = (bytes: Buffer, isLast: boolean, count: number): { end: number; part?: TextPart } => {
    if (bytes.length === 0) return { end: 0 };
    const end = isLast ? bytes.length : bytes.lastIndexOf(LF) + 1;
    const whole = bytes.subarray(0, end);
    const known = canonical(whole);
    if (known !== undefined) {
      return { end, part: { bytes: whole, hasLineEndInQuotes: false, isCanonical: true, records: known } };
    }
    if (bytes.includes(QUOTE) || bytes.includes(CR)) {
      const { found, text } = scan(bytes, { fields: count, isLast });
      if (found.records === 0) return { end: 0 };
      const { records, length } = found;
      const part = text.subarray(0, length);
      const isCanonical = canonical(part) === records;
      return {
        end: found.end,
        part: { bytes: part, hasLineEndInQuotes: found.hasLineEndInQuotes, isCanonical, records },
      };
    }
    if (end === 0) return { end };
    const records = whole[end - 1] === LF ? whole : Buffer.concat([whole, Buffer.from("\n")]);
    const problem = plainRecordProblem(records, count);
    if (problem !== undefined) {
      const record = linesBefore(records, problem);
      throw new Unreadable(structureFinding({ code: "field_count", record }));
    }
    return {
      end,
      part: {
        bytes: records,
        hasLineEndInQuotes: false,
        isCanonical: false,
        records: linesBefore(records, records.length),
      },
    };
  };

  return {
    take: (bytes, isLast) => {
      const header = fields === undefined ? takeHeader(bytes, isLast) : 0;
      if (fields === undefined) return { consumed: 0 };
      const { end, part } = takeRecords(bytes.subarray(header), isLast, fields);
      return { consumed: header + end, ...(part !== undefined && { part }) };
    },
  };
}

function linesBefore(bytes: Buffer, position: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0 && at < position; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/**
 * Where a part breaks the format that seemed plain, or undefined where it doesn't: for telling, once DuckDB refused it.
 */
export function problemInPart(bytes: Buffer, fields: number): Finding | undefined {
  const found = scanCsv(bytes, { fields, isLast: true, into: Buffer.allocUnsafeSlow(bytes.length) });
  if (found.problem !== undefined) return structureFinding(found.problem);
  return found.longestRecord > MAX_RECORD_BYTES ? tooLong() : undefined;
}
