import { isUtf8 } from "node:buffer";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ByteSource } from "./byte-source.ts";
import type { Reason } from "./verdict.ts";

/** Records are checked by so many bytes at a time: each part costs a statement of DuckDB, and memory follows it. */
const PART_BYTES = 6 * 1024 * 1024;
/** Longer ones are no records of a table, and would need memory of that size several times. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF_16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

export type Finding = Omit<Reason, "severity">;

/** A file that can't be read to its end: what is told is all that is said of it. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  /** `record` counts from 0 within the part that was being read. */
  readonly reasons: readonly Reason[];

  constructor(reasons: Finding | readonly Finding[], cause?: unknown) {
    const list = "check" in reasons ? [reasons] : reasons;
    super(list[0]?.message, { cause });
    this.reasons = list.map((reason) => ({ ...reason, severity: "critical" }));
  }
}

const COMPRESSED: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
];

/** Throws `Unreadable` for what is packed: it would be no text anyway, but this way the reason says what to do. */
export function refuseCompressed(start: Uint8Array): void {
  const found = COMPRESSED.find(([name, magic]) => {
    const bytes = magic.every((byte, index) => start[index] === byte);
    // "BZh" could begin a text; then comes the level and, in a packed file, the digits of pi.
    return name === "bzip2" ? bytes && start[4] === 0x31 && start[5] === 0x41 : bytes;
  });
  if (found === undefined) return;
  throw new Unreadable({
    check: "structure",
    code: "compressed",
    message: `The file is packed with ${found[0]}: send it unpacked, nothing is decompressed`,
  });
}

/** A part of a file that was found to be well-formed, written where DuckDB reads it. */
export interface TextPart {
  readonly bytes: Uint8Array;
  readonly hasLineEndInQuotes: boolean;
  /** In the sense of `canonicalRecords`. */
  readonly isCanonical: boolean;
  readonly records: number;
}

/** Takes text apart: how much of the buffer are whole records, and what is to be read of them. */
export interface PartReader {
  /** Consumes some of the whole records of `bytes`, which are all of them when it is the last; 0 where there is none. */
  take(bytes: Buffer, isLast: boolean): { readonly consumed: number; readonly part?: TextPart };
}

/** Where a part is, and who checks it. */
export interface PartPlace {
  readonly path: string;
  /** From 0; no two parts are checked in the same lane at once. */
  readonly lane: number;
  /** The check of the part before. */
  readonly before: Promise<unknown>;
}

/**
 * Reads UTF-8 text part by part; while some are checked, `lanes` at the same time, the next is read. Throws `Unreadable` for an empty or
 * packed file, wrong encoding, too long a record and for what `reader` finds; of several mistakes that of the earliest part is told.
 */
export async function readText(
  source: ByteSource,
  reader: PartReader,
  check: (part: TextPart, place: PartPlace) => Promise<void>,
  { workFolder, lanes, partBytes = PART_BYTES }: { workFolder: string; lanes: number; partBytes?: number },
): Promise<void> {
  let buffer = Buffer.allocUnsafeSlow(Math.max(partBytes, 1024));
  let filled = 0;
  /** Bytes of the file that come before those in the buffer. */
  let offset = 0;
  let isFirst = true;
  const checking: Promise<void>[] = [];
  // One more than are checked: the next is written meanwhile.
  const pathOf = (turn: number) => join(workFolder, `part-${turn % (lanes + 1)}`);
  let turn = 0;
  try {
    for (let isLast = false; !isLast; ) {
      const read = await source.read(buffer.subarray(filled));
      filled += read;
      isLast = filled < buffer.length;
      if (isFirst) {
        offset = filled;
        filled = begin(buffer, filled);
        offset -= filled;
        isFirst = false;
      }
      const bytes = wholeCharacters(buffer.subarray(0, filled), isLast);
      refuseWrongEncoding(bytes, offset);
      let done = 0;
      for (let taken = -1; taken !== 0 && done < bytes.length; done += taken) {
        const { consumed, part } = reader.take(bytes.subarray(done), isLast);
        taken = consumed;
        if (part === undefined) continue;
        const path = pathOf(turn);
        writeFileSync(path, part.bytes);
        if (checking.length === lanes) {
          await checking[0];
          checking.shift();
        }
        const before = checking.at(-1) ?? Promise.resolve();
        const checked = check(part, { path, lane: turn % lanes, before });
        // Told by a later await; without this Node would take it for unhandled.
        checked.catch(() => {});
        checking.push(checked);
        turn++;
      }
      if (isLast || done > 0) buffer.copyWithin(0, done, filled);
      else buffer = grown(buffer);
      filled -= done;
      offset += done;
    }
  } finally {
    // Also where reading ended early: what is wrong in an earlier part is told first, and its rows are counted.
    try {
      for (const checked of checking) await checked;
    } finally {
      await Promise.allSettled(checking);
      for (let index = 0; index <= lanes; index++) rmSync(pathOf(index), { force: true });
    }
  }
}

/** With room for a whole record, whose end wasn't there yet. */
function grown(buffer: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  if (buffer.length > MAX_RECORD_BYTES) throw new Unreadable(tooLong());
  const larger = Buffer.allocUnsafeSlow(2 * buffer.length);
  buffer.copy(larger);
  return larger;
}

export const tooLong = () =>
  ({
    check: "size",
    code: "record_too_long",
    message: `A record has more than ${MAX_RECORD_BYTES / 1024 / 1024} MB: a quote may be open, or line ends may be missing`,
    limit: MAX_RECORD_BYTES,
  }) as const;

/** What begins a file: nothing at all, a packed file's mark, or the byte order mark, which is skipped. */
function begin(buffer: Buffer, filled: number): number {
  const hasMark = buffer.subarray(0, Math.min(filled, 3)).equals(BYTE_ORDER_MARK);
  if (filled === 0 || (hasMark && filled === 3)) {
    throw new Unreadable({ check: "structure", code: "empty_file", message: "The file is empty" });
  }
  refuseCompressed(buffer.subarray(0, Math.min(filled, 16)));
  if (!hasMark) return filled;
  buffer.copyWithin(0, 3, filled);
  return filled - 3;
}

/** Without the beginning of a character at the end, whose other bytes come later. */
function wholeCharacters(buffer: Buffer, isLast: boolean): Buffer {
  let end = buffer.length;
  if (!isLast) {
    let back = 0;
    while (back < 3 && end - back > 0 && ((buffer[end - 1 - back] as number) & 0xc0) === 0x80) back++;
    if (end - back > 0 && (buffer[end - 1 - back] as number) >= 0xc0) end -= back + 1;
  }
  return buffer.subarray(0, end);
}

function refuseWrongEncoding(bytes: Buffer, before: number): void {
  if (!isUtf8(bytes)) {
    const isUtf16 = before === 0 && UTF_16_MARKS.some((mark) => bytes.subarray(0, 2).equals(mark));
    throw new Unreadable({
      check: "encoding",
      code: "not_utf8",
      message: isUtf16
        ? "The file is UTF-16: save it as UTF-8"
        : `The file is not UTF-8 from its byte ${before + firstWrongByte(bytes) + 1} on: save it as UTF-8`,
    });
  }
  const mark = bytes.indexOf(BYTE_ORDER_MARK);
  if (mark >= 0) {
    throw new Unreadable({
      check: "encoding",
      code: "byte_order_mark_inside",
      message: `A byte order mark stands within the file, at its byte ${before + mark + 1}: files were put together, or it was saved twice`,
    });
  }
}

/** Where the first character begins that is none, from 0. */
function firstWrongByte(bytes: Buffer): number {
  const whole = (length: number) => wholeCharacters(bytes.subarray(0, length), false);
  let right = 0;
  let wrong = bytes.length + 1;
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (isUtf8(whole(middle))) right = middle;
    else wrong = middle;
  }
  return whole(right).length;
}
