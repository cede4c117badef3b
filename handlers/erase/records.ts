import { isUtf8 } from "node:buffer";

/** A file that can't be taken apart into rows, so nobody can tell whose they are. */
export class Unsearchable extends Error {
  override readonly name = "Unsearchable";
}

const LINE_END = 0x0a;
const QUOTE = 0x22;

/** A record that is longer is no record: a quote that never ends, or no text at all. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Whoever saved a file in another encoding than UTF-8 most likely took this one. */
export const decoded = (record: Buffer): string => record.toString(isUtf8(record) ? "utf8" : "latin1");

/** Cuts bytes into records, each with its line end, so that those that are kept are kept byte by byte. */
export class RecordSplitter {
  readonly #quotes: boolean;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #inQuotes = false;

  /** `quotes`: whether a field in double quotes may hold line ends, as in CSV. */
  constructor(quotes: boolean) {
    this.#quotes = quotes;
  }

  push(chunk: Buffer): Buffer[] {
    const records: Buffer[] = [];
    let start = 0;
    // Looked for once each: most chunks have no quote, and looking for one at every line would read them over and over.
    let quote = this.#quotes ? chunk.indexOf(QUOTE) : -1;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, end + 1)) {
      for (; quote !== -1 && quote < end; quote = chunk.indexOf(QUOTE, quote + 1))
        this.#inQuotes = !this.#inQuotes;
      if (this.#inQuotes) continue;
      records.push(this.#completed(chunk.subarray(start, end + 1)));
      start = end + 1;
    }
    for (; quote !== -1; quote = chunk.indexOf(QUOTE, quote + 1)) this.#inQuotes = !this.#inQuotes;
    if (start < chunk.length) {
      const rest = chunk.subarray(start);
      this.#rest.push(rest);
      this.#restBytes += rest.length;
      if (this.#restBytes > MAX_RECORD_BYTES) throw new Unsearchable("A record is longer than 64 MiB");
    }
    return records;
  }

  /** The last record, where it has no line end, or a quote that is never closed. */
  end(): Buffer[] {
    return this.#restBytes === 0 ? [] : [this.#completed(Buffer.alloc(0))];
  }

  #completed(last: Buffer): Buffer {
    if (this.#restBytes === 0) return last;
    const record = Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restBytes = 0;
    return record;
  }
}

/** The fields of a CSV record by RFC 4180, as lenient as files that were quarantined need it. */
export function csvFields(record: string): string[] {
  const text = record.replace(/\r?\n$/, "");
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let end = at + 1;
      for (;;) {
        end = text.indexOf('"', end);
        if (end === -1) end = text.length;
        if (text[end + 1] !== '"') break;
        end += 2;
      }
      const comma = text.indexOf(",", end);
      const value = text.slice(at + 1, end).replaceAll('""', '"');
      // What stands between the closing quote and the comma is part of the field for whoever reads leniently.
      fields.push(value + text.slice(end + 1, comma === -1 ? undefined : comma));
      if (comma === -1) return fields;
      at = comma + 1;
      continue;
    }
    const comma = text.indexOf(",", at);
    fields.push(comma === -1 ? text.slice(at) : text.slice(at, comma));
    if (comma === -1) return fields;
    at = comma + 1;
  }
}
