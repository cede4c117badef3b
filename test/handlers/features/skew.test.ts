import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyTransform, type FeatureRecord } from "../../../handlers/features/apply.ts";
import { type Declaration, fitTransform, type Row } from "../../../handlers/features/fit.ts";
import {
  acceptedRecords,
  type Column,
  FLIGHT_COLUMNS,
  flights,
  PENGUIN_COLUMNS,
  penguins,
  someFeatures,
} from "../support/accepted-records.ts";

/** The features of all records by SQL, as a training has them, and of each record by itself, as serving has them. */
async function bothWays(declaration: Declaration, records: readonly Row[]) {
  const accepted = await acceptedRecords(declaration.columns, records);
  try {
    const parameters = await fitTransform(declaration, accepted.statistics);
    const trained = await accepted.ask(parameters.sql);
    const served = records.map((record) => applyTransform(parameters, record));
    return { parameters, trained, served };
  } finally {
    accepted.close();
  }
}

const PENGUIN_FEATURES = someFeatures({
  target: "Species",
  derive: [
    { name: "beak", operation: "ratio", columns: ["Beak Length (mm)", "Beak Depth (mm)"] },
    { name: "heavy", operation: "flag", column: "Body Mass (g)", is: "above", value: 4000 },
    { name: "unsexed", operation: "flag", column: "Sex", is: "missing" },
    { name: "flipper bin", operation: "quantileBin", column: "Flipper Length (mm)", bins: 5 },
    { name: "beak clipped", operation: "clip", column: "beak", min: 2, max: 3 },
  ],
  impute: [
    { columns: ["Beak Length (mm)", "beak"], strategy: "mean" },
    { columns: ["Sex"], strategy: "most-frequent" },
  ],
  scale: [
    { columns: ["Beak Length (mm)"], method: "standard" },
    { columns: ["Beak Depth (mm)", "beak"], method: "robust" },
    { columns: ["Body Mass (g)"], method: "min-max" },
  ],
  encode: [
    { columns: ["Sex", "flipper bin"], method: "one-hot", handleUnknown: "ignore" },
    { columns: ["Island"], method: "frequency", handleUnknown: "ignore" },
  ],
});

const FLIGHT_FEATURES = someFeatures({
  target: "delay",
  derive: [
    { name: "hour", operation: "datePart", column: "date", part: "hour" },
    { name: "minute", operation: "datePart", column: "date", part: "minute" },
    { name: "weekday", operation: "datePart", column: "date", part: "dayOfWeek" },
    { name: "day of year", operation: "datePart", column: "date", part: "dayOfYear" },
    { name: "far", operation: "bucket", column: "distance", edges: [250, 500, 1000, 2000] },
    { name: "distance by hour", operation: "ratio", columns: ["distance", "hour"] },
  ],
  impute: [{ columns: ["distance by hour"], strategy: "median" }],
  scale: [{ columns: ["distance", "distance by hour"], method: "standard" }],
  encode: [
    { columns: ["origin"], method: "one-hot", handleUnknown: "ignore" },
    { columns: ["destination"], method: "ordinal", handleUnknown: "ignore" },
  ],
});

describe("training and serving", () => {
  it.each([
    ["penguins", { features: PENGUIN_FEATURES, columns: PENGUIN_COLUMNS }, penguins()],
    ["flights", { features: FLIGHT_FEATURES, columns: FLIGHT_COLUMNS }, flights()],
  ] as const)(
    "have the same features of every one of the %s, to the last bit",
    async (_, declaration, records) => {
      const { trained, served, parameters } = await bothWays(declaration, records);
      expect(trained).toHaveLength(records.length);
      const { target } = declaration.features;
      for (const [index, { [target]: label, ...features }] of trained.entries()) {
        expect(features).toStrictEqual(served[index]);
        expect(Object.keys(features)).toEqual(parameters.features);
        const wanted = (records as readonly Row[])[index]![target];
        expect(typeof label === "bigint" ? Number(label) : label).toBe(wanted);
      }
    },
  );

  it("have the same features of whatever values there are", async () => {
    const columns: readonly Column[] = [
      { name: "a", type: "number" },
      { name: 'b "quoted"', type: "number" },
      { name: "n", type: "integer" },
      { name: "yes", type: "boolean" },
      { name: "text's", type: "string" },
      { name: "day", type: "date" },
      { name: "at", type: "timestamp" },
      { name: "y", type: "integer" },
    ];
    const b = 'b "quoted"';
    const parts = ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute"] as const;
    const features = someFeatures({
      target: "y",
      derive: [
        { name: "ratio", operation: "ratio", columns: ["a", b] },
        { name: "difference", operation: "difference", columns: ["a", "n"] },
        { name: "product", operation: "product", columns: ["ratio", b] },
        { name: "edges", operation: "bucket", column: "a", edges: [-1e3, -0.1, 0, 0.1, 1e3] },
        { name: "bins", operation: "quantileBin", column: "difference", bins: 4 },
        { name: "clipped", operation: "clip", column: "n", min: -10, max: 10 },
        { name: "low", operation: "flag", column: "a", is: "below", value: 0.1 },
        { name: "is it", operation: "flag", column: "text's", is: "equal", value: "it's" },
        { name: "no day", operation: "flag", column: "day", is: "missing" },
        ...parts.map((part) => ({ name: `at ${part}`, operation: "datePart", column: "at", part })),
        { name: "weekday", operation: "datePart", column: "day", part: "dayOfWeek" },
      ],
      impute: [
        { columns: [b], strategy: "constant", fillValue: 0.1 },
        { columns: ["text's"], strategy: "constant", fillValue: "none" },
        { columns: ["bins"], strategy: "constant", fillValue: -1 },
      ],
      scale: [
        { columns: ["a"], method: "standard" },
        { columns: [b], method: "min-max" },
        { columns: ["product"], method: "robust" },
      ],
      encode: [
        { columns: ["text's"], method: "ordinal", handleUnknown: "ignore" },
        { columns: ["yes", "bins"], method: "one-hot", handleUnknown: "ignore" },
        { columns: ["n"], method: "frequency", handleUnknown: "error" },
      ],
    });
    const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 6 });
    // Beyond 1e150 a variance overflows, which fitting refuses.
    const number = maybe(
      fc.double({ min: -1e150, max: 1e150, noNaN: true }).map((value) => (value === 0 ? 0 : value)),
    );
    const moment = fc.oneof(
      fc.date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }),
      // Every day that a date can be written of: some stand for "unknown" in data.
      fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
    );
    const written = (at: Date, form: string) =>
      form === "minutes" ? at.toISOString().slice(0, 16) : at.toISOString().replace("Z", form);
    const forms = fc.constantFrom("Z", "", "+05:30", "-0930", "+05", "123456Z", "minutes");
    const record = fc.record({
      a: number,
      [b]: number,
      n: maybe(fc.integer()),
      yes: maybe(fc.boolean()),
      "text's": maybe(fc.constantFrom("it's", "", " ", "ü", "😀", "\uffff", "none")),
      day: maybe(moment.map((at) => at.toISOString().slice(0, 10))),
      at: maybe(fc.tuple(moment, forms).map(([at, form]) => written(at, form))),
      y: fc.integer(),
    });
    // Every column has a value in this one, so that everything can be fitted.
    const whole = {
      a: 0.1,
      [b]: 3,
      n: 7,
      yes: true,
      "text's": "it's",
      day: "2024-02-29",
      at: "2024-12-31T23:59:59Z",
      y: 1,
    };
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 60 }), async (records) => {
        const all: readonly Row[] = [whole, ...records];
        const { trained, served } = await bothWays({ features, columns }, all);
        for (const [index, { y: _, ...trainedOn }] of trained.entries()) {
          expect(trainedOn).toStrictEqual(served[index]);
        }
      }),
      // A busy machine gets through fewer.
      { numRuns: 12, interruptAfterTimeLimit: 20_000 },
    );
  });

  it("differ in a logarithm by four units in the last place at most", async () => {
    const columns: readonly Column[] = [
      { name: "x", type: "number" },
      { name: "y", type: "number" },
    ];
    const features = someFeatures({
      target: "y",
      derive: [{ name: "log", operation: "log1p", column: "x" }],
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -1.5, max: 1e300, noNaN: true }), { minLength: 1, maxLength: 50 }),
        async (values) => {
          const { trained, served } = await bothWays(
            { features, columns },
            values.map((x) => ({ x, y: 0 })),
          );
          for (const [index, { log }] of (trained as readonly FeatureRecord[]).entries()) {
            const one = log as number | null;
            const other = served[index]!.log as number | null;
            if (one === null || other === null) expect(one).toBe(other);
            else {
              expect(Math.abs(one - other)).toBeLessThanOrEqual(4 * Number.EPSILON * Math.abs(one));
              expect(Math.abs(one - Math.log1p(values[index]!))).toBeLessThanOrEqual(1e-14 * Math.abs(one));
            }
          }
        },
      ),
      { numRuns: 30, interruptAfterTimeLimit: 20_000 },
    );
  });
});
