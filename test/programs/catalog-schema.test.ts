import { describe, expect, it } from "vitest";
import { catalogColumns, featureDefinitions } from "../../programs/catalog-schema.ts";
import { COLUMN_TYPES } from "../../programs/spec/dataset.ts";

const columns = COLUMN_TYPES.map((type) => ({ name: `A_${type}`, type, nullable: false }));

const typesOf = (format: "csv" | "jsonl" | "parquet", nullable: boolean) =>
  Object.fromEntries(
    catalogColumns(
      columns.map((column) => ({ ...column, nullable })),
      format,
    ).map(({ name, type }) => [name, type]),
  );

describe("columns of the catalog", () => {
  it("have Parquet's own types", () => {
    expect(typesOf("parquet", true)).toEqual({
      a_string: "string",
      a_integer: "bigint",
      a_number: "double",
      a_boolean: "boolean",
      a_date: "date",
      a_timestamp: "timestamp",
    });
  });

  it("hold moments of text formats as the text that they are", () => {
    for (const format of ["csv", "jsonl"] as const) {
      expect(typesOf(format, false)).toMatchObject({
        a_date: "string",
        a_timestamp: "string",
        a_number: "double",
      });
    }
  });

  it("are text in CSV where a field may be empty, on which its reader fails otherwise", () => {
    expect(new Set(Object.values(typesOf("csv", true)))).toEqual(new Set(["string"]));
    expect(typesOf("jsonl", true)).toMatchObject({ a_integer: "bigint" });
  });

  it("are in lower case, as Glue keeps them", () => {
    expect(Object.keys(typesOf("csv", false)).every((name) => name === name.toLowerCase())).toBe(true);
  });
});

describe("features", () => {
  it("have one of Feature Store's three types and keep their columns' names", () => {
    expect(featureDefinitions({ schema: columns })).toEqual([
      { featureName: "A_string", featureType: "String" },
      { featureName: "A_integer", featureType: "Integral" },
      { featureName: "A_number", featureType: "Fractional" },
      { featureName: "A_boolean", featureType: "Integral" },
      { featureName: "A_date", featureType: "String" },
      { featureName: "A_timestamp", featureType: "String" },
    ]);
  });
});
