import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where the view is written: a terminal, a file or a pipe. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const indent = "  ";
const widthElsewhere = 120;

/** Writes the view. Colours appear only where the output is a terminal and NO_COLOR isn't set. */
export class Printer {
  /** Whether lines can be drawn anew in place. */
  readonly isLive: boolean;
  readonly #output: Output;
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
    this.isLive = output.isTTY === true;
  }

  /** Characters that fit into a line. */
  get width(): number {
    // A terminal that has no size yet reports 0.
    return (this.isLive && this.#output.columns) || widthElsewhere;
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#output as NodeJS.WriteStream });
  }

  line(text = ""): void {
    this.#write(text === "" ? "\n" : `${indent}${text}\n`);
  }

  heading(text: string, sentence: string): void {
    this.#write(`\n${this.style("bold", text)}\n`);
    for (const line of wrapped(sentence, this.width - indent.length)) this.line(this.style("dim", line));
  }

  done(text: string): void {
    this.line(`${this.style("green", "✓")} ${text}`);
  }

  /** Rows with their columns aligned; the last column is cut where the line ends on a terminal. */
  table(rows: readonly (readonly string[])[]): void {
    for (const row of aligned(rows)) this.line(this.isLive ? fitted(row, this.width - indent.length) : row);
  }

  /** Draws these lines in the place of those drawn before, until `settle`. Only for a live output. */
  draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    const room = this.width - indent.length;
    const text = lines.map((line) => `\u001b[2K${indent}${fitted(line, room)}\n`).join("");
    // The cursor is hidden while it would jump; what is left of a longer drawing is erased.
    this.#output.write(`${up}\u001b[?25l${text}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Leaves the lines drawn last where they are and shows the cursor again. */
  settle(): void {
    this.#output.write("\u001b[?25h");
    this.#drawn = 0;
  }

  // What is drawn makes way; whoever draws it does so again below the new text.
  #write(text: string): void {
    const erase = this.#drawn > 0 ? `\u001b[${this.#drawn}A\u001b[J` : "";
    this.#drawn = 0;
    this.#output.write(erase + text);
  }
}

/** Text of at most `room` visible characters; a text that has to be cut loses its styles. */
export function fitted(text: string, room: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= room ? text : `${plain.slice(0, Math.max(0, room - 1))}…`;
}

export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, stripVTControlCharacters(cell).length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const missing = (widths[column] ?? 0) - stripVTControlCharacters(cell).length;
        return column === row.length - 1 ? cell : cell + " ".repeat(missing);
      })
      .join("  "),
  );
}

export function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
