import type { Step } from "./client.ts";
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
          `    ${path}`,
          `${printer.style("red", shown(before))} → ${printer.style("green", shown(after))}`,
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

function shown(value: unknown): string {
  if (value === undefined) return "(none)";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}
