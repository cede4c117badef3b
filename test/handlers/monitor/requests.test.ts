import { readFileSync } from "node:fs";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
  const found = (instances: readonly Record<string, unknown>[], target: string | undefined = "Species") => {
    const violations = new InputViolations(columns, target);
    for (const one of instances) violations.add(one);
    return [violations.broken, violations.counts()];
  };

  it("are none in the penguins' own file", () => {
    const rows = penguins.map((row) => ({ Island: row.Island, "Body Mass (g)": row["Body Mass (g)"] }));
    expect(found(rows)).toEqual([0, []]);
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
  ])("are found: %j", (one, column, check) => {
    expect(found([one])).toEqual([1, [{ column, check, count: 1 }]]);
  });

  it("include both ends of a range", () => {
    expect(
      found([
        { Island: "Dream", "Body Mass (g)": 2700 },
        { Island: "Dream", "Body Mass (g)": 6300 },
      ]),
    ).toEqual([0, []]);
  });

  it("are counted once an instance, and by column", () => {
    const bad = { Island: "Mars", "Body Mass (g)": 1 };
    expect(found([bad, bad, { Island: null }])).toEqual([
      3,
      [
        { column: "Body Mass (g)", check: "range_check", count: 2 },
        { column: "Island", check: "categorical_values_check", count: 2 },
        { column: "Island", check: "completeness_check", count: 1 },
      ],
    ]);
  });

  it("may be absent columns only where the target is known: any may be it otherwise", () => {
    const violations = new InputViolations(columns, undefined);
    violations.add({ "Body Mass (g)": 4000 });
    expect(violations.broken).toBe(0);
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
