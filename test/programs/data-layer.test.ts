import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { FunctionDefinition } from "../../programs/functions/function-definition.ts";
import { FUNCTION_NAMES, FUNCTIONS } from "../../programs/functions/index.ts";

/** All programs of a function. */
const bundlesOf = (name: string) => {
  const folder = new URL(`../../build/handlers/functions/${name}/`, import.meta.url);
  return readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
};

it.each(FUNCTION_NAMES)("%s gets the layer with DuckDB if and only if its bundles ask for it", (name) => {
  const { readsData = false }: FunctionDefinition = FUNCTIONS[name];
  expect(readsData).toBe(bundlesOf(name).some((bundle) => bundle.includes('require("@duckdb/node-api")')));
});
