import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { driftBetween } from "../../../handlers/dataset/drift.ts";
import type { Profile } from "../../../handlers/dataset/profile.ts";
import { bucketOf, bucketStart } from "../../../handlers/dataset/sketch.ts";
import { populationStability } from "../../../handlers/statistics/divergence.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";
import published from "../statistics/quantile-bins.json" with { type: "json" };
import {
  FLIGHT_COLUMNS,
  FLIGHTS,
  profileOf,
  profileOfHashes,
  profileOfNumbers,
} from "../support/profiles.ts";

const X: readonly DatasetColumn[] = [{ name: "x", type: "number", nullable: true }];

/** The drift of the one column of two profiles. */
function drift(baseline: Profile, fresh: Profile, method: "psi" | "ks" = "psi") {
  const { columns } = driftBetween(baseline, fresh, X, method);
  expect(columns).toHaveLength(1);
  return columns[0]!;
}

const valuesProfile = (counts: Record<string, number>, missing = 0): Profile => ({
  version: 1,
  rows: Object.values(counts).reduce((sum, count) => sum + count, missing),
  columns: { x: { kind: "values", missing, counts } },
});

const repeated = (value: number, times: number) => new Array<number>(times).fill(value);
const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("drift of numbers", () => {
  it.each(published.cases)(
    "is what NumPy's quantile bins give, moved up to the next bucket: $name",
    (sample) => {
      const { baseline, fresh, edges, psi, ks } = sample;
      const whole = [...baseline, ...fresh].every(Number.isInteger);
      const level = whole ? 0 : 1;
      const [expected, actual] = [profileOfNumbers(baseline, whole), profileOfNumbers(fresh, whole)];
      const moved = [...new Set(edges.map((edge) => bucketStart(bucketOf(edge, level) + 1, level)))];
      const counts = (values: number[]) =>
        [...moved, Number.POSITIVE_INFINITY].map(
          (end, i) => values.filter((value) => value < end && value >= (moved[i - 1] ?? -Infinity)).length,
        );
      const byHand = populationStability({ expected: counts(baseline), actual: counts(fresh) });
      expect(drift(expected, actual).score).toBeCloseTo(byHand, 12);
      // So the error is that of values between a bound and the next bucket: of whole numbers there are none.
      expect(drift(expected, actual).score).toBeCloseTo(psi, whole ? 12 : 1);
      expect(drift(expected, actual, "ks").score).toBeCloseTo(ks, whole ? 12 : 2);
    },
  );

  it("compares ten bins, each with a tenth of the baseline", () => {
    const { bins } = drift(profileOfNumbers(oneTo(1000), true), profileOfNumbers(oneTo(500), true));
    expect(bins.map(({ expected }) => expected)).toEqual([0, ...repeated(0.1, 10)]);
    expect(bins.map(({ actual }) => actual)).toEqual([0, ...repeated(0.2, 5), ...repeated(0, 5)]);
  });

  it("is none between equal profiles, and not negative between any", () => {
    const values = fc.array(fc.option(fc.integer({ min: -50, max: 50 })), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [one, other] = [profileOfNumbers(a), profileOfNumbers(b)];
        expect(drift(one, one)).toMatchObject({ score: 0, statistic: 0, pValue: 1 });
        expect(drift(one, other).score).toBeGreaterThanOrEqual(0);
        expect(drift(one, other, "ks").score).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it("is found on either side of a value that all of the baseline has", () => {
    const baseline = profileOfNumbers(repeated(5, 100));
    expect(drift(baseline, profileOfNumbers(repeated(7, 100))).score).toBeGreaterThan(5);
    expect(drift(baseline, profileOfNumbers(repeated(3, 100))).score).toBeGreaterThan(5);
    expect(drift(baseline, profileOfNumbers(repeated(5, 40))).score).toBe(0);
  });

  it("gives a value that several bounds are at a bin of its own", () => {
    const baseline = profileOfNumbers([...repeated(0, 500), ...oneTo(500)], true);
    const fresh = profileOfNumbers([...repeated(0, 900), ...oneTo(100)], true);
    const { bins } = drift(baseline, fresh);
    expect(bins.map(({ expected }) => expected)).toEqual([0, 0, 0.5, ...repeated(0.1, 5)]);
    expect(bins[2]).toEqual({ expected: 0.5, actual: 0.9 });
  });

  it("counts missing values as a bin, and as lower than all numbers", () => {
    const baseline = profileOfNumbers(oneTo(100));
    const fresh = profileOfNumbers([...oneTo(100), ...new Array<null>(100).fill(null)]);
    expect(drift(baseline, fresh).bins[0]).toEqual({ expected: 0, actual: 0.5 });
    expect(drift(baseline, fresh).score).toBeGreaterThan(1);
    expect(drift(baseline, fresh, "ks").score).toBeCloseTo(0.5, 2);
  });
});

describe("drift of categories", () => {
  it("is the index over categories, with chi-square beside it", () => {
    const [baseline, fresh] = [
      valuesProfile({ a: 500, b: 300, c: 200 }),
      valuesProfile({ a: 40, b: 30, c: 30 }),
    ];
    const byHand = -0.1 * Math.log(0.4 / 0.5) + 0 + 0.1 * Math.log(0.3 / 0.2);
    const found = drift(baseline, fresh);
    expect(found.score).toBeCloseTo(byHand, 12);
    expect(found.test).toBe("chi-square");
    // scipy.stats.chi2_contingency([[500, 300, 200], [40, 30, 30]], correction=False)
    expect(found.statistic).toBeCloseTo(6.199677938808373, 9);
    expect(found.pValue).toBeCloseTo(0.045056457277573646, 9);
    expect(drift(baseline, fresh, "ks").score).toBeCloseTo(0.1, 12);
  });

  it("finds a category that the baseline has never seen", () => {
    const baseline = valuesProfile({ a: 600, b: 400 });
    expect(drift(baseline, valuesProfile({ a: 57, b: 38, new: 5 })).score).toBeGreaterThan(0.1);
    expect(drift(baseline, valuesProfile({ a: 6, b: 4 })).score).toBe(0);
  });

  it("finds other categories in a file of few rows", () => {
    expect(drift(valuesProfile({ a: 600, b: 400 }), valuesProfile({ c: 5 })).score).toBeGreaterThan(0.1);
  });

  it("is none between columns of identifiers", () => {
    const ids = (from: number, n: number) =>
      profileOfHashes(Array.from({ length: n }, (_, i) => ((from + i) * 2654435761) % 65_536));
    expect(drift(ids(0, 400), ids(400, 300)).score).toBeLessThan(0.1);
    expect(drift(ids(0, 400), ids(0, 400)).score).toBe(0);
    expect(drift(ids(0, 200_000), ids(200_000, 100_000)).score).toBeLessThan(0.1);
  });

  it("compares texts whose profiles were folded differently", () => {
    const many = profileOfHashes(Array.from({ length: 32_768 }, (_, i) => i));
    const few = profileOfHashes(Array.from({ length: 32_768 }, (_, i) => i % 512));
    expect(drift(many, few).score).toBeGreaterThan(0.1);
    expect(drift(many, many).score).toBe(0);
  });
});

describe("drift of a data set", () => {
  it("is the worst column's, and that column is named", () => {
    const both = (x: number[], y: number[]): Profile => ({
      version: 1,
      rows: x.length,
      columns: { x: profileOfNumbers(x).columns.x!, y: profileOfNumbers(y).columns.x! },
    });
    const columns: DatasetColumn[] = [...X, { name: "y", type: "number", nullable: true }];
    const later = oneTo(100).map((value) => value + 50);
    const report = driftBetween(both(oneTo(100), oneTo(100)), both(oneTo(100), later), columns, "psi");
    expect(report).toMatchObject({
      method: "psi",
      column: "y",
      columns: [{ name: "x", score: 0 }, { name: "y" }],
    });
    expect(report.score).toBe(report.columns[1]!.score);
  });

  it("leaves out dates, columns of another kind, new columns and those without rows", () => {
    const dates: Profile = { version: 1, rows: 5, columns: { x: { kind: "none" } } };
    const numbers = profileOfNumbers([1, 2, 3]);
    for (const [one, other] of [
      [dates, dates],
      [numbers, profileOfHashes([1, 2])],
      [{ version: 1, rows: 9, columns: {} }, numbers],
      [numbers, profileOfNumbers([])],
    ] as const) {
      expect(driftBetween(one, other, X, "psi")).toEqual({ method: "psi", score: 0, columns: [] });
    }
    expect(driftBetween(numbers, numbers, [{ ...X[0]!, name: "constructor" }], "psi").columns).toEqual([]);
  });

  it("is small between halves of the flights, and found where delays or airports change", async () => {
    const flights = (change: string) => `(SELECT date, ${change} FROM '${FLIGHTS}' WHERE`;
    const same = "delay, distance, origin, destination";
    const baseline = await profileOf(FLIGHT_COLUMNS, `${flights(same)} day(date) % 2 = 0)`);
    const against = async (change: string) =>
      driftBetween(
        baseline,
        await profileOf(FLIGHT_COLUMNS, `${flights(change)} day(date) % 2 = 1)`),
        FLIGHT_COLUMNS,
        "psi",
      );
    expect((await against(same)).score).toBeLessThan(0.02);
    expect(await against("delay + 15 AS delay, distance, origin, destination")).toMatchObject({
      column: "delay",
    });
    const moved = await against("delay, distance, if(origin = 'ATL', 'XXX', origin) AS origin, destination");
    expect(moved.column).toBe("origin");
    expect(moved.score).toBeGreaterThan(0.1);
  });
});
