import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DUCKDB_VERSION } from "../../programs/handler-bundle.ts";

const versionIn = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).dependencies[
    "@duckdb/node-api"
  ];

it("the layer brings the very DuckDB that the service checks data with", () => {
  expect(versionIn("package.json")).toBe(DUCKDB_VERSION);
  expect(versionIn("handlers/duckdb-layer/package.json")).toBe(DUCKDB_VERSION);
});
