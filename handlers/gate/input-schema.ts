import { RE2JS } from "re2js";
import type { DatasetColumn } from "../../programs/spec.ts";
import { dayMs, timestampMs } from "../dataset/moments.ts";
import type { FieldProblem } from "./problems.ts";

export type Instance = Readonly<Record<string, unknown>>;

export interface CheckedInput {
  readonly instances: readonly Instance[];
  readonly problems: readonly FieldProblem[];
  /** Problems beyond those listed. */
  readonly omitted: number;
  /** Rows whose every value has its column's type. */
  readonly typed: readonly Instance[];
  /** How many of these have a value outside of its column's range, list or pattern. */
  readonly outOfRange: number;
}

/** Rows of one request, as the API's own model says (programs/serving/request-model.ts). */
const MOST_INSTANCES = 100;

/** 100 rows of 1000 columns could break more rules than an answer holds. */
const MOST_PROBLEMS = 1000;

type Type = DatasetColumn["type"];

/** Whether the value has the type; as JSON carries it, so that integers are exact. */
export const HAS_TYPE: Readonly<Record<Type, (value: unknown) => boolean>> = {
  // JSON can hold half a character, which no data does.
  string: (value) => typeof value === "string" && value.isWellFormed(),
  boolean: (value) => typeof value === "boolean",
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  date: (value) => typeof value === "string" && !Number.isNaN(dayMs(value)),
  timestamp: (value) => typeof value === "string" && !Number.isNaN(timestampMs(value)),
};

const EXPECTED: Readonly<Record<Type, string>> = {
  string: "must be a string",
  boolean: "must be true or false",
  integer: "must be an integer within 53 bits",
  number: "must be a finite number",
  date: "must be a date as in 2026-01-31",
  timestamp: "must be a timestamp as in 2026-01-31T12:00:00Z",
};

/** A value as a number that has the order of its type. */
export function orderOf(type: Type, value: string | number | boolean): number {
  if (typeof value !== "string") return Number(value);
  return type === "date" ? dayMs(value) : timestampMs(value);
}

interface Input {
  readonly name: string;
  readonly pointer: string;
  readonly nullable: boolean;
  /** Whether a row may be without it. */
  readonly optional: boolean;
  readonly hasType: (value: unknown) => boolean;
  readonly expected: string;
  /** What is wrong with a value of the type. */
  readonly misfit: (value: string | number | boolean) => string | undefined;
}

function input(column: DatasetColumn, targetKnown: boolean): Input {
  const { name, type, nullable } = column;
  return {
    name,
    pointer: name.replaceAll("~", "~0").replaceAll("/", "~1"),
    nullable,
    // Any column may be the target where nobody says which one is, and the target is what the caller doesn't know.
    optional: nullable || !targetKnown,
    hasType: HAS_TYPE[type],
    expected: EXPECTED[type],
    misfit: misfit(column),
  };
}

function misfit({ type, min, max, enum: values, pattern }: DatasetColumn): Input["misfit"] {
  // As data validation has it, and in linear time: no caller can keep the gate busy with a text made for it.
  const expression = pattern === undefined ? undefined : RE2JS.compile(pattern);
  const isMoment = type === "date" || type === "timestamp";
  const compared = (value: string | number | boolean) => (isMoment ? orderOf(type, value) : value);
  const listed = values && new Set(values.map(compared));
  const lowest = min === undefined ? Number.NEGATIVE_INFINITY : orderOf(type, min);
  const highest = max === undefined ? Number.POSITIVE_INFINITY : orderOf(type, max);
  const bounded = min !== undefined || max !== undefined;
  return (value) => {
    if (listed !== undefined && !listed.has(compared(value))) return "must be one of the listed values";
    if (expression?.testExact(String(value)) === false) return "must match the column's pattern";
    if (!bounded) return undefined;
    const order = orderOf(type, value);
    if (order < lowest) return `must be at least ${min}`;
    return order > highest ? `must be at most ${max}` : undefined;
  };
}

const isObject = (value: unknown): value is Instance =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Checks bodies `{"instances": [{"<column>": <value>, …}, …]}` by the rules of data validation: names exactly as declared, types,
 * nulls (an absent column is one), ranges with both ends, listed values, patterns. The target is no input. Keep the result: it is compiled.
 */
export function inputSchema(columns: readonly DatasetColumn[], target: string | undefined) {
  const inputs = columns
    .filter(({ name }) => name !== target)
    .map((column) => input(column, target !== undefined));
  const names = new Set(inputs.map(({ name }) => name));

  return (body: string): CheckedInput => {
    const problems: FieldProblem[] = [];
    let omitted = 0;
    const fail = (path: string, message: string) => {
      if (problems.length < MOST_PROBLEMS) problems.push({ path, message });
      else omitted += 1;
    };
    const rows = instancesOf(body, fail);
    const typed: Instance[] = [];
    let outOfRange = 0;
    for (const [index, row] of rows.entries()) {
      const path = `/instances/${index}`;
      if (!isObject(row)) {
        fail(path, "must be an object");
        continue;
      }
      for (const name of Object.keys(row)) {
        if (names.has(name)) continue;
        const pointer = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        fail(
          pointer,
          name === target ? "is what the model predicts and no input" : "is no column of the data set",
        );
      }
      const found = checkRow(inputs, row, path, fail);
      if (found !== "broken") typed.push(row);
      if (found === "out_of_range") outOfRange += 1;
    }
    return { instances: rows.filter(isObject), problems, omitted, typed, outOfRange };
  };
}

type Fail = (path: string, message: string) => void;

function instancesOf(body: string, fail: Fail): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    fail("", "must be JSON");
    return [];
  }
  if (!isObject(parsed)) {
    fail("", "must be an object");
    return [];
  }
  for (const name of Object.keys(parsed)) {
    if (name !== "instances") fail(`/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, "is not expected");
  }
  const { instances } = parsed;
  if (!Array.isArray(instances) || instances.length < 1 || instances.length > MOST_INSTANCES) {
    fail("/instances", `must be a list of 1 to ${MOST_INSTANCES} rows`);
    return [];
  }
  return instances;
}

function checkRow(
  inputs: readonly Input[],
  row: Instance,
  path: string,
  fail: Fail,
): "good" | "broken" | "out_of_range" {
  let broken = false;
  let outOfRange = false;
  for (const { name, pointer, nullable, optional, hasType, expected, misfit: misfitOf } of inputs) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (value === undefined || value === null) {
      if (value === undefined ? optional : nullable) continue;
      fail(`${path}/${pointer}`, value === undefined ? "is missing" : "must not be null");
      broken = true;
    } else if (!hasType(value)) {
      fail(`${path}/${pointer}`, nullable ? `${expected}, or null` : expected);
      broken = true;
    } else {
      const message = misfitOf(value as string | number | boolean);
      if (message === undefined) continue;
      fail(`${path}/${pointer}`, message);
      outOfRange = true;
    }
  }
  if (broken) return "broken";
  return outOfRange ? "out_of_range" : "good";
}
