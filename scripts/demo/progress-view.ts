import type { PhaseProgress, PhaseRow } from "./phase-progress.ts";
import { aligned, counted, type Printer, seconds } from "./printer.ts";

const redrawMs = 80;
const reportMs = 5_000;
const barLength = 24;
const blockLength = 6;
const spinner = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];

/**
 * Shows an operation's five phases while it runs: in place on a terminal, elsewhere one line for each phase that is complete
 * and a sign of life every few seconds.
 */
export class ProgressView {
  readonly #printer: Printer;
  readonly #progress: PhaseProgress;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #reported = new Set<string>();

  constructor(printer: Printer, progress: PhaseProgress) {
    this.#printer = printer;
    this.#progress = progress;
    this.#timer = printer.isLive
      ? setInterval(() => this.#draw(), redrawMs)
      : setInterval(() => this.#reportLife(), reportMs);
    if (printer.isLive) this.#draw();
  }

  /** To be called after every event. */
  update(): void {
    if (!this.#printer.isLive) this.#report(({ done, planned }) => planned !== undefined && done >= planned);
  }

  /** Shows the last state and stops. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#printer.isLive) {
      this.#printer.draw(this.#lines());
      this.#printer.settle();
    } else {
      this.#report(() => true);
    }
  }

  #draw(): void {
    this.#printer.draw([...this.#lines(), spinning(this.#printer, "", this.#startedAt)]);
  }

  #lines(): string[] {
    const elapsedMs = performance.now() - this.#startedAt;
    return aligned(this.#progress.rows().map((row) => this.#columns(row, elapsedMs)));
  }

  #columns(row: PhaseRow, elapsedMs: number): string[] {
    const { phase, done, failed, planned, current } = row;
    const printer = this.#printer;
    const complete = planned === undefined ? current === undefined : done >= planned;
    const style = failed > 0 ? "red" : complete ? "green" : "cyan";
    const idle = done === 0 && current === undefined;
    const note = idle ? "" : current === undefined ? seconds(row.tookMs) : `${current}`;
    return [
      phase,
      printer.style(idle ? "dim" : style, bar(row, elapsedMs)),
      count(row).padStart(7),
      failed > 0 ? printer.style("red", counted(failed, "failure")) : printer.style("dim", note),
    ];
  }

  #report(isDue: (row: PhaseRow) => boolean): void {
    const due = this.#progress.rows().filter((row) => !this.#reported.has(row.phase) && isDue(row));
    for (const row of due) {
      this.#reported.add(row.phase);
      if (row.done === 0 && row.failed === 0) continue;
      const failures = row.failed > 0 ? `, ${counted(row.failed, "failure")}` : "";
      this.#printer.line(
        `${row.phase.padEnd(16)}${count(row).padStart(7)}  ${seconds(row.tookMs)}${failures}`,
      );
    }
  }

  #reportLife(): void {
    const done = this.#progress.rows().reduce((sum, row) => sum + row.done, 0);
    this.#printer.line(
      `… ${counted(done, "resource")} after ${seconds(performance.now() - this.#startedAt)}`,
    );
  }
}

/** Shows on a terminal that `work` is still going on; leaves nothing behind. */
export async function whileWaiting<Value>(
  printer: Printer,
  text: string,
  work: Promise<Value>,
): Promise<Value> {
  if (!printer.isLive) return work;
  const startedAt = performance.now();
  const timer = setInterval(() => printer.draw([spinning(printer, text, startedAt)]), redrawMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    printer.draw([]);
    printer.settle();
  }
}

function spinning(printer: Printer, text: string, startedAt: number): string {
  const elapsedMs = performance.now() - startedAt;
  const frame = spinner[Math.floor(elapsedMs / redrawMs) % spinner.length] ?? "";
  return `${printer.style("cyan", frame)} ${printer.style("dim", `${text}${seconds(elapsedMs)}`)}`;
}

function count({ done, planned }: PhaseRow): string {
  if (planned === undefined) return String(done);
  return planned === 0 ? "–" : `${done}/${planned}`;
}

/** Filled by the share that is done; without a plan, a block that runs to and fro while something is being done. */
function bar({ done, planned, current }: PhaseRow, elapsedMs: number): string {
  if (planned === undefined && current !== undefined) {
    const way = barLength - blockLength;
    const step = Math.floor(elapsedMs / redrawMs) % (2 * way);
    const left = step < way ? step : 2 * way - step;
    return "░".repeat(left) + "█".repeat(blockLength) + "░".repeat(way - left);
  }
  const share = planned === undefined ? Math.sign(done) : planned === 0 ? 0 : Math.min(1, done / planned);
  const filled = Math.floor(share * barLength);
  return "█".repeat(filled) + "░".repeat(barLength - filled);
}
