import type { Features } from "../../programs/spec/features.ts";
import type { DatasetColumn } from "../../programs/spec.ts";
import { canonicalJson } from "../models/canonical-json.ts";
import {
  type Category,
  type DerivedStep,
  type Encoder,
  sha256,
  TransformError,
  type TransformParameters,
  type TransformSteps,
  withDigest,
} from "./parameters.ts";
import {
  derivedQuery,
  imputedQuery,
  oneHotName,
  quoted,
  transformQuery,
  typedQuery,
} from "./transform-sql.ts";

export interface Declaration {
  readonly features: Features;
  readonly columns: readonly Pick<DatasetColumn, "name" | "type">[];
}

export type Row = Readonly<Record<string, unknown>>;

/** Accepted data, to be asked by SQL as the relation `accepted`, whose columns have their types. */
export interface Statistics {
  /** Rows with numbers as number or bigint. The same question has the same answer: one thread, in the order of the data. */
  ask(sql: string): Promise<readonly Row[]>;
  /** Names the data: the SHA-256 of the list of accepted objects. */
  readonly sha256: string;
}

const RELATION = "accepted";

/** Categories of one column: what has more is an identifier, and the parameters must stay a document that a gate can hold. */
const MOST_CATEGORIES = 1000;

/** Narrower bins are taken together, as by scikit-learn's KBinsDiscretizer. */
const NARROWEST_BIN = 1e-8;

/** Scales below it count as none, as in scikit-learn's scalers: ten times the distance from 1 to the next double. */
const SMALLEST_SCALE = 10 * Number.EPSILON;

const numbers = (value: unknown): number[] => (value as readonly (number | bigint)[]).map(Number);

function inputsOf({ features, columns }: Declaration): TransformSteps["inputs"] {
  const sources = new Set(
    features.derive.flatMap((derived) => ("columns" in derived ? derived.columns : [derived.column])),
  );
  const isFeature = ({ name, type }: Declaration["columns"][number]) =>
    !features.drop.includes(name) && type !== "date" && type !== "timestamp";
  return columns
    .filter((column) => column.name !== features.target && (isFeature(column) || sources.has(column.name)))
    .map(({ name, type }) => ({ name, type }));
}

async function fitDerived(
  derive: Features["derive"],
  typed: string,
  { ask }: Statistics,
): Promise<DerivedStep[]> {
  const fitted: DerivedStep[] = [];
  for (const derived of derive) {
    if (derived.operation !== "quantileBin") {
      fitted.push(derived);
      continue;
    }
    const { name, column, bins } = derived;
    const shares = Array.from({ length: bins + 1 }, (_, index) => index / bins);
    const [row] = await ask(
      `SELECT to_json(quantile_cont(${quoted(column)}, [${shares.map((share) => `${share}::DOUBLE`).join(", ")}])) AS edges
       FROM (${derivedQuery(fitted, typed)})`,
    );
    if (typeof row?.edges !== "string" || row.edges === "null") throw valueless(column);
    const edges = numbers(JSON.parse(row.edges));
    const wide = edges.filter(
      (edge, index) => index === 0 || edge - (edges[index - 1] ?? edge) > NARROWEST_BIN,
    );
    fitted.push({ name, operation: "bucket", column, edges: wide.slice(1, -1) });
  }
  return fitted;
}

const valueless = (column: string) =>
  new TransformError("unfittable", `Column ${column} has no value in the accepted data`, column);

/** The first row of one question for all columns: one pass over the data, however many they are. */
async function aggregates(
  columns: readonly string[],
  aggregate: (column: string, place: number) => string,
  query: string,
  { ask }: Statistics,
): Promise<Row> {
  if (columns.length === 0) return {};
  const [row] = await ask(
    `SELECT ${columns.map((column, place) => aggregate(quoted(column), place)).join(", ")} FROM (${query})`,
  );
  return row ?? {};
}

const AVERAGES = { mean: "favg", median: "median" } as const;

async function mostFrequent(column: string, query: string, { ask }: Statistics): Promise<unknown> {
  const x = quoted(column);
  const [row] = await ask(
    `SELECT ${x} AS fill FROM (${query}) WHERE ${x} IS NOT NULL GROUP BY ${x} ORDER BY count(*) DESC, ${x} LIMIT 1`,
  );
  return row?.fill;
}

async function fitImputation(
  impute: Features["impute"],
  query: string,
  statistics: Statistics,
): Promise<TransformSteps["impute"]> {
  const wanted = impute.flatMap(({ columns, ...rest }) => columns.map((column) => ({ column, ...rest })));
  const averaged = wanted.flatMap(({ column, strategy }) =>
    strategy === "mean" || strategy === "median" ? [{ column, average: AVERAGES[strategy] }] : [],
  );
  const averages = await aggregates(
    averaged.map(({ column }) => column),
    (x, place) => `${averaged[place]?.average}(${x}) AS fill${place}`,
    query,
    statistics,
  );
  const fitted: TransformSteps["impute"] = [];
  for (const { column, strategy, fillValue } of wanted) {
    if (strategy === "constant") {
      fitted.push({ column, value: typeof fillValue === "string" ? fillValue : Number(fillValue) });
      continue;
    }
    const value =
      strategy === "most-frequent"
        ? await mostFrequent(column, query, statistics)
        : averages[`fill${averaged.findIndex((each) => each.column === column)}`];
    if (value === undefined || value === null) throw valueless(column);
    fitted.push({ column, value: value as Category });
  }
  return fitted;
}

interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
  readonly quartiles: readonly number[];
}

/** As scikit-learn's _is_constant_feature: no more variance than rounding makes of equal values. */
function varies({ count, mean, deviation }: Spread): boolean {
  const variance = deviation ** 2;
  return variance > count * Number.EPSILON * variance + (count * mean * Number.EPSILON) ** 2;
}

const SCALERS: Readonly<
  Record<Features["scale"][number]["method"], (spread: Spread) => { center: number; scale: number }>
> = {
  standard: (spread) => ({ center: spread.mean, scale: varies(spread) ? spread.deviation : 1 }),
  "min-max": ({ min, max }) => ({ center: min, scale: max - min }),
  robust: ({ quartiles: [low = 0, middle = 0, high = 0] }) => ({ center: middle, scale: high - low }),
};

function spreadOf(row: Row, place: number): Spread {
  const [count = 0, mean = 0, deviation = 0, min = 0, max = 0] = (
    ["count", "mean", "deviation", "min", "max"] as const
  ).map((figure) => Number(row[`${figure}${place}`]));
  return {
    count,
    mean,
    deviation,
    min,
    max,
    quartiles: numbers(JSON.parse(String(row[`quartiles${place}`]))),
  };
}

async function fitScaling(
  scale: Features["scale"],
  query: string,
  statistics: Statistics,
): Promise<TransformSteps["scale"]> {
  const wanted = scale.flatMap(({ columns, method }) => columns.map((column) => ({ column, method })));
  const row = await aggregates(
    wanted.map(({ column }) => column),
    (x, place) => {
      const isRobust = wanted[place]?.method === "robust";
      const quartiles = isRobust
        ? `to_json(quantile_cont(${x}, [0.25::DOUBLE, 0.5::DOUBLE, 0.75::DOUBLE]))`
        : "'[]'";
      return `count(${x}) AS count${place}, favg(${x}) AS mean${place}, stddev_pop(${x}) AS deviation${place},
        min(${x}) AS min${place}, max(${x}) AS max${place}, ${quartiles} AS quartiles${place}`;
    },
    query,
    statistics,
  );
  return wanted.map(({ column, method }, place) => {
    if (Number(row[`count${place}`]) === 0) throw valueless(column);
    const { center, scale: width } = SCALERS[method](spreadOf(row, place));
    if (!Number.isFinite(center) || !Number.isFinite(width)) {
      throw new TransformError(
        "unfittable",
        `The range of column ${column} is beyond what numbers hold`,
        column,
      );
    }
    return { column, center, scale: width < SMALLEST_SCALE ? 1 : width };
  });
}

async function fitEncoding(
  encode: Features["encode"],
  query: string,
  { ask }: Statistics,
): Promise<TransformSteps["encode"]> {
  const fitted: Encoder[] = [];
  for (const { columns, method, handleUnknown } of encode) {
    for (const column of columns) {
      const x = quoted(column);
      const rows = await ask(
        `SELECT ${x} AS category, count(*) AS count FROM (${query}) WHERE ${x} IS NOT NULL
         GROUP BY ${x} ORDER BY ${x} LIMIT ${MOST_CATEGORIES + 1}`,
      );
      if (rows.length === 0) throw valueless(column);
      if (rows.length > MOST_CATEGORIES) {
        const message = `Column ${column} has more than ${MOST_CATEGORIES} categories: drop it, or bin it`;
        throw new TransformError("unfittable", message, column);
      }
      const total = rows.reduce((sum, { count }) => sum + Number(count), 0);
      fitted.push({
        column,
        method,
        handleUnknown,
        categories: rows.map(({ category }) => category as Category),
        ...(method === "frequency" && { frequencies: rows.map(({ count }) => Number(count) / total) }),
      });
    }
  }
  return fitted;
}

function namesOf({ features, columns }: Declaration, encode: TransformSteps["encode"]): string[] {
  const encoders = new Map(encode.map((encoder) => [encoder.column, encoder]));
  const kept = columns.filter(
    ({ name, type }) =>
      name !== features.target && !features.drop.includes(name) && type !== "date" && type !== "timestamp",
  );
  const names = [...kept, ...features.derive].flatMap(({ name }) => {
    const encoder = encoders.get(name);
    return encoder?.method === "one-hot"
      ? encoder.categories.map((category) => oneHotName(name, category))
      : [name];
  });
  const seen = new Set<string>([features.target.toLowerCase()]);
  for (const name of names) {
    // Readers of Parquet and of the catalog compare names without regard to case.
    if (seen.has(name.toLowerCase())) {
      throw new TransformError(
        "unfittable",
        `Two features would be named ${name}: encode one of them by ordinal`,
      );
    }
    seen.add(name.toLowerCase());
  }
  return names;
}

export const declarationDigest = ({ features, columns }: Declaration): string =>
  sha256(canonicalJson({ features, columns: columns.map(({ name, type }) => ({ name, type })) }));

/**
 * Fits a declaration to accepted data, section by section: bins to what was derived before them, fill values to what was derived,
 * scales and categories to what was imputed. The same declaration and data give the same parameters and digest. Quantiles are
 * exact and hold one number a row; means are summed with compensation. Throws `TransformError` `unfittable` where the data
 * has no row, a column no value or too many categories, or two features would have one name.
 */
export async function fitTransform(
  declaration: Declaration,
  statistics: Statistics,
): Promise<TransformParameters> {
  const { features } = declaration;
  const [total] = await statistics.ask(`SELECT count(*) AS rows FROM ${RELATION}`);
  const rows = Number(total?.rows ?? 0);
  if (rows === 0) throw new TransformError("unfittable", "There is no accepted row to fit the features to");
  const inputs = inputsOf(declaration);
  const typed = typedQuery(inputs, RELATION);
  const derive = await fitDerived(features.derive, typed, statistics);
  const derived = derivedQuery(derive, typed);
  const impute = await fitImputation(features.impute, derived, statistics);
  const imputed = imputedQuery(impute, derived);
  const scale = await fitScaling(features.scale, imputed, statistics);
  const encode = await fitEncoding(features.encode, imputed, statistics);
  const steps: TransformSteps = {
    target: features.target,
    inputs,
    derive,
    impute,
    scale,
    encode,
    features: namesOf(declaration, encode),
  };
  return withDigest({
    version: 1,
    declaration: declarationDigest(declaration),
    data: { sha256: statistics.sha256, rows },
    ...steps,
    sql: transformQuery(steps, RELATION),
  });
}
