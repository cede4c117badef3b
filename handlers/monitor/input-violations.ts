import type { DuckDBConnection } from "@duckdb/node-api";
import type { DatasetColumn } from "../../programs/spec.ts";
import type { Instance } from "../captures/instances.ts";
import { HAS_TYPE, orderOf } from "../gate/input-schema.ts";
import { PatternMismatches } from "./pattern-mismatches.ts";

/**
 * Model Monitor's checks (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html), and those
 * for ranges and patterns, which it does not have.
 */
export type InputCheck =
  | "data_type_check"
  | "completeness_check"
  | "missing_column_check"
  | "extra_column_check"
  | "categorical_values_check"
  | "range_check"
  | "pattern_check";

export interface InputViolation {
  readonly column: string;
  readonly check: InputCheck;
}

/** What was found in all instances. */
export interface FoundViolations {
  /** Instances with at least one violation. */
  readonly broken: number;
  /** By how many instances break them, most first. */
  readonly violations: readonly (InputViolation & { readonly count: number })[];
}

/** What any column may be called that the schema doesn't name: names come from callers and could be endless, or data. */
const EXTRA = "(extra)";

/**
 * Counts instances that break the data set's schema, by column and check. The rules are the gate's: an absent column is a null where
 * the column may be one; where nobody says which column is the target, any may be absent.
 */
export class InputViolations {
  readonly #inputs: readonly (readonly [DatasetColumn, Check])[];
  readonly #names: ReadonlySet<string>;
  readonly #patterned: readonly string[];
  readonly #mismatches: PatternMismatches;
  readonly #counts = new Map<string, InputViolation & { count: number }>();
  #broken = 0;

  constructor(connection: DuckDBConnection, columns: readonly DatasetColumn[], target: string | undefined) {
    const inputs = columns.filter(({ name }) => name !== target);
    this.#inputs = inputs.map((column) => [column, checkOf(column, target !== undefined)]);
    this.#names = new Set(inputs.map(({ name }) => name));
    const patterned = inputs.flatMap(({ name, pattern }) =>
      pattern === undefined ? [] : [[name, pattern] as const],
    );
    this.#patterned = patterned.map(([name]) => name);
    this.#mismatches = new PatternMismatches(
      connection,
      patterned.map(([, pattern]) => pattern),
    );
  }

  async add(instance: Instance): Promise<void> {
    const failed = new Set<string>();
    for (const [{ name }, check] of this.#inputs) {
      const violated = check(instance[name]);
      if (violated === undefined) continue;
      failed.add(name);
      this.#count(name, violated, 1);
    }
    if (Object.keys(instance).some((name) => !this.#names.has(name))) {
      failed.add(EXTRA);
      this.#count(EXTRA, "extra_column_check", 1);
    }
    if (failed.size > 0) this.#broken += 1;
    // A value fails one check only.
    const texts = this.#patterned.map((name) => {
      const value = instance[name];
      return typeof value === "string" && !failed.has(name) ? value : null;
    });
    await this.#mismatches.add(texts, failed.size > 0);
  }

  /** Nothing can be added afterwards. */
  async finish(): Promise<FoundViolations> {
    const { counts, broken } = await this.#mismatches.finish();
    for (const [index, name] of this.#patterned.entries()) {
      this.#count(name, "pattern_check", counts[index] ?? 0);
    }
    const violations = [...this.#counts.values()].sort(
      (one, other) =>
        other.count - one.count ||
        one.column.localeCompare(other.column, "en") ||
        one.check.localeCompare(other.check, "en"),
    );
    return { broken: this.#broken + broken, violations };
  }

  #count(column: string, check: InputCheck, count: number): void {
    if (count === 0) return;
    const key = `${check}/${column}`;
    const counted = this.#counts.get(key);
    if (counted === undefined) this.#counts.set(key, { column, check, count });
    else counted.count += count;
  }
}

/** The check that a value fails, if any; undefined is an absent column. */
type Check = (value: unknown) => InputCheck | undefined;

/** All but patterns, which are RE2's: `PatternMismatches`. */
function checkOf(column: DatasetColumn, targetKnown: boolean): Check {
  const { type, nullable, min, max, enum: values } = column;
  const listed = values && new Set<unknown>(values);
  const lowest = min === undefined ? Number.NEGATIVE_INFINITY : orderOf(type, min);
  const highest = max === undefined ? Number.POSITIVE_INFINITY : orderOf(type, max);
  const isBounded = min !== undefined || max !== undefined;
  return (value) => {
    if (value === undefined) return nullable || !targetKnown ? undefined : "missing_column_check";
    if (value === null) return nullable ? undefined : "completeness_check";
    if (!HAS_TYPE[type](value)) return "data_type_check";
    if (listed !== undefined && !listed.has(value)) return "categorical_values_check";
    if (!isBounded) return undefined;
    const order = orderOf(type, value as string | number);
    return order < lowest || order > highest ? "range_check" : undefined;
  };
}
