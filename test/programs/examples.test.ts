import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Profile } from "../../programs/profiles.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import type { DatasetColumn } from "../../programs/spec.ts";
import { type Example, exampleSpecs } from "../../scripts/programs/example-specs.ts";

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

/** Each example's data set below data/ of vega-datasets. */
const SOURCES: Readonly<Record<string, { file: string }>> = {
  barley: { file: "barley.json" },
  birdstrikes: { file: "birdstrikes.csv" },
  cars: { file: "cars.json" },
  flights: { file: "flights-200k.json" },
  gapminder: { file: "gapminder.json" },
  penguins: { file: "penguins.json" },
  weather: { file: "seattle-weather.csv" },
};

function rowsOf(file: string): readonly Row[] {
  const url = new URL(`../../node_modules/vega-datasets/data/${file}`, import.meta.url);
  const text = readFileSync(url, "utf8");
  return file.endsWith(".json") ? JSON.parse(text) : rowsOfCsv(text);
}

/** None of these files quotes a value. */
function rowsOfCsv(text: string): readonly Row[] {
  const [header = "", ...lines] = text.trimEnd().split(/\r?\n/);
  const names = header.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    expect(values).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, index) => [name, readValue(values[index] ?? "")]));
  });
}

const readValue = (text: string): Value =>
  text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);

const examples = exampleSpecs();

describe("the examples", () => {
  it("show every serving mode in production, and in learning those that cost nothing while nobody asks", () => {
    const modesIn = (profile: Profile) =>
      new Set(examples.filter(({ spec }) => spec.profile === profile).map(({ spec }) => spec.serving.mode));
    expect(modesIn("production")).toEqual(new Set(SERVING_MODES));
    expect(modesIn("learning")).toEqual(new Set(["serverless", "lambda"]));
  });

  it("each come from a data set of their own", () => {
    expect(Object.keys(SOURCES)).toEqual(examples.map(({ name }) => name));
  });
});

describe.each(examples)("the $name example", ({ name, spec }: Example) => {
  const { file } = SOURCES[name]!;
  const rows = rowsOf(file);
  const { schema, quality } = spec.dataset;

  const valuesOf = (column: string) => rows.map((row) => row[column] ?? null);
  const presentIn = (column: string) => valuesOf(column).filter((value) => value !== null);
  const nullFraction = (column: string) => 1 - presentIn(column).length / rows.length;
  const allowedNullFraction = ({ nullable, maxNullFraction }: DatasetColumn) =>
    nullable ? (maxNullFraction ?? quality.maxNullFraction) : 0;

  it("names the data set's columns in their order", () => {
    expect(schema.map((column) => column.name)).toEqual(Object.keys(rows[0]!));
    expect(rows.every((row) => Object.keys(row).length === schema.length)).toBe(true);
  });

  it("gives numbers and dates their true types and ranges, unless it lists their values", () => {
    const ranged = schema.filter(({ type, enum: values }) => type !== "string" && values === undefined);
    for (const { name: column, type, min, max } of ranged) {
      expect({ column, type, min, max }).toEqual({ column, ...typeAndRange(presentIn(column)) });
    }
  });

  it("lists every value of a column", () => {
    for (const { name: column, enum: values } of schema) {
      if (values === undefined) continue;
      const present = new Set<unknown>(presentIn(column));
      const unlisted = [...present].filter((value) => !values.some((known) => known === value));
      expect(unlisted).toEqual([]);
      expect(values.filter((value) => !present.has(value))).toEqual([]);
    }
  });

  it("is nullable exactly where values are missing, within its limits", () => {
    for (const column of schema) {
      expect([column.name, column.nullable]).toEqual([column.name, nullFraction(column.name) > 0]);
      expect(nullFraction(column.name), column.name).toBeLessThanOrEqual(allowedNullFraction(column));
    }
  });

  it("allows as few duplicates as there are", () => {
    const duplicates = rows.length - new Set(rows.map((row) => JSON.stringify(row))).size;
    expect(duplicates / rows.length).toBeLessThanOrEqual(quality.maxDuplicateFraction);
    expect(quality.maxDuplicateFraction).toBeLessThanOrEqual((duplicates / rows.length) * 1.5);
  });

  it("predicts a column that it has, or says no target", () => {
    const target = spec.dataset.features?.target ?? spec.training.hyperparameters.target;
    if (target !== undefined) expect(schema.map((column) => column.name)).toContain(target);
  });
});

function typeAndRange(values: readonly Value[]) {
  if (values.every((value) => typeof value === "number")) {
    // Not spread into Math.min: 200,000 arguments overflow the stack.
    const min = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const max = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    return { type: values.every(Number.isInteger) ? "integer" : "number", min, max };
  }
  const sorted = values.map(String).toSorted();
  expect(sorted.every((value) => /^\d{4}-\d{2}-\d{2}$/.test(value))).toBe(true);
  return { type: "date", min: sorted[0], max: sorted.at(-1) };
}
