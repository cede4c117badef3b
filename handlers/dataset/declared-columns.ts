import type { DatasetRules } from "./rules.ts";
import type { Finding } from "./text-file.ts";

const NAMES_SHOWN = 5;

/**
 * The names of a file's columns against the declared ones, which must be there exactly, each once, in any order. Names that aren't
 * declared are shown of public data only: in a file without a header they are values.
 */
export function columnFindings(
  names: readonly string[],
  { columns, classification }: DatasetRules,
): Finding[] {
  const declared = new Set(columns.map(({ name }) => name));
  const present: ReadonlySet<string> = new Set(names);
  const missing = columns.filter(({ name }) => !present.has(name));
  const unknown = [...present].filter((name) => !declared.has(name));
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) {
    if (seen.has(name) && declared.has(name)) twice.add(name);
    seen.add(name);
  }
  return [
    ...missing.map(
      ({ name }): Finding => ({
        check: "columns",
        code: "missing_column",
        column: name,
        message: `Column "${name}" is missing`,
      }),
    ),
    ...unknownColumns(unknown.length, unknown, classification),
    ...[...twice].map(
      (name): Finding => ({
        check: "columns",
        code: "column_twice",
        column: name,
        message: `Column "${name}" is there more than once`,
      }),
    ),
  ];
}

export function unknownColumns(
  count: number,
  names: readonly string[],
  classification: DatasetRules["classification"],
): Finding[] {
  if (count === 0) return [];
  const shown = names
    .slice(0, NAMES_SHOWN)
    .map((name) => (name.length > 64 ? `${name.slice(0, 64)}…` : name));
  return [
    {
      check: "columns",
      code: "extra_column",
      message: `${count} columns are not declared`,
      count,
      ...(classification === "public" && { samples: shown }),
    },
  ];
}
