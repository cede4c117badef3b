import type { Failure } from "./check.ts";
import type { Facts } from "./schema.ts";
import type { Path, PropertyMap, PropertyValue } from "./values.ts";
import { isMap, isUnknown, schemaPath, shown } from "./values.ts";

/** Enumerations, patterns, lengths, ranges and combinations that AWS refuses. */
export function constraintFailures(facts: Facts, inputs: PropertyMap): Failure[] {
  const failures: Failure[] = [];
  walk(inputs, [], (path, value) => {
    const name = schemaPath(path);
    const message =
      enumFailure(facts.enums?.[name] ?? facts.nestedEnums?.[name], value) ??
      rangeFailure(facts.ranges?.[name] ?? facts.nestedRanges?.[name], value) ??
      lengthFailure(facts.lengths?.[name], value) ??
      patternFailure(facts.patterns?.[name], value);
    if (message !== undefined) failures.push({ path, message });
  });
  failures.push(...combinationFailures(facts, inputs));
  return failures;
}

function walk(value: PropertyValue, path: Path, visit: (path: Path, value: PropertyValue) => void): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      walk(item, [...path, index], visit);
    });
  } else if (isMap(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (!name.startsWith("__")) walk(member, [...path, name], visit);
    }
  } else if (!isUnknown(value)) {
    visit(path, value);
  }
}

function enumFailure(
  allowed: readonly (string | number)[] | undefined,
  value: PropertyValue,
): string | undefined {
  if (!allowed || allowed.some((one) => one === value)) return undefined;
  return `must be one of ${allowed.map((one) => shown(one)).join(", ")}, not ${shown(value)}`;
}

function rangeFailure(
  range: readonly [number, number | null] | undefined,
  value: PropertyValue,
): string | undefined {
  if (!range || typeof value !== "number") return undefined;
  const [least, most] = range;
  if (value >= least && (most === null || value <= most)) return undefined;
  return `must be ${most === null ? `at least ${least}` : `between ${least} and ${most}`}, not ${value}`;
}

function lengthFailure(
  range: readonly [number, number | null] | undefined,
  value: PropertyValue,
): string | undefined {
  if (!range || typeof value !== "string") return undefined;
  const [least, most] = range;
  if (value.length >= least && (most === null || value.length <= most)) return undefined;
  const allowed = most === null ? `at least ${least}` : `${least} to ${most}`;
  return `must have ${allowed} characters, ${shown(value)} has ${value.length}`;
}

const compiledPatterns = new Map<string, RegExp>();

function patternFailure(pattern: string | undefined, value: PropertyValue): string | undefined {
  if (pattern === undefined || typeof value !== "string" || value === "") return undefined;
  let compiled = compiledPatterns.get(pattern);
  if (!compiled) {
    compiled = new RegExp(pattern);
    compiledPatterns.set(pattern, compiled);
  }
  return compiled.test(value) ? undefined : `must match ${pattern}, ${shown(value)} does not`;
}

function combinationFailures(facts: Facts, inputs: PropertyMap): Failure[] {
  const present = (names: readonly string[]): string[] =>
    names.filter((name) => inputs[name] !== undefined && inputs[name] !== null);
  const failures: Failure[] = [];
  const prefix = facts.autoName?.unlessSet;
  const conflicts = [
    ...(facts.conflicts ?? []),
    ...(prefix && facts.autoName ? [[facts.autoName.input, prefix]] : []),
  ];
  for (const group of conflicts) {
    const [first, ...others] = present(group);
    if (first !== undefined && others.length > 0) {
      failures.push({ path: [first], message: `conflicts with ${others.join(", ")}: keep only one of them` });
    }
  }
  for (const group of facts.exactlyOneOf ?? []) {
    const given = present(group);
    if (given.length === 1) continue;
    const [first = "", ...others] = given.length === 0 ? group : given;
    const found = given.length === 0 ? "none is" : `${given.length} are`;
    failures.push({
      path: [first],
      message: `exactly one of ${[first, ...others].join(", ")} must be set, ${found}`,
    });
  }
  for (const group of facts.atLeastOneOf ?? []) {
    const [first = ""] = group;
    if (present(group).length > 0) continue;
    failures.push({ path: [first], message: `at least one of ${group.join(", ")} must be set` });
  }
  return failures;
}
