import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inputSchema } from "../../../handlers/gate/input-schema.ts";
import { rowVectors } from "../../../handlers/gate/row-vectors.ts";
import { SlidingCount } from "../../../handlers/gate/sliding-count.ts";
import { type Judgement, type Suspicion, Watch } from "../../../handlers/gate/watch.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

const WINDOW_MS = 1000;
const MINUTE_MS = 60_000;

const COLUMNS: readonly DatasetColumn[] = [
  { name: "Island", type: "string", nullable: false, enum: ["Biscoe", "Dream", "Torgersen"] },
  { name: "Beak Length (mm)", type: "number", nullable: true, min: 32.1, max: 59.6 },
  { name: "Beak Depth (mm)", type: "number", nullable: true, min: 13.1, max: 21.5 },
  { name: "Flipper Length (mm)", type: "integer", nullable: true, min: 172, max: 231 },
  { name: "Body Mass (g)", type: "integer", nullable: true, min: 2700, max: 6300 },
  { name: "Sex", type: "string", nullable: true },
];

const vectors = rowVectors(COLUMNS);
const check = inputSchema(COLUMNS, "Species");

const penguins = (
  JSON.parse(readFileSync("node_modules/vega-datasets/data/penguins.json", "utf8")) as Record<
    string,
    unknown
  >[]
).map(({ Species: _, ...inputs }) => inputs);

function watching(ratePerSecond = 10) {
  const watch = new Watch(vectors, ratePerSecond);
  const ask = (nowMs: number, rows: readonly Record<string, unknown>[], caller = "ada"): Judgement => {
    const { instances, typed, outOfRange } = check(JSON.stringify({ instances: rows }));
    return watch.judge({ caller, nowMs, rows: instances.length, outOfRange, vectors: typed.map(vectors.of) });
  };
  return { watch, ask };
}

const reasons = (judgements: readonly Judgement[]) =>
  [...new Set(judgements.flatMap(({ suspicions }) => suspicions))] satisfies Suspicion[];

describe("a sliding count", () => {
  const events = fc.array(fc.record({ afterMs: fc.nat(3 * WINDOW_MS), amount: fc.nat(10) }), {
    maxLength: 60,
  });

  it("lies between what came in the window's current part and what came within twice the window", () => {
    fc.assert(
      fc.property(events, (all) => {
        const count = new SlidingCount(WINDOW_MS);
        const seen: { at: number; amount: number }[] = [];
        let nowMs = 0;
        for (const { afterMs, amount } of all) {
          nowMs += afterMs;
          count.add(amount, nowMs);
          seen.push({ at: nowMs, amount });
          const within = (ms: number) =>
            seen.filter(({ at }) => at > nowMs - ms).reduce((sum, each) => sum + each.amount, 0);
          expect(count.at(nowMs)).toBeGreaterThanOrEqual(amount);
          expect(count.at(nowMs)).toBeLessThanOrEqual(within(2 * WINDOW_MS) + 1e-9);
        }
      }),
    );
  });

  it("is nothing after twice the window, and never rises by waiting", () => {
    fc.assert(
      fc.property(events, fc.array(fc.nat(WINDOW_MS), { maxLength: 10 }), (all, waits) => {
        const count = new SlidingCount(WINDOW_MS);
        let nowMs = 0;
        for (const { afterMs, amount } of all) {
          nowMs += afterMs;
          count.add(amount, nowMs);
        }
        let last = count.at(nowMs);
        for (const wait of waits) {
          nowMs += wait;
          const next = count.at(nowMs);
          expect(next).toBeLessThanOrEqual(last + 1e-9);
          last = next;
        }
        expect(count.at(nowMs + 2 * WINDOW_MS)).toBe(0);
      }),
    );
  });

  it("is exact for what comes evenly", () => {
    const count = new SlidingCount(WINDOW_MS);
    for (let nowMs = 0; nowMs < 10 * WINDOW_MS; nowMs += 10) count.add(1, nowMs);
    expect(count.at(10 * WINDOW_MS)).toBeCloseTo(WINDOW_MS / 10, 6);
  });

  it("takes a moment that comes late without forgetting anything", () => {
    const count = new SlidingCount(WINDOW_MS);
    count.add(3, 5000);
    count.add(2, 4000);
    expect(count.at(5000)).toBe(5);
  });
});

describe("the watch", () => {
  it("suspects nobody who asks about real penguins, in the file's order or in any other", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(penguins, { minLength: penguins.length }), (rows) => {
        const { ask } = watching();
        const judged = [rows, penguins].map((all, run) =>
          all.map((row, index) => ask(index * 1000, [row], `caller ${run}`)),
        );
        expect(reasons(judged.flat())).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  it("suspects nobody who repeats a request", () => {
    const { ask } = watching();
    const judged = Array.from({ length: 500 }, (_, index) => ask(index * 1000, penguins.slice(0, 1)));
    expect(reasons(judged)).toEqual([]);
  });

  it("suspects, then refuses whoever varies a row a little again and again", () => {
    const { ask } = watching();
    const row = { ...penguins[0], "Body Mass (g)": 3000 };
    const judged = Array.from({ length: 250 }, (_, index) =>
      ask(index * 1000, [{ ...row, "Body Mass (g)": 3000 + index }]),
    );
    expect(reasons(judged)).toEqual(["nearly_alike"]);
    expect(judged.findIndex(({ suspicions }) => suspicions.length > 0)).toBe(20);
    expect(judged.findIndex(({ refused }) => refused)).toBe(200);
  });

  it("suspects whoever walks through one column while the others stay", () => {
    const { ask } = watching();
    const judged = Array.from({ length: 60 }, (_, index) =>
      ask(index * 1000, [{ ...penguins[0], "Body Mass (g)": 2700 + index * 60 }]),
    );
    expect(reasons(judged)).toEqual(["nearly_alike"]);
  });

  it("suspects, then refuses whoever leaves the ranges again and again, and nobody for a mistake", () => {
    const { ask } = watching();
    const outside = { ...penguins[0], "Body Mass (g)": 10_000 };
    const mistaken = penguins
      .slice(0, 60)
      .map((row, index) => ask(index * 1000, [index % 20 === 0 ? outside : row]));
    expect(reasons(mistaken)).toEqual([]);

    const probing = Array.from({ length: 60 }, (_, index) =>
      ask(index * 1000, [{ ...penguins[index], "Body Mass (g)": 7000 + index * 500 }], "eve"),
    );
    expect(reasons(probing)).toContain("out_of_range");
    expect(probing.findIndex(({ suspicions }) => suspicions.includes("out_of_range"))).toBe(4);
    expect(probing.findIndex(({ refused }) => refused)).toBe(49);
  });

  it("suspects who asks faster than the API's rate allows for long, and refuses twice that", () => {
    const { ask } = watching(10);
    const steady = Array.from({ length: 600 }, (_, index) => ask(index * 100, [penguins[index % 300]!]));
    expect(reasons(steady)).toEqual([]);
    const burst = Array.from({ length: 230 }, (_, index) => ask(index * 10, [penguins[index % 300]!], "eve"));
    expect(burst.findIndex(({ suspicions }) => suspicions.includes("burst"))).toBe(110);
    expect(burst.findIndex(({ refused }) => refused)).toBe(220);
  });

  it("forgets what a caller did after two windows of quiet", () => {
    const { ask } = watching();
    const outside = { ...penguins[0], "Body Mass (g)": 10_000 };
    for (let index = 0; index < 60; index++) ask(index * 1000, [outside]);
    expect(ask(60_000, [penguins[0]!]).refused).toBe(true);
    expect(ask(60_000 + 10 * MINUTE_MS, [penguins[0]!])).toEqual({ suspicions: [], refused: false });
  });

  it("judges each caller by what that one did", () => {
    const outside = { ...penguins[0], "Body Mass (g)": 10_000 };
    const steps = fc.array(
      fc.record({ who: fc.constantFrom("ada", "eve"), row: fc.nat(300), bad: fc.boolean() }),
      {
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const together = watching();
        const alone = { ada: watching(), eve: watching() };
        for (const [index, { who, row, bad }] of all.entries()) {
          const rows = [bad ? outside : penguins[row]!];
          expect(together.ask(index * 50, rows, who)).toEqual(alone[who].ask(index * 50, rows, who));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("remembers a thousand callers and no more", () => {
    const { watch, ask } = watching();
    for (let index = 0; index < 2500; index++) ask(index, [penguins[0]!], `caller ${index}`);
    expect(watch.size).toBe(1000);
  });
});
