import type { Failure } from "../check.ts";
import { isMap, isUnknown, type Path, type PropertyMap, type PropertyValue, valuesAt } from "../values.ts";

/** What AWS refuses about the inputs of one type beyond what the facts can say. Unknown values pass. */
export type Rule = (inputs: PropertyMap) => Iterable<Failure>;

export type Rules = Readonly<Record<string, Rule>>;

export function failure(path: Path | string, message: string): Failure {
  return { path: typeof path === "string" ? [path] : path, message };
}

/** Given at all, be it unknown yet. */
export function isGiven(value: PropertyValue | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

export function textOf(value: PropertyValue | undefined): string | undefined {
  return typeof value === "string" && !isUnknown(value) ? value : undefined;
}

export function numberOf(value: PropertyValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The objects of a list, or the object itself; what is unknown is left out. */
export function objectsOf(value: PropertyValue | undefined): PropertyMap[] {
  return valuesAt(value, []).filter(isMap);
}

export function objectOf(value: PropertyValue | undefined): PropertyMap {
  return isMap(value) ? value : {};
}

export function textsAt(value: PropertyValue | undefined, ...path: string[]): string[] {
  return valuesAt(value, path).filter((item): item is string => textOf(item) !== undefined);
}

/** Values that occur twice. */
export function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

/** A quota's answer: the value, the limit and what to do. */
export function* atMost(
  path: Path | string,
  count: number,
  limit: number,
  what: string,
  remedy: string,
): Iterable<Failure> {
  if (count > limit) yield failure(path, `has ${count} ${what}, AWS allows ${limit}: ${remedy}`);
}

/** The UTF-8 length of a text, as AWS counts bytes; 0 while unknown. */
export function bytesOf(value: PropertyValue | undefined): number {
  return Buffer.byteLength(textOf(value) ?? "");
}
