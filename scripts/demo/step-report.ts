import type { Step } from "../service/client.ts";
import { differences } from "./differences.ts";
import { shortType } from "./phase-progress.ts";
import type { Printer } from "./printer.ts";

/** What happened to a resource, in words of the occasion: a plan speaks of the future, drift of the past. */
export type StepWords = Readonly<Record<string, string>>;

const marks: Readonly<Record<string, readonly ["green" | "yellow" | "red", string]>> = {
  create: ["green", "+"],
  delete: ["red", "-"],
};

// What is longer says too little for the place it takes.
const longestValue = 60;
const mostChanges = 12;
/** Characters shown before the first that differs. */
const lead = 16;

/** Shows each resource with every property that differs, as `before → after`. */
export function printSteps(printer: Printer, steps: readonly Step[], words: StepWords): void {
  for (const step of steps) {
    const [color, mark] = marks[step.action] ?? ["yellow", "~"];
    const what = words[step.action] ?? step.action;
    printer.line(
      `${printer.style(color, mark)} ${printer.style("bold", `${shortType(step.type)} ${step.name}`)} ${what}  ${printer.style("dim", step.phase ?? "")}`,
    );
    const changes = changedProperties(step);
    printer.table(
      changes
        .slice(0, mostChanges)
        .map(({ path, before, after }) => [
          `    ${ending(path, printer.width / 2)}`,
          arrow(printer, before, after),
        ]),
    );
    if (changes.length > mostChanges) printer.line(`    … and ${changes.length - mostChanges} more`);
  }
}

/** Every place where a resource differs; the engine's own paths end at whole documents. */
function changedProperties(step: Step) {
  return step.changes.flatMap(({ path, before, after }) => {
    const inner = differences(before, after);
    // Masked values look alike although they differ.
    if (inner.length === 0) return [{ path, before, after }];
    return inner.map((difference) => ({ ...difference, path: joined(path, difference.path) }));
  });
}

function joined(path: string, inner: string): string {
  return inner === "" || inner.startsWith("[") ? `${path}${inner}` : `${path}.${inner}`;
}

/** A long path by its end, which says most, so that its values still fit beside it. */
function ending(path: string, room: number): string {
  return path.length <= room ? path : `…${path.slice(1 - room)}`;
}

function arrow(printer: Printer, before: unknown, after: unknown): string {
  const [left, right] = [written(before), written(after)];
  const start = Math.max(left.length, right.length) > longestValue ? firstDifference(left, right) : 0;
  return `${printer.style("red", excerpt(left, start))} → ${printer.style("green", excerpt(right, start))}`;
}

function written(value: unknown): string {
  return value === undefined ? "(none)" : JSON.stringify(value);
}

function firstDifference(left: string, right: string): number {
  let position = 0;
  while (position < left.length && left[position] === right[position]) position++;
  return position;
}

/** The part of a long text around `position`. */
function excerpt(text: string, position: number): string {
  const from = Math.max(0, position - lead);
  const part = text.slice(from, from + longestValue);
  return `${from > 0 ? "…" : ""}${part}${from + longestValue < text.length ? "…" : ""}`;
}
