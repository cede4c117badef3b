import type { PropertyValue } from "./values.ts";
import { isEqual, isMap } from "./values.ts";

/** Inputs that hold JSON text; AWS stores them in a form of its own, so they are compared by meaning. */
const jsonInputs = new Set([
  "accessPolicy",
  "assumeRolePolicy",
  "containerDefinitions",
  "dashboardBody",
  "definition",
  "deliveryPolicy",
  "eventPattern",
  "filterPolicy",
  "pipelineDefinition",
  "policy",
  "policyDocument",
  "redriveAllowPolicy",
  "redrivePolicy",
  "resourcePolicy",
  "ruleJson",
]);

/** Of some types these hold JSON, of others any text. */
const oftenJson = new Set(["configuration", "content", "input", "inputParameters", "schema"]);

export function isJsonInput(name: string | number | undefined): boolean {
  return typeof name === "string" && jsonInputs.has(name);
}

/** Whether two texts with the same meaning as JSON are no difference. */
export function isComparedAsJson(name: string | number | undefined): boolean {
  return isJsonInput(name) || (typeof name === "string" && oftenJson.has(name));
}

/** Two texts mean the same: order and white space aside, and in policies a single string is a list of one. */
export function isSameJson(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (a === b) return true;
  const left = parseJson(a);
  const right = parseJson(b);
  return left !== undefined && right !== undefined && isEqual(normalized(left), normalized(right));
}

export function parseJson(value: PropertyValue | undefined): PropertyValue | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

// AWS writes these either way round; lists in them have no order.
const unorderedMembers = new Set([
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "AWS",
  "Service",
  "Federated",
]);

function normalized(value: PropertyValue): PropertyValue {
  if (Array.isArray(value)) return value.map(normalized);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name === "Statement" && isMap(member)) return [name, [normalized(member)]];
      if (!unorderedMembers.has(name)) return [name, normalized(member)];
      const list = Array.isArray(member) ? member : [member];
      return [name, list.map(normalized).sort((a, b) => (String(a) < String(b) ? -1 : 1))];
    }),
  );
}
