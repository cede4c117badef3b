import type { DatasetColumn } from "../../programs/spec.ts";
import type { Instance } from "../captures/instances.ts";
import { HAS_TYPE, orderOf } from "../gate/input-schema.ts";

/**
 * Model Monitor's checks (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html), and one for
 * ranges, which it does not have.
 */
export type InputCheck =
  | "data_type_check"
  | "completeness_check"
  | "missing_column_check"
  | "extra_column_check"
  | "categorical_values_check"
  | "range_check";

export interface InputViolation {
  readonly column: string;
  readonly check: InputCheck;
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
  readonly #counts = new Map<string, InputViolation & { count: number }>();
  /** Instances with at least one violation. */
  broken = 0;

  constructor(columns: readonly DatasetColumn[], target: string | undefined) {
    const inputs = columns.filter(({ name }) => name !== target);
    this.#inputs = inputs.map((column) => [column, checkOf(column, target !== undefined)]);
    this.#names = new Set(inputs.map(({ name }) => name));
  }

  add(instance: Instance): void {
    let broken = false;
    const fail = (column: string, check: InputCheck) => {
      broken = true;
      const key = `${check}/${column}`;
      const counted = this.#counts.get(key);
      if (counted === undefined) this.#counts.set(key, { column, check, count: 1 });
      else counted.count += 1;
    };
    for (const [{ name }, check] of this.#inputs) {
      const failed = check(instance[name]);
      if (failed !== undefined) fail(name, failed);
    }
    if (Object.keys(instance).some((name) => !this.#names.has(name))) fail(EXTRA, "extra_column_check");
    if (broken) this.broken += 1;
  }

  /** By how many instances break them, most first. */
  counts(): readonly (InputViolation & { readonly count: number })[] {
    return [...this.#counts.values()].sort(
      (one, other) =>
        other.count - one.count ||
        one.column.localeCompare(other.column, "en") ||
        one.check.localeCompare(other.check, "en"),
    );
  }
}

/** The check that a value fails, if any; undefined is an absent column. */
type Check = (value: unknown) => InputCheck | undefined;

/** All but patterns: JavaScript would match what callers sent in exponential time where RE2, whose they are, takes linear time. */
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
