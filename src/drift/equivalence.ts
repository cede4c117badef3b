import { isDeepStrictEqual } from "node:util";

// The order of these lists is their meaning: words of a command line, behaviours and layers of which the first that fits counts.
const ordered = /(command|commands|entryPoint|args|layers|orderedCacheBehaviors|partitionKeys)(\[\d+\])?$/i;

/**
 * Whether two values of a property say the same to AWS although they differ: absent and empty, a number and its text, a JSON
 * document written in another way, a list of names in another order (pulumi/pulumi#16072, #18377).
 */
export function isEquivalent(path: string, before: unknown, after: unknown): boolean {
  const keepsOrder = ordered.test(path);
  return isDeepStrictEqual(canonical(before, keepsOrder), canonical(after, keepsOrder));
}

function canonical(value: unknown, keepsOrder: boolean): unknown {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return canonicalText(value);
  if (Array.isArray(value)) return canonicalList(value, keepsOrder);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, canonical(item, keepsOrder)] as const)
    .filter(([, item]) => item !== null);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function canonicalList(list: readonly unknown[], keepsOrder: boolean): unknown {
  if (list.length === 0) return null;
  const areNames = list.every((item) => typeof item === "string");
  return (areNames && !keepsOrder ? [...list].sort() : list).map((item) => canonical(item, keepsOrder));
}

function canonicalText(text: string): unknown {
  const document = parsedDocument(text);
  return document === undefined ? text : withoutForm(document);
}

function parsedDocument(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

// In policy documents one value and a list of it are the same, and so are lists in any order.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
const policyLists = new Set(["Statement", "Action", "NotAction", "Resource", "NotResource"]);
const principals = new Set(["Principal", "NotPrincipal"]);

/** A document in one form; only of policies is it known which lists have no order. */
function withoutForm(document: object): unknown {
  return "Statement" in document ? policyForm(document) : canonical(document, true);
}

function policyForm(value: unknown, key?: string, unordered = false): unknown {
  if (key !== undefined && policyLists.has(key)) return sortedList(value);
  if (Array.isArray(value)) return unordered ? sortedList(value) : value.map((item) => policyForm(item));
  if (typeof value === "object" && value !== null) {
    // Values of a condition's or principal's keys are sets.
    const sets = unordered || (key !== undefined && (key === "Condition" || principals.has(key)));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, policyForm(item, sets ? undefined : name, sets)]),
    );
  }
  return unordered ? sortedList(value) : typeof value === "object" ? value : String(value);
}

function sortedList(value: unknown): unknown {
  return [value]
    .flat()
    .map((item) => policyForm(item))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
