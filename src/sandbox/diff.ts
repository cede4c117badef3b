import type { ProviderConfiguration } from "./configuration.ts";
import { isComparedAsJson, isSameJson } from "./json-text.ts";
import { replacesConditionally } from "./replacements.ts";
import type { Facts, ResourceType } from "./schema.ts";
import { actualTags } from "./tags.ts";
import type { Path, PropertyMap, PropertyValue } from "./values.ts";
import { isAsset, isEqual, isMap, isUnknown, pathText, schemaPath } from "./values.ts";

export interface Change {
  readonly path: Path;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
  /** Whether the path is one of the inputs; otherwise one of the outputs. */
  readonly isInput: boolean;
}

export interface Difference {
  readonly changes: readonly Change[];
  readonly deleteBeforeReplace: boolean;
}

export interface DiffRequest {
  readonly oldInputs: PropertyMap;
  readonly oldOutputs: PropertyMap;
  readonly news: PropertyMap;
  readonly configuration: ProviderConfiguration;
}

/** What an update would change, property by property, and what of it can only be changed by a new resource. */
export function diffResource(type: ResourceType, request: DiffRequest): Difference {
  const found: Omit<Change, "replaces" | "isInput">[] = [];
  const names = new Set([...Object.keys(request.oldInputs), ...Object.keys(request.news)]);
  for (const name of names) {
    if (name.startsWith("__") || name === "region") continue;
    const before = oldValue(type.facts, name, request);
    const after = request.news[name] ?? effectiveDefault(type.facts, name, before, request);
    compare(before, after, [name], found);
  }
  const changes: Change[] = found.map((change) => ({
    ...change,
    replaces: mustReplace(type, change.path, request),
    isInput: true,
  }));
  changes.push(...regionChanges(type, request));
  changes.push(...tagChanges(type, request, changes));
  return { changes, deleteBeforeReplace: mustDeleteFirst(type.facts, changes, request) };
}

/** What was not given before has the value that the provider filled in: stating it explicitly is no change. */
function oldValue(facts: Facts, name: string, request: DiffRequest): PropertyValue | undefined {
  const given = request.oldInputs[name];
  if (given !== undefined) return given;
  const filledIn = request.oldOutputs[name];
  const now = request.news[name];
  if (isSameValue(name, filledIn, now)) return now;
  return now !== undefined && facts.defaults && name in facts.defaults ? filledIn : undefined;
}

/** An input that is no longer given falls back to its default; where that is what it was, nothing changes. */
function effectiveDefault(
  facts: Facts,
  name: string,
  before: PropertyValue | undefined,
  request: DiffRequest,
): PropertyValue | undefined {
  if (request.news[name] !== undefined) return undefined;
  const fallback = facts.defaults?.[name] as PropertyValue | undefined;
  return fallback !== undefined && isEqual(fallback, before) ? before : undefined;
}

function isSameValue(
  name: string | number | undefined,
  a: PropertyValue | undefined,
  b: PropertyValue | undefined,
) {
  return isEqual(a, b) || (isComparedAsJson(name) && isSameJson(a, b));
}

function compare(
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
  path: Path,
  found: Omit<Change, "replaces" | "isInput">[],
): void {
  if (isSameValue(path.at(-1), before, after)) return;
  if (before === undefined) found.push({ path, kind: "add" });
  else if (after === undefined) found.push({ path, kind: "delete" });
  else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      compare(before[index], after[index], [...path, index], found);
    }
  } else if (isMap(before) && isMap(after) && !isAsset(before) && !isAsset(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[name], after[name], [...path, name], found);
    }
  } else found.push({ path, kind: "update" });
}

function mustReplace(type: ResourceType, path: Path, request: DiffRequest): boolean {
  const changed = schemaPath(path);
  const byFact = (type.facts.replaceOnChange ?? []).some(
    (rule) => changed === rule || changed.startsWith(`${rule}.`) || holdsRule(rule, changed, path, request),
  );
  return byFact || replacesConditionally(type.token, path, request);
}

/** A whole object came or went: it replaces when it holds a field that does. */
function holdsRule(rule: string, changed: string, path: Path, request: DiffRequest): boolean {
  if (!rule.startsWith(`${changed}.`)) return false;
  const rest = rule.slice(changed.length + 1).split(".");
  return [request.oldInputs, request.news].some((root) => reaches(at(root, path), rest));
}

function at(root: PropertyValue, path: Path): PropertyValue | undefined {
  let value: PropertyValue | undefined = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else value = isMap(value) ? value[step] : undefined;
  }
  return value;
}

function reaches(value: PropertyValue | undefined, rest: readonly string[]): boolean {
  if (value === undefined) return false;
  if (rest.length === 0 || isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some((item) => reaches(item, rest));
  return isMap(value) && reaches(value[rest[0] ?? ""], rest.slice(1));
}

function regionChanges(type: ResourceType, request: DiffRequest): Change[] {
  if (!type.inputs.has("region")) return [];
  const before = request.oldOutputs.region ?? request.oldInputs.region;
  const after = request.news.region ?? request.configuration.region;
  if (before === undefined || before === after) return [];
  return [{ path: ["region"], kind: "update", replaces: true, isInput: true }];
}

/** Tags that the provider's default tags account for; those that the program gives show as changes of `tags`. */
function tagChanges(type: ResourceType, request: DiffRequest, changes: readonly Change[]): Change[] {
  const before = request.oldOutputs.tagsAll;
  if (!type.outputs.has("tagsAll") || !isMap(before)) return [];
  const after = actualTags(request.news.tags, request.configuration);
  if (isUnknown(after)) return [];
  const shownAlready = new Set(changes.filter(({ path }) => path[0] === "tags").map(({ path }) => path[1]));
  if (shownAlready.has(undefined)) return [];
  const found: Omit<Change, "replaces" | "isInput">[] = [];
  compare(before, after, ["tagsAll"], found);
  return found
    .filter(({ path }) => path[1] === undefined || !shownAlready.has(path[1]))
    .map((change) => ({ ...change, replaces: false, isInput: false }));
}

/** A new resource under the same explicit name would collide with the old one, so that one must go first. */
function mustDeleteFirst(facts: Facts, changes: readonly Change[], request: DiffRequest): boolean {
  if (!changes.some((change) => change.replaces)) return false;
  if (facts.deleteBeforeReplace) return true;
  const name = facts.autoName?.input;
  if (name === undefined) return false;
  const isAutomatic = Array.isArray(request.news.__defaults) && request.news.__defaults.includes(name);
  const after = request.news[name];
  return (
    after !== undefined && !isAutomatic && isEqual(after, request.oldInputs[name] ?? request.oldOutputs[name])
  );
}

/** The text under which the engine shows a change. */
export function changeKey(change: Change): string {
  return pathText(change.path);
}
