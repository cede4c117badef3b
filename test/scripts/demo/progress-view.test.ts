import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PhaseProgress } from "../../../scripts/demo/phase-progress.ts";
import { ProgressView } from "../../../scripts/demo/progress-view.ts";
import { recorder } from "./recorder.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function create(progress: PhaseProgress, name: string, phase: "learning" | "compliance") {
  const type = "aws:s3/bucket:Bucket";
  const body = { status: "done", action: "create", urn: name, resourceType: type, name };
  progress.add({ sequence: 1, at: new Date().toISOString(), type: "resource", phase, body });
}

function watch(progress: PhaseProgress, terminal: { isTTY?: boolean; columns?: number }) {
  const { printer, text } = recorder(terminal);
  return { view: new ProgressView(printer, progress), text };
}

it("outside a terminal each phase is told once, when it is complete or when all has ended", () => {
  const progress = new PhaseProgress(
    new Map([
      ["learning", 2],
      ["compliance", 2],
    ]),
  );
  const { view, text } = watch(progress, {});
  for (const name of ["a", "b"]) {
    create(progress, name, "learning");
    view.update();
  }
  create(progress, "c", "compliance");
  view.update();
  expect(text()).toBe("  learning            2/2  0.0 s\n");
  view.end();
  expect(text()).toBe("  learning            2/2  0.0 s\n  compliance          1/2  0.0 s\n");
});

it("outside a terminal a long silence is broken by a sign of life", () => {
  const { view, text } = watch(new PhaseProgress(undefined), {});
  vi.advanceTimersByTime(5_000);
  expect(text()).toBe("  … 0 resources after 5.0 s\n");
  view.end();
});

it("on a terminal the five phases are drawn in place", () => {
  const progress = new PhaseProgress(new Map([["learning", 2]]));
  const { view, text } = watch(progress, { isTTY: true, columns: 80 });
  create(progress, "a", "learning");
  vi.advanceTimersByTime(80);
  view.end();
  const last = text().split("\u001b[6A").at(-1);
  expect(last).toMatch(/learning {8}.*█{12}░{12}.* 1\/2/);
});
