import { isMap, type PropertyValue } from "../values.ts";

/** What EventBridge says against a pattern; undefined when it is well formed. */
export function eventPatternProblem(pattern: PropertyValue | undefined): string | undefined {
  if (!isMap(pattern)) return "a pattern is a JSON object";
  if (Object.keys(pattern).length === 0) return "Empty event pattern";
  return objectProblem(pattern, []);
}

function objectProblem(pattern: PropertyValue, path: readonly string[]): string | undefined {
  if (!isMap(pattern)) return undefined;
  for (const [name, value] of Object.entries(pattern)) {
    const here = [...path, name];
    if (name === "$or" && Array.isArray(value)) {
      for (const choice of value) {
        const problem = objectProblem(choice, here);
        if (problem !== undefined) return problem;
      }
      continue;
    }
    if (Array.isArray(value)) {
      if (value.length === 0) return `Empty arrays are not allowed at ${here.join(".")}`;
      const stray = value.find((item) => isMap(item) && !isMatcher(item));
      if (stray !== undefined) return `Unrecognized match type at ${here.join(".")}`;
    } else if (isMap(value)) {
      const problem = objectProblem(value, here);
      if (problem !== undefined) return problem;
    } else {
      return `"${here.join(".")}" must be an object or an array`;
    }
  }
  return undefined;
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const matchers = new Set([
  "prefix",
  "suffix",
  "anything-but",
  "numeric",
  "exists",
  "cidr",
  "equals-ignore-case",
  "wildcard",
]);

function isMatcher(item: PropertyValue): boolean {
  return isMap(item) && Object.keys(item).length === 1 && matchers.has(Object.keys(item)[0] ?? "");
}
