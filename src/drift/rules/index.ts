import { accessRules } from "./access.ts";
import { observationRules } from "./observation.ts";
import type { TypeRules } from "./rule.ts";
import { storageRules } from "./storage.ts";
import { workloadRules } from "./workload.ts";

const rules: Readonly<Record<string, TypeRules>> = {
  ...storageRules,
  ...accessRules,
  ...observationRules,
  ...workloadRules,
};

/** How drift of a type is judged: by its own rules, or by those of its AWS service; undefined for a type that nobody knows. */
export function rulesOf(type: string): TypeRules | undefined {
  if (Object.hasOwn(rules, type)) return rules[type];
  const service = `${type.split("/", 1)[0]}/*`;
  return Object.hasOwn(rules, service) ? rules[service] : undefined;
}
