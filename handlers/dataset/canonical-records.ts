import type { DatasetColumn } from "../../programs/spec.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Far below what DuckDB is told to expect. */
const MAX_RECORD_BYTES = 1_000_000;

/** What a field that begins so may go on to: equal keys go on alike. Undefined where no canonical field begins so. */
interface Prefix {
  readonly key: string;
  /** Whether the field may end here. */
  readonly isWhole: boolean;
}

/**
 * Counts the records of well-formed CSV whose every field is empty or written in the canonical form of its column's type: what DuckDB's
 * reader takes for exactly the value that it is by our rules, so that nothing has to be looked at as text. Undefined where some record
 * is not so, which says nothing against it. One look at each byte, by a table.
 */
export function canonicalRecords(
  columns: readonly DatasetColumn[],
): (bytes: Uint8Array) => number | undefined {
  const table = tableOf(columns);
  return (bytes) => {
    if (bytes.at(-1) !== LF || hasLongRecord(bytes)) return undefined;
    return countRecords(bytes, laneStarts(bytes), table);
  };
}

/** Where a record begins. State 0 is that nothing is canonical any more, whatever comes. */
const BEGIN = 1;

function tableOf(columns: readonly DatasetColumn[]): Uint16Array {
  const rows: Uint16Array[] = [new Uint16Array(256)];
  const newState = () => rows.push(new Uint16Array(256)) - 1;
  const entries = columns.map(newState);
  for (const [index, { type }] of columns.entries()) {
    const isLast = index === columns.length - 1;
    const entry = entries[index] as number;
    const endOn = (state: number) => {
      (rows[state] as Uint16Array)[isLast ? LF : COMMA] = isLast ? BEGIN : (entries[index + 1] as number);
    };
    // An empty line is a record of one column, but DuckDB skips it.
    if (columns.length > 1) endOn(entry);
    if (type === "string") addText(rows, entry, newState, endOn);
    else addField(rows, entry, FIELDS[type], newState, endOn);
  }
  const table = new Uint16Array(rows.length * 256);
  for (const [state, row] of rows.entries()) table.set(row, state * 256);
  return table;
}

function addText(
  rows: readonly Uint16Array[],
  entry: number,
  newState: () => number,
  endOn: (state: number) => void,
): void {
  const [bare, quoted, closed] = [newState(), newState(), newState()];
  const go = (from: number, to: number, isTaken: (byte: number) => boolean) => {
    for (let byte = 0; byte < 256; byte++) if (isTaken(byte)) (rows[from] as Uint16Array)[byte] = to;
  };
  const isInside = (byte: number) => byte !== QUOTE && byte !== LF && byte !== CR;
  go(entry, bare, (byte) => isInside(byte) && byte !== COMMA);
  go(bare, bare, (byte) => isInside(byte) && byte !== COMMA);
  go(quoted, quoted, isInside);
  for (const state of [entry, closed]) go(state, quoted, (byte) => byte === QUOTE);
  go(quoted, closed, (byte) => byte === QUOTE);
  endOn(bare);
  endOn(closed);
}

/** A state for each way to go on, found from the empty field by each further character. */
function addField(
  rows: readonly Uint16Array[],
  entry: number,
  prefixOf: (text: string) => Prefix | undefined,
  newState: () => number,
  endOn: (state: number) => void,
): void {
  const states = new Map<string, number>();
  const open: { readonly text: string; readonly state: number }[] = [{ text: "", state: entry }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const character of "0123456789-:.TZ +eEtrufals") {
      const text = next.text + character;
      const prefix = prefixOf(text);
      if (prefix === undefined) continue;
      let state = states.get(prefix.key);
      if (state === undefined) {
        state = newState();
        states.set(prefix.key, state);
        if (prefix.isWhole) endOn(state);
        open.push({ text, state });
      }
      (rows[next.state] as Uint16Array)[character.charCodeAt(0)] = state;
    }
  }
}

/** Eighteen digits are within 64 bits, whatever they are. */
function integerPrefix(text: string): Prefix | undefined {
  const [, digits] = /^-?(\d{0,18})$/.exec(text) ?? [];
  return digits === undefined ? undefined : { key: String(digits.length), isWhole: digits !== "" };
}

/** With so few digits before the point and in the exponent it is finite. */
function numberPrefix(text: string): Prefix | undefined {
  const [, whole] = /^-?(\d{0,30})$/.exec(text) ?? [];
  if (whole !== undefined) return { key: String(whole.length), isWhole: whole !== "" };
  const [, fraction] = /^-?\d{1,30}\.(\d*)$/.exec(text) ?? [];
  if (fraction !== undefined) return { key: `.${fraction === "" ? "" : "1"}`, isWhole: fraction !== "" };
  const [, sign, digits] = /^-?\d{1,30}(?:\.\d+)?[eE]([+-]?)(\d{0,2})$/.exec(text) ?? [];
  if (sign === undefined || digits === undefined) return undefined;
  return { key: `e${sign && digits === "" ? "+" : digits.length}`, isWhole: digits !== "" };
}

const booleanPrefix = (text: string): Prefix | undefined =>
  ["true", "false"].some((word) => word.startsWith(text))
    ? { key: text, isWhole: text === "true" || text === "false" }
    : undefined;

/** Days that there are in the calendar, but for the 29th of February in the first year of a century. */
function datePrefix(text: string): Prefix | undefined {
  const example = text + "1000-01-01".slice(text.length);
  const [, year, month, day] = /^([1-9]\d{3})-(\d\d)-(\d\d)$/.exec(example) ?? [];
  if (year === undefined || text.length > 10) return undefined;
  const isLeap = Number(year) % 4 === 0 && !year.endsWith("00");
  const days = [0, 31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month)] ?? 0;
  if (days === 0) return undefined;
  if (text.length === 9 && Number(`${text[8]}0`) > days) return undefined;
  if (text.length === 10 && (Number(day) === 0 || Number(day) > days)) return undefined;
  const known = [
    text.length === 3 ? text[2] : "",
    text.length >= 4 && text.length <= 6 && isLeap,
    text.length === 6 ? text[5] : "",
    text.length >= 7 && text.length <= 9 && days,
    text.length === 9 ? text[8] : "",
  ];
  return { key: [text.length, ...known].join(), isWhole: text.length === 10 };
}

/** No more digits of a second than there are microseconds. */
function timestampPrefix(text: string): Prefix | undefined {
  if (text.length <= 10) {
    const date = datePrefix(text);
    return date && { key: date.key, isWhole: false };
  }
  const time = text.slice(10);
  const example = time + "T00:00:00".slice(time.length);
  if (!/^[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,6}|(?:\.\d{1,6})?Z)?$/.test(example))
    return undefined;
  const isZulu = time.endsWith("Z");
  const key = isZulu ? "Z" : `T${time.length}${time.length === 2 ? time[1] : ""}`;
  return { key, isWhole: time.length >= 9 && !time.endsWith(".") };
}

const FIELDS = {
  integer: integerPrefix,
  number: numberPrefix,
  boolean: booleanPrefix,
  date: datePrefix,
  timestamp: timestampPrefix,
} as const;

/** In hops, each back to the last line end within what a record may have. */
function hasLongRecord(bytes: Uint8Array): boolean {
  for (let at = 0; bytes.length - at > MAX_RECORD_BYTES; ) {
    const end = bytes.lastIndexOf(LF, at + MAX_RECORD_BYTES);
    if (end < at) return true;
    at = end + 1;
  }
  return false;
}

/** Four places of about equal distance where a record begins, and the end: four bytes take a processor hardly longer than one. */
function laneStarts(bytes: Uint8Array): readonly [number, number, number, number, number] {
  const after = (place: number) => bytes.indexOf(LF, Math.floor(place)) + 1;
  const size = bytes.length;
  return [0, after(size / 4 - 1), after(size / 2 - 1), after((size / 4) * 3 - 1), size];
}

function countRecords(
  bytes: Uint8Array,
  [start, second, third, fourth, end]: readonly [number, number, number, number, number],
  table: Uint16Array,
): number | undefined {
  let a = BEGIN;
  let b = BEGIN;
  let c = BEGIN;
  let d = BEGIN;
  let records = 0;
  const together = Math.min(second - start, third - second, fourth - third, end - fourth);
  for (let at = 0; at < together; at++) {
    a = table[(a << 8) | (bytes[start + at] as number)] as number;
    b = table[(b << 8) | (bytes[second + at] as number)] as number;
    c = table[(c << 8) | (bytes[third + at] as number)] as number;
    d = table[(d << 8) | (bytes[fourth + at] as number)] as number;
    if (a === BEGIN) records++;
    if (b === BEGIN) records++;
    if (c === BEGIN) records++;
    if (d === BEGIN) records++;
  }
  const rests = [
    countRest(bytes.subarray(start + together, second), table, a),
    countRest(bytes.subarray(second + together, third), table, b),
    countRest(bytes.subarray(third + together, fourth), table, c),
    countRest(bytes.subarray(fourth + together, end), table, d),
  ];
  return rests.reduce<number | undefined>(
    (sum, rest) => (sum === undefined || rest === undefined ? undefined : sum + rest),
    records,
  );
}

function countRest(bytes: Uint8Array, table: Uint16Array, from: number): number | undefined {
  let state = from;
  let records = 0;
  for (const byte of bytes) {
    state = table[(state << 8) | byte] as number;
    if (state === BEGIN) records++;
  }
  return state === BEGIN ? records : undefined;
}
