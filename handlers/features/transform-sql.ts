import type { Category, DerivedStep, Encoder, TransformSteps } from "./parameters.ts";

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** By way of a text: a number with a point would be a DECIMAL, which is not rounded as a double is. */
const double = (value: number) => `'${value}'::DOUBLE`;
const literal = (value: Category) => (typeof value === "number" ? double(value) : text(value));
const list = (values: readonly Category[]) => `[${values.map(literal).join(", ")}]`;

/** Numbers as doubles that are finite or null, moments as timestamps in UTC. */
const TYPED: Readonly<Record<TransformSteps["inputs"][number]["type"], (column: string) => string>> = {
  string: (column) => `${column}::VARCHAR`,
  integer: (column) => `${column}::DOUBLE`,
  number: (column) => `CASE WHEN isfinite(${column}) THEN ${column}::DOUBLE END`,
  boolean: (column) => `${column}::INTEGER::DOUBLE`,
  date: (column) => `${column}::TIMESTAMP`,
  timestamp: (column) => `make_timestamp(epoch_us(${column}))`,
};

const PARTS = {
  year: "year",
  month: "month",
  day: "day",
  dayOfWeek: "isodow",
  dayOfYear: "dayofyear",
  hour: "hour",
  minute: "minute",
} as const;

const COMPARISONS = {
  equal: "=",
  notEqual: "<>",
  below: "<",
  atMost: "<=",
  above: ">",
  atLeast: ">=",
} as const;

const whenFinite = (expression: string) => `CASE WHEN isfinite(${expression}) THEN ${expression} END`;

function flag({ is, value }: Extract<DerivedStep, { operation: "flag" }>, x: string): string {
  const told = (condition: string) => `CASE WHEN ${condition} THEN ${double(1)} ELSE ${double(0)} END`;
  if (is === "missing") return told(`${x} IS NULL`);
  const compared = literal(typeof value === "string" ? value : Number(value));
  return `CASE WHEN ${x} IS NOT NULL THEN ${told(`${x} ${COMPARISONS[is]} ${compared}`)} END`;
}

/** The expression of a derived feature; `apply.ts` does the same with a record, operation by operation. */
function derivedExpression(step: DerivedStep): string {
  if ("columns" in step) {
    const [a, b] = [quoted(step.columns[0] ?? ""), quoted(step.columns[1] ?? "")];
    if (step.operation === "ratio")
      return `CASE WHEN ${b} <> 0 AND isfinite(${a} / ${b}) THEN ${a} / ${b} END`;
    return whenFinite(step.operation === "difference" ? `(${a} - ${b})` : `(${a} * ${b})`);
  }
  const x = quoted(step.column);
  switch (step.operation) {
    case "log1p": {
      // ln(1 + x) alone loses what 1 + x rounds away (Goldberg 1991, theorem 4).
      const sum = `(${double(1)} + ${x})`;
      return `CASE WHEN ${x} <= -1 THEN NULL WHEN ${sum} = 1 THEN ${x} ELSE ln(${sum}) * ${x} / (${sum} - ${double(1)}) END`;
    }
    case "bucket": {
      const passed = step.edges.map((edge) => `(CASE WHEN ${x} >= ${double(edge)} THEN 1 ELSE 0 END)`);
      return `CASE WHEN ${x} IS NOT NULL THEN (${passed.join(" + ") || "0"})::DOUBLE END`;
    }
    case "datePart":
      return `(${PARTS[step.part]}(${x})${step.part === "dayOfWeek" ? " - 1" : ""})::DOUBLE`;
    case "flag":
      return flag(step, x);
    case "clip": {
      const { min, max } = step;
      const bounds = [
        ...(min === undefined ? [] : [`WHEN ${x} < ${double(min)} THEN ${double(min)}`]),
        ...(max === undefined ? [] : [`WHEN ${x} > ${double(max)} THEN ${double(max)}`]),
      ];
      return bounds.length === 0 ? x : `CASE ${bounds.join(" ")} ELSE ${x} END`;
    }
  }
}

/** The columns that a transform reads, as its steps take them, and whatever else is named, as it is. */
export function typedQuery(inputs: TransformSteps["inputs"], from: string, others: readonly string[] = []) {
  const columns = [
    ...inputs.map(({ name, type }) => `${TYPED[type](quoted(name))} AS ${quoted(name)}`),
    ...others.map(quoted),
  ];
  return `SELECT ${columns.join(", ")} FROM ${from}`;
}

/** Adds the derived features: one query for each, because each may build on the one before. */
export const derivedQuery = (derive: TransformSteps["derive"], from: string): string =>
  derive.reduce(
    (query, step) => `SELECT *, ${derivedExpression(step)} AS ${quoted(step.name)} FROM (${query})`,
    from,
  );

export function imputedQuery(impute: TransformSteps["impute"], from: string): string {
  if (impute.length === 0) return from;
  const filled = impute.map(
    ({ column, value }) => `coalesce(${quoted(column)}, ${literal(value)}) AS ${quoted(column)}`,
  );
  return `SELECT * REPLACE (${filled.join(", ")}) FROM (${from})`;
}

/** `<column>_<category>`, as scikit-learn's get_feature_names_out names them. */
export const oneHotName = (column: string, category: Category) => `${column}_${category}`;

function encodedExpressions(encoder: Encoder): { readonly name: string; readonly sql: string }[] {
  const { column, method, categories, frequencies = [], handleUnknown } = encoder;
  const x = quoted(column);
  const known = list(categories);
  const refused = `error(${text(`Column ${column} has a category that the transform does not know`)})`;
  const checked = (sql: string) =>
    handleUnknown === "ignore"
      ? sql
      : `CASE WHEN ${x} IS NULL OR list_contains(${known}, ${x}) THEN ${sql} ELSE ${refused} END`;
  if (method === "one-hot") {
    return categories.map((category) => ({
      name: oneHotName(column, category),
      sql: checked(
        `CASE WHEN ${x} IS NOT DISTINCT FROM ${literal(category)} THEN ${double(1)} ELSE ${double(0)} END`,
      ),
    }));
  }
  const place = `list_position(${known}, ${x})`;
  const [found, otherwise] =
    method === "ordinal"
      ? [`(${place} - 1)::DOUBLE`, double(-1)]
      : [`list_extract(${list(frequencies)}, ${place})`, double(0)];
  return [
    { name: column, sql: checked(`CASE WHEN ${x} IS NOT NULL THEN coalesce(${found}, ${otherwise}) END`) },
  ];
}

/**
 * The whole transform as one query: the features in their order and then the target, of a relation whose columns have their
 * types (integer BIGINT, number DOUBLE, boolean BOOLEAN, string VARCHAR, date DATE, timestamp TIMESTAMP or TIMESTAMPTZ).
 * Its numbers are those of `applyTransform` to the last bit, but for log1p, where they differ by at most four units in the last place.
 */
export function transformQuery(steps: TransformSteps, from: string): string {
  const { target, inputs, derive, impute, scale, encode, features } = steps;
  const typed = typedQuery(inputs, from, [target]);
  const made = new Map<string, string>();
  for (const { column, center, scale: width } of scale) {
    made.set(column, `(${quoted(column)} - ${double(center)}) / ${double(width)}`);
  }
  for (const { name, sql } of encode.flatMap(encodedExpressions)) made.set(name, sql);
  const columns = features.map((name) => `${made.get(name) ?? quoted(name)} AS ${quoted(name)}`);
  const whole = imputedQuery(impute, derivedQuery(derive, typed));
  return `SELECT ${[...columns, quoted(target)].join(", ")} FROM (${whole})`;
}
