import type { Failure } from "../check.ts";
import { isMap, isUnknown, type PropertyMap, type PropertyValue } from "../values.ts";
import { apiRules } from "./api.ts";
import { computeRules } from "./compute.ts";
import { deliveryRules } from "./delivery.ts";
import { governanceRules } from "./governance.ts";
import { machineLearningRules } from "./machine-learning.ts";
import { monitoringRules } from "./monitoring.ts";
import { networkRules } from "./network.ts";
import type { Rules } from "./rule.ts";
import { storageRules } from "./storage.ts";

const rules: Rules = {
  ...apiRules,
  ...computeRules,
  ...deliveryRules,
  ...governanceRules,
  ...machineLearningRules,
  ...monitoringRules,
  ...networkRules,
  ...storageRules,
};

/**
 * Combinations, quotas and documents that AWS refuses, by the rules of the type. Where something is unknown that decides which of
 * them apply, a preview passes: the update checks again.
 */
export function ruleFailures(token: string, inputs: PropertyMap): Failure[] {
  const rule = rules[token.split(":")[1] ?? ""];
  if (!rule || Object.entries(inputs).some(([name, value]) => isUndecided(name, value))) return [];
  return [...rule(inputs)];
}

// What other resources tell: where they are, what they are called. Rules only ask whether such a thing is given. A part's own name
// is not among it: rules look for it elsewhere among the inputs.
const told =
  /(arn|id|name|uri|url|bucket|key|role|topic|queue|alarm|endpoint|location|image|subnet|securityGroup|logGroup|policy|body|content|schema|value|secret|domain|address|region|account|host|pattern)s?$|^(alarmActions|okActions|insufficientDataActions|resources|principal|buildspec|definition|pipelineDefinition|containerDefinitions|taskDefinition|function|rule|vpc|cluster)$/i;
const ownNames = new Set([
  "actionId",
  "featureName",
  "hashKey",
  "name",
  "originId",
  "rangeKey",
  "targetOriginId",
]);
/** Maps whose members are of any name. */
const freeMaps = new Set([
  "configuration",
  "defaultArguments",
  "dimensions",
  "parameters",
  "requestParameters",
  "tags",
  "triggers",
  "variables",
]);

function isUndecided(name: string, value: PropertyValue): boolean {
  if (isUnknown(value)) return !told.test(name) || ownNames.has(name);
  if (Array.isArray(value)) return value.some((item) => isUndecided(name, item));
  if (!isMap(value) || freeMaps.has(name)) return false;
  return Object.entries(value).some(([member, part]) => isUndecided(member, part));
}
