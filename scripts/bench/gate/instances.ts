import { readFileSync } from "node:fs";

type Penguin = Readonly<Record<string, unknown>>;

// One row has "." for the sex, which the spec doesn't list.
const penguins = (
  JSON.parse(readFileSync("node_modules/vega-datasets/data/penguins.json", "utf8")) as Penguin[]
)
  .filter(({ Sex }) => Sex !== ".")
  .map(({ Species: _, ...inputs }) => inputs);

/** Real penguins without their species, others for each request. */
export const instancesOf = (rows: number, request: number): readonly Penguin[] =>
  Array.from({ length: rows }, (_, row) => penguins[(request * 7 + row) % penguins.length] ?? {});
