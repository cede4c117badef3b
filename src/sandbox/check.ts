import { constraintFailures } from "./constraints.ts";
import { isJsonInput, parseJson } from "./json-text.ts";
import { type NameRequest, nameAutomatically } from "./names.ts";
import { policyFailure, policySizeFailures } from "./policies.ts";
import { ruleFailures } from "./rules/all.ts";
import type { ResourceType, Schema, ShapeSchema, TypeRef } from "./schema.ts";
import { closestName } from "./similar-names.ts";
import type { Path, PropertyMap, PropertyValue } from "./values.ts";
import { isAsset, isMap, isUnknown, pathText, shown } from "./values.ts";

/** One input that AWS or its provider would refuse. */
export interface Failure {
  readonly path: Path;
  readonly message: string;
}

export interface CheckResult {
  readonly inputs: PropertyMap;
  readonly failures: readonly Failure[];
}

/**
 * Checks inputs as the real provider and AWS would and completes them with automatic names. Unknown values pass. The result's
 * inputs are what the other operations get; documents given as objects have become JSON text in it.
 */
export function checkInputs(
  schema: Schema,
  type: ResourceType,
  news: PropertyMap,
  naming: NameRequest,
): CheckResult {
  const named = nameAutomatically(type.facts, news, naming);
  const failures: Failure[] = [];
  const inputs = checkShape(schema, type.inputs, named, [], failures, type.token);
  failures.push(...constraintFailures(type.facts, inputs));
  failures.push(...policySizeFailures(type.token, inputs));
  failures.push(...ruleFailures(type.token, inputs));
  failures.push(...tagFailures(inputs.tags));
  return { inputs, failures };
}

/** Checks a provider's inputs, or those of a function. */
export function checkBag(schema: Schema, shape: ShapeSchema, news: PropertyMap, owner: string): CheckResult {
  const failures: Failure[] = [];
  return { inputs: checkShape(schema, shape, news, [], failures, owner), failures };
}

function checkShape(
  schema: Schema,
  shape: ShapeSchema,
  map: PropertyMap,
  path: Path,
  failures: Failure[],
  owner: string,
): PropertyMap {
  const checked: PropertyMap = {};
  for (const [name, value] of Object.entries(map)) {
    const property = shape.get(name);
    if (property) checked[name] = checkValue(schema, property.type, value, [...path, name], failures);
    else if (name.startsWith("__")) checked[name] = value;
    else failures.push({ path: [...path, name], message: unknownProperty(name, shape, owner) });
  }
  for (const [name, property] of shape) {
    const value = map[name];
    if (!property.required) continue;
    if (value === undefined || value === null) {
      failures.push({ path: [...path, name], message: `is required by ${owner}: set it` });
    } else if (value === "") {
      failures.push({ path: [...path, name], message: "must not be empty" });
    }
  }
  return checked;
}

function unknownProperty(name: string, shape: ShapeSchema, owner: string): string {
  const close = closestName(name, [...shape.keys()]);
  const remedy = close === undefined ? "remove it" : `did you mean "${close}"?`;
  return `is not a property of ${owner}: ${remedy}`;
}

function checkValue(
  schema: Schema,
  type: TypeRef,
  value: PropertyValue,
  path: Path,
  failures: Failure[],
): PropertyValue {
  if (isUnknown(value) || value === null) return value;
  const wrong = (expected: string): PropertyValue => {
    failures.push({ path, message: `must be ${expected}, not ${shown(value)}` });
    return value;
  };
  switch (type.kind) {
    case "string":
      if (typeof value !== "string") return wrong("a string");
      return checkText(value, path, failures);
    case "number":
      return typeof value === "number" ? value : wrong("a number");
    case "boolean":
      return typeof value === "boolean" ? value : wrong("true or false");
    case "json":
      if (isMap(value)) return checkText(JSON.stringify(value), path, failures);
      return typeof value === "string" ? checkText(value, path, failures) : wrong("JSON text or an object");
    case "asset":
      return isAsset(value) ? value : wrong("an asset or an archive");
    case "list":
      if (!Array.isArray(value)) return wrong("a list");
      return value.map((item, index) => checkValue(schema, type.element, item, [...path, index], failures));
    case "map":
      if (!isMap(value)) return wrong("a map");
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          // What a map's members are called is the program's own.
          typeof item === "string" && type.element.kind === "string"
            ? checkPlainText(item, [...path, name], failures)
            : checkValue(schema, type.element, item, [...path, name], failures),
        ]),
      );
    case "object":
      if (!isMap(value) || isAsset(value)) return wrong("an object");
      return checkShape(schema, schema.object(type.name), value, path, failures, pathText(path));
    default:
      return value;
  }
}

function checkPlainText(text: string, path: Path, failures: Failure[]): string {
  if (text.includes("\0")) failures.push({ path, message: "must not hold the character NUL: remove it" });
  return text;
}

function checkText(text: string, path: Path, failures: Failure[]): string {
  checkPlainText(text, path, failures);
  if (!isJsonInput(path.at(-1)) || text === "") return text;
  const parsed = parseJson(text);
  if (parsed === undefined) {
    failures.push({ path, message: `must be valid JSON, not ${shown(text)}` });
    return text;
  }
  const failure = policyFailure(path, parsed);
  if (failure !== undefined) failures.push({ path, message: failure });
  return text;
}

const maxTags = 50;

function tagFailures(tags: PropertyValue | undefined): Failure[] {
  if (!isMap(tags)) return [];
  const failures: Failure[] = [];
  const entries = Object.entries(tags);
  if (entries.length > maxTags) {
    failures.push({
      path: ["tags"],
      message: `has ${entries.length} tags, AWS allows ${maxTags}: remove some`,
    });
  }
  for (const [key, value] of entries) {
    const path = ["tags", key];
    if (/^aws:/i.test(key))
      failures.push({ path, message: `tag keys must not begin with "aws:": rename "${key}"` });
    if (key.length > 128)
      failures.push({ path, message: `the key has ${key.length} characters, AWS allows 128` });
    if (typeof value === "string" && value.length > 256) {
      failures.push({ path, message: `has ${value.length} characters, AWS allows 256` });
    }
  }
  return failures;
}

/** One line for the engine: it shows the text as it is. */
export function failureText(failure: Failure): string {
  return `${pathText(failure.path)} ${failure.message}`;
}
