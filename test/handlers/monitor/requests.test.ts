import { readFileSync } from "node:fs";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { InputViolations } from "../../../handlers/monitor/input-violations.ts";
import {
  constraintsDocument,
  statisticsDocument,
} from "../../../handlers/monitor/model-monitor-documents.ts";
import { RowProfiler } from "../../../handlers/monitor/profiled-rows.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

type Penguin = Readonly<Record<string, string | number | null>>;

const penguins: readonly Penguin[] = JSON.parse(
  readFileSync("node_modules/vega-datasets/data/penguins.json", "utf8"),
);

const MASS: DatasetColumn = { name: "Body Mass (g)", type: "integer", nullable: true, min: 2700, max: 6300 };
const ISLAND: DatasetColumn = {
  name: "Island",
  type: "string",
  nullable: false,
  enum: ["Biscoe", "Dream", "Torgersen"],
};
const SEX: DatasetColumn = { name: "Sex", type: "string", nullable: true, maxNullFraction: 0.03 };
const SEEN: DatasetColumn = { name: "Seen", type: "date", nullable: true };

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:");
  connection = await instance.connect();
});
afterAll(() => instance.closeSync());

async function profiled(table: string, columns: readonly DatasetColumn[], rows: readonly Penguin[]) {
  const profiler = new RowProfiler(connection, table, columns);
  for (const row of rows) await profiler.add(row);
  return profiler.finish();
}

describe("violations of the schema", () => {
  const columns = [ISLAND, MASS];
  beforeEach(() => connection.run("DROP TABLE IF EXISTS patterned"));
  const found = async (
    instances: readonly Record<string, unknown>[],
    declared: readonly DatasetColumn[] = columns,
  ) => {
    const checks = new InputViolations(connection, declared, "Species");
    for (const one of instances) await checks.add(one);
    const { broken, violations } = await checks.finish();
    return [broken, violations];
  };

  it("are none in the penguins' own file", async () => {
    const rows = penguins.map((row) => ({ Island: row.Island, "Body Mass (g)": row["Body Mass (g)"] }));
    expect(await found(rows)).toEqual([0, []]);
  });

  it.each([
    [{ Island: "Biscoe", "Body Mass (g)": "4000" }, "Body Mass (g)", "data_type_check"],
    [{ Island: "Biscoe", "Body Mass (g)": 4000.5 }, "Body Mass (g)", "data_type_check"],
    [{ Island: "Biscoe", "Body Mass (g)": 2699 }, "Body Mass (g)", "range_check"],
    [{ Island: "Biscoe", "Body Mass (g)": 6301 }, "Body Mass (g)", "range_check"],
    [{ Island: "biscoe" }, "Island", "categorical_values_check"],
    [{ Island: null }, "Island", "completeness_check"],
    [{ "Body Mass (g)": 4000 }, "Island", "missing_column_check"],
    [{ Island: "Dream", Planet: "Earth" }, "(extra)", "extra_column_check"],
  ])("are found: %j", async (one, column, check) => {
    expect(await found([one])).toEqual([1, [{ column, check, count: 1 }]]);
  });

  it("include both ends of a range", async () => {
    expect(
      await found([
        { Island: "Dream", "Body Mass (g)": 2700 },
        { Island: "Dream", "Body Mass (g)": 6300 },
      ]),
    ).toEqual([0, []]);
  });

  it("are counted once an instance, and by column", async () => {
    const bad = { Island: "Mars", "Body Mass (g)": 1 };
    expect(await found([bad, bad, { Island: null }])).toEqual([
      3,
      [
        { column: "Body Mass (g)", check: "range_check", count: 2 },
        { column: "Island", check: "categorical_values_check", count: 2 },
        { column: "Island", check: "completeness_check", count: 1 },
      ],
    ]);
  });

  it("may be absent columns only where the target is known: any may be it otherwise", async () => {
    const checks = new InputViolations(connection, columns, undefined);
    await checks.add({ "Body Mass (g)": 4000 });
    expect(await checks.finish()).toEqual({ broken: 0, violations: [] });
  });

  const text = (name: string, pattern: string): DatasetColumn => ({
    name,
    type: "string",
    nullable: true,
    pattern,
  });

  it("of patterns are texts that don't match as a whole, by RE2 as data validation has it", async () => {
    const declared = [text("Code", "[[:upper:]]{2}-\\d+"), text("Name", "(?i)[a-z]+")];
    const instances = [
      { Code: "AB-12", Name: "Ada" },
      { Code: "AB-12x", Name: "ada lovelace" },
      { Code: "ab-12", Name: null },
      { Code: "", Name: "A" },
      {},
    ];
    expect(await found(instances, declared)).toEqual([
      3,
      [
        { column: "Code", check: "pattern_check", count: 3 },
        { column: "Name", check: "pattern_check", count: 1 },
      ],
    ]);
  });

  it("break an instance once, whatever else it breaks, and a value by one check", async () => {
    const declared = [{ ...text("Code", "[A-Z]+"), enum: ["A", "b"] }, text("Name", "[a-z]+"), MASS];
    const instances = [
      { Code: "c", Name: "ada", "Body Mass (g)": 4000 },
      { Code: "A", Name: "Ada", "Body Mass (g)": 1 },
      { Code: "b", Name: "Ada", "Body Mass (g)": 4000 },
      { Code: 7, Name: "ada", "Body Mass (g)": 4000 },
    ];
    expect(await found(instances, declared)).toEqual([
      4,
      [
        { column: "Name", check: "pattern_check", count: 2 },
        { column: "Body Mass (g)", check: "range_check", count: 1 },
        { column: "Code", check: "categorical_values_check", count: 1 },
        { column: "Code", check: "data_type_check", count: 1 },
        { column: "Code", check: "pattern_check", count: 1 },
      ],
    ]);
  });

  it("of patterns take no longer for a text that was made to take long", { timeout: 5_000 }, async () => {
    // JavaScript's engine would try 2 to the power of 5,000 ways.
    const hostile = `${"a".repeat(5_000)}!`;
    expect(await found([{ Name: hostile }], [text("Name", "(a+)+")])).toEqual([
      1,
      [{ column: "Name", check: "pattern_check", count: 1 }],
    ]);
  });
});

describe("statistics", () => {
  it("of the penguins have Model Monitor's form and the file's figures", async () => {
    const document = statisticsDocument(
      [ISLAND, MASS, SEX, SEEN],
      await profiled("a", [ISLAND, MASS, SEX, SEEN], penguins),
    );
    const [island, mass, sex, seen] = document.features as unknown as [
      Record<string, unknown>,
      {
        numerical_statistics: Record<string, number> & {
          distribution: { kll: { buckets: { count: number }[] } };
        };
      },
      unknown,
      unknown,
    ];
    expect(document).toMatchObject({ version: 0, dataset: { item_count: 344 } });
    expect(island).toEqual({
      name: "Island",
      inferred_type: "String",
      string_statistics: {
        common: { num_present: 344, num_missing: 0 },
        distinct_count: 3,
        distribution: {
          categorical: {
            buckets: expect.arrayContaining([
              { value: "Biscoe", count: 168 },
              { value: "Dream", count: 124 },
              { value: "Torgersen", count: 52 },
            ]),
          },
        },
      },
    });
    expect(mass).toMatchObject({
      name: "Body Mass (g)",
      inferred_type: "Integral",
      numerical_statistics: { common: { num_present: 342, num_missing: 2 }, min: 2700, max: 6300 },
    });
    const masses = penguins.map((row) => row["Body Mass (g)"]).filter((value) => value !== null);
    const sum = masses.reduce((total: number, value) => total + Number(value), 0);
    expect(mass.numerical_statistics.sum).toBeCloseTo(sum, 6);
    const { buckets } = mass.numerical_statistics.distribution.kll;
    expect(buckets).toHaveLength(10);
    expect(buckets.reduce((total, { count }) => total + count, 0)).toBe(342);
    // Text that the schema doesn't list stays unnamed.
    expect(sex).toEqual({
      name: "Sex",
      inferred_type: "String",
      string_statistics: { common: { num_present: 334, num_missing: 10 }, distinct_count: 3 },
    });
    expect(seen).toMatchObject({ string_statistics: { common: { num_present: 0, num_missing: 344 } } });
  });

  it("of no rows, and of columns that are not profiled, have that form too", async () => {
    expect(statisticsDocument([MASS], await profiled("b", [MASS], []))).toMatchObject({
      dataset: { item_count: 0 },
      features: [{ numerical_statistics: { common: { num_present: 0, num_missing: 0 } } }],
    });
    const dates = await profiled("c", [SEEN], [{ Seen: "2026-11-29" }, { Seen: null }]);
    expect(statisticsDocument([SEEN], dates)).toMatchObject({
      dataset: { item_count: 2 },
      features: [{ string_statistics: { common: { num_present: 1, num_missing: 1 } } }],
    });
  });
});

it("states what the schema demands as Model Monitor's constraints", () => {
  expect(constraintsDocument([ISLAND, MASS, SEX], 0.01).features).toEqual([
    {
      name: "Island",
      inferred_type: "String",
      completeness: 1,
      string_constraints: { domains: ["Biscoe", "Dream", "Torgersen"] },
    },
    {
      name: "Body Mass (g)",
      inferred_type: "Integral",
      completeness: 0.99,
      num_constraints: { is_non_negative: true },
    },
    { name: "Sex", inferred_type: "String", completeness: 0.97 },
  ]);
});
