import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { FunctionDefinition } from "../../programs/functions/function-definition.ts";
import { FUNCTION_NAMES, FUNCTIONS } from "../../programs/functions/index.ts";

const bundleOf = (name: string) =>
  readFileSync(new URL(`../../build/handlers/functions/${name}/index.js`, import.meta.url), "utf8");

it.each(FUNCTION_NAMES)("%s gets the layer with DuckDB if and only if its bundle asks for it", (name) => {
  const { readsData = false }: FunctionDefinition = FUNCTIONS[name];
  expect(readsData).toBe(bundleOf(name).includes('require("@duckdb/node-api")'));
});
