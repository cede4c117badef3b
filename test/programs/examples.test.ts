import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type DatasetColumn, parseSpec, specProblems } from "../../programs/spec.ts";

type Row = Readonly<Record<string, string | number | null>>;

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const spec = parseSpec(parse(read("examples/penguins.yaml")));
const rows = JSON.parse(read("node_modules/vega-datasets/data/penguins.json")) as readonly Row[];

const valuesOf = (column: string) => rows.map((row) => row[column] ?? null);
const presentIn = (column: string) => valuesOf(column).filter((value) => value !== null);
const nullFraction = (column: string) => 1 - presentIn(column).length / rows.length;

const numeric = spec.dataset.schema.filter(({ type }) => type === "integer" || type === "number");
const listed = spec.dataset.schema.filter(({ type }) => type === "string");

const allowedNullFraction = ({ nullable, maxNullFraction }: DatasetColumn) =>
  nullable ? (maxNullFraction ?? spec.dataset.quality.maxNullFraction) : 0;

describe("the penguins example", () => {
  it("breaks no rule", () => {
    expect(specProblems(spec)).toEqual([]);
  });

  it("names the data set's columns in their order", () => {
    expect(spec.dataset.schema.map(({ name }) => name)).toEqual(Object.keys(rows[0]!));
    expect(rows.every((row) => Object.keys(row).length === spec.dataset.schema.length)).toBe(true);
  });

  it.each(numeric)("gives $name its true type and range", ({ name, type, min, max }) => {
    const numbers = presentIn(name).map(Number);
    expect({ type, min, max }).toEqual({
      type: numbers.every(Number.isInteger) ? "integer" : "number",
      min: Math.min(...numbers),
      max: Math.max(...numbers),
    });
  });

  it.each(listed)(
    "lists every value of $name but the one that is wrong in the source",
    ({ name, enum: values = [] }) => {
      const others = presentIn(name).filter((value) => !values.some((known) => known === value));
      expect(others).toEqual(name === "Sex" ? ["."] : []);
      expect(
        values.filter((value) => typeof value !== "boolean" && !presentIn(name).includes(value)),
      ).toEqual([]);
    },
  );

  it.each(spec.dataset.schema)(
    "is nullable in $name exactly where values are missing, within its limit",
    (column) => {
      expect(column.nullable).toBe(nullFraction(column.name) > 0);
      expect(nullFraction(column.name)).toBeLessThanOrEqual(allowedNullFraction(column));
    },
  );

  it("allows as few duplicates as there are", () => {
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length);
    expect(spec.dataset.quality.maxDuplicateFraction).toBe(0);
  });
});
