import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FUNCTION_NAMES } from "../../programs/functions/index.ts";
import { DUCKDB_VERSION } from "../../programs/handler-bundle.ts";
import { handlerNames } from "../../scripts/handlers/main.ts";

const versionIn = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).dependencies[
    "@duckdb/node-api"
  ];

it("the layer brings the very DuckDB that the service checks data with", () => {
  expect(versionIn("package.json")).toBe(DUCKDB_VERSION);
  expect(versionIn("handlers/duckdb-layer/package.json")).toBe(DUCKDB_VERSION);
});

it("every function has a handler, and every handler a function", () => {
  expect(handlerNames()).toEqual(FUNCTION_NAMES.toSorted());
});
