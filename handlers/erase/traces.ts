import { decoded } from "./records.ts";
import type { Subject } from "./request.ts";
import { normalized } from "./values.ts";

/** What JSON has a shorter escape for than `\u…`. */
const SHORTLY_ESCAPED = /["\\/\p{Cc}]/u;

/** How JSON begins what it may write for characters of these texts: all of them have `\u…`, and some a shorter one. */
export const escapeOf = (texts: readonly string[]): string =>
  texts.some((text) => SHORTLY_ESCAPED.test(text)) ? "\\" : "\\u";

/** Where the subject's values stand in what is no row, or not in the row's column. */
export class Traces {
  readonly #subject: Subject;
  readonly #texts: readonly string[];
  readonly #needles: readonly Buffer[];
  /** Without it, no escape can hide a text. */
  readonly #escape: string;
  readonly #escaped: RegExp;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#texts = subject.filter(({ type }) => type === "string").map(({ value }) => value);
    const written = this.#texts.flatMap((text) => [text, text.replaceAll('"', '""')]);
    this.#needles = distinct(written.flatMap(encoded));
    this.#escape = escapeOf(this.#texts);
    this.#escaped = new RegExp(this.#texts.map(anyEscaped).join("|"));
  }

  /** Whether a text stands in the bytes, in any encoding that files come in. */
  hasText(bytes: Buffer): boolean {
    return this.#needles.some((needle) => bytes.includes(needle));
  }

  /** False where no row of the subject can be, so that nothing has to be taken apart. Numbers are written in too many ways to tell. */
  mayBeIn(bytes: Buffer): boolean {
    return this.#needles.length === 0 || this.hasText(bytes);
  }

  /** The same for JSON, where a text may be escaped. */
  mayBeInJson(bytes: Buffer): boolean {
    return this.#texts.length === 0 || this.areIn(bytes);
  }

  /**
   * Whether something of the subject stands in what can't be taken apart: a text, escaped or not; of a subject without texts all of its
   * values, since one number alone stands in too many places.
   */
  areIn(bytes: Buffer): boolean {
    if (this.#texts.length === 0) return this.#hasAllValues(decoded(bytes));
    return this.hasText(bytes) || (bytes.includes(this.#escape) && this.#escaped.test(decoded(bytes)));
  }

  #hasAllValues(text: string): boolean {
    // Moments have blanks and colons, and in JSON a number stands behind them.
    const pieces = [...text.split(/[",;|\t\r\n{}[\]]+/), ...text.split(/[\s",;|:={}[\]]+/)];
    return this.#subject.every(({ type, value }) =>
      pieces.some((piece) => normalized(type, piece.trim()) === value),
    );
  }
}

const hexOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, "0");

/** A pattern for the text, whichever of its characters JSON escapes, however often: JSON in a text of JSON is escaped twice. */
const anyEscaped = (text: string): string =>
  text
    .split("")
    .map((character) => {
      const hex = hexOf(character);
      const digits = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
      // Behind the backslash stands a letter, or the character itself.
      const short = SHORTLY_ESCAPED.test(character)
        ? `|\\\\+\\u${hexOf(JSON.stringify(character).at(-2) ?? "")}`
        : "";
      return `(?:\\u${hex}|\\\\+u${digits}${short})`;
    })
    .join("");

function encoded(text: string): Buffer[] {
  const utf16 = Buffer.from(text, "utf16le");
  const isLatin1 = [...text].every((character) => character <= "\xff");
  return [
    Buffer.from(text),
    ...(isLatin1 ? [Buffer.from(text, "latin1")] : []),
    utf16,
    Buffer.from(utf16).swap16(),
  ];
}

const distinct = (all: readonly Buffer[]): Buffer[] =>
  all.filter((one, index) => all.findIndex((other) => other.equals(one)) === index);
