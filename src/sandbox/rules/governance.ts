import { parseJson } from "../json-text.ts";
import { isMap, type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  failure,
  isGiven,
  numberOf,
  objectOf,
  objectsOf,
  type Rules,
  repeated,
  textOf,
  textsAt,
} from "./rule.ts";

// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
const trailQuotas = { eventSelectors: 5, dataResources: 250, conditions: 500 };
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html
const leastDaysInColdStorage = 90;

/** Backup, Config, CloudTrail, ECR and other things of the whole account. */
export const governanceRules: Rules = {
  *"backup/plan"(inputs) {
    const rules = objectsOf(inputs.rules);
    for (const name of repeated(rules.map(({ ruleName }) => String(ruleName))))
      yield failure("rules", `has two rules "${name}": rename one`);
    for (const [index, rule] of rules.entries()) {
      if (!/^[a-zA-Z0-9\-_.]{1,50}$/.test(String(rule.ruleName)))
        yield failure(
          ["rules", index, "ruleName"],
          `must have at most 50 letters, digits, - _ and ., not "${String(rule.ruleName)}"`,
        );
      yield* lifecycleFailures(["rules", index, "lifecycle"], rule.lifecycle);
      for (const [position, copy] of objectsOf(rule.copyActions).entries())
        yield* lifecycleFailures(["rules", index, "copyActions", position, "lifecycle"], copy.lifecycle);
      const days = numberOf(objectOf(rule.lifecycle).deleteAfter);
      if (rule.enableContinuousBackup === true && (days === undefined || days < 1 || days > 35))
        yield failure(
          ["rules", index, "lifecycle"],
          `continuous backups are kept 1 to 35 days: set deleteAfter, not ${String(days ?? "nothing")}`,
        );
      const [start, end] = [numberOf(rule.startWindow), numberOf(rule.completionWindow)];
      if (start !== undefined && start < 60)
        yield failure(["rules", index, "startWindow"], `must be at least 60 minutes, not ${start}`);
      if (start !== undefined && end !== undefined && end < start + 60)
        yield failure(
          ["rules", index, "completionWindow"],
          `must be at least 60 minutes more than the startWindow, ${start}, not ${end}`,
        );
    }
  },
  *"backup/selection"(inputs) {
    const given = ["resources", "selectionTags", "conditions", "notResources"].filter((name) =>
      isGiven(inputs[name]),
    );
    if (given.length === 0) yield failure("resources", "or selectionTags is required: set one");
  },
  *"backup/vaultLockConfiguration"(inputs) {
    const days = numberOf(inputs.changeableForDays);
    if (days !== undefined && days < 3) yield failure("changeableForDays", `must be at least 3, not ${days}`);
  },
  *"cfg/rule"(inputs) {
    const source = objectOf(inputs.source);
    if (
      source.owner === "CUSTOM_POLICY"
        ? !isGiven(source.customPolicyDetails)
        : isGiven(source.owner) && !isGiven(source.sourceIdentifier)
    )
      yield failure(
        "source",
        `of the owner ${String(source.owner)} needs ${source.owner === "CUSTOM_POLICY" ? "customPolicyDetails" : "a sourceIdentifier"}`,
      );
    if (source.owner === "AWS" && isGiven(source.sourceDetails))
      yield failure("source", "of the owner AWS has no sourceDetails: leave them out");
    const parameters = textOf(inputs.inputParameters);
    const parsed = parseJson(parameters);
    if (parameters !== undefined && !isMap(parsed)) yield failure("inputParameters", "must be a JSON object");
    if (isMap(parsed))
      for (const [name, value] of Object.entries(parsed))
        if (typeof value !== "string")
          yield failure("inputParameters", `"${name}" must be text, even where it is a number`);
    const scope = objectOf(inputs.scope);
    if (isGiven(scope.complianceResourceId) && valuesAt(scope.complianceResourceTypes, []).length !== 1)
      yield failure("scope", "with a complianceResourceId must name exactly one complianceResourceType");
  },
  *"cfg/recorder"(inputs) {
    const group = objectOf(inputs.recordingGroup);
    if (group.allSupported === true && isGiven(group.resourceTypes))
      yield failure("recordingGroup", "has either allSupported or resourceTypes");
    if (group.includeGlobalResourceTypes === true && group.allSupported === false)
      yield failure("recordingGroup", "can include global types only with allSupported");
  },
  *"cloudtrail/trail"(inputs) {
    if (isGiven(inputs.eventSelectors) && isGiven(inputs.advancedEventSelectors))
      yield failure("eventSelectors", "conflicts with advancedEventSelectors: keep only one of them");
    const selectors = objectsOf(inputs.eventSelectors);
    yield* atMost(
      "eventSelectors",
      selectors.length,
      trailQuotas.eventSelectors,
      "selectors",
      "use advancedEventSelectors",
    );
    yield* atMost(
      "eventSelectors",
      valuesAt(selectors, ["dataResources", "values"]).length,
      trailQuotas.dataResources,
      "data resources",
      "use advancedEventSelectors",
    );
    const advanced = objectsOf(inputs.advancedEventSelectors);
    const conditions = ["equals", "startsWiths", "endsWiths", "notEquals", "notStartsWiths", "notEndsWiths"];
    const count = conditions.reduce(
      (sum, name) => sum + valuesAt(advanced, ["fieldSelectors", name]).length,
      0,
    );
    yield* atMost("advancedEventSelectors", count, trailQuotas.conditions, "conditions", "use fewer");
    for (const [index, selector] of advanced.entries()) {
      const fields = textsAt(selector, "fieldSelectors", "field");
      if (!fields.includes("eventCategory"))
        yield failure(["advancedEventSelectors", index], "must have a field selector for eventCategory");
      const category = textsAt(
        objectsOf(selector.fieldSelectors).find(({ field }) => field === "eventCategory"),
        "equals",
      )[0];
      if (category === "Data" && !fields.includes("resources.type"))
        yield failure(
          ["advancedEventSelectors", index],
          "of the category Data must have a field selector for resources.type",
        );
    }
    const group = isGiven(inputs.cloudWatchLogsGroupArn);
    if (group !== isGiven(inputs.cloudWatchLogsRoleArn))
      yield failure("cloudWatchLogsGroupArn", "and cloudWatchLogsRoleArn belong together: set both");
    const arn = textOf(inputs.cloudWatchLogsGroupArn);
    if (arn !== undefined && !arn.endsWith(":*"))
      yield failure("cloudWatchLogsGroupArn", `must end with ":*", "${arn}" does not`);
  },
  *"ecr/lifecyclePolicy"(inputs) {
    const policy = parseJson(inputs.policy);
    const rules = isMap(policy) ? objectsOf(policy.rules) : [];
    if (isMap(policy) && rules.length === 0) yield failure("policy", "must have rules");
    for (const priority of repeated(rules.map(({ rulePriority }) => String(rulePriority))))
      yield failure("policy", `has two rules of the priority ${priority}: give each its own`);
    const last = rules.reduce((most, { rulePriority }) => Math.max(most, Number(rulePriority)), 0);
    for (const { rulePriority, selection } of rules) {
      if (objectOf(selection).tagStatus === "any" && Number(rulePriority) !== last)
        yield failure(
          "policy",
          `the rule ${String(rulePriority)} with the tagStatus any must have the highest priority number`,
        );
      if (
        objectOf(selection).tagStatus === "tagged" &&
        !isGiven(objectOf(selection).tagPrefixList) &&
        !isGiven(objectOf(selection).tagPatternList)
      )
        yield failure(
          "policy",
          `the rule ${String(rulePriority)} with the tagStatus tagged must have a tagPrefixList or tagPatternList`,
        );
    }
  },
  *"ecr/registryScanningConfiguration"(inputs) {
    const allowed =
      inputs.scanType === "ENHANCED" ? ["SCAN_ON_PUSH", "CONTINUOUS_SCAN"] : ["SCAN_ON_PUSH", "MANUAL"];
    for (const frequency of textsAt(inputs, "rules", "scanFrequency"))
      if (!allowed.includes(frequency))
        yield failure(
          "rules",
          `${String(inputs.scanType)} scanning takes ${allowed.join(" or ")}, not ${frequency}`,
        );
  },
  *"organizations/policy"(inputs) {
    if (parseJson(inputs.content) === undefined && textOf(inputs.content) !== undefined)
      yield failure("content", "must be JSON");
  },
  *"accessanalyzer/analyzer"(inputs) {
    const isUnused = textOf(inputs.type)?.includes("UNUSED_ACCESS") === true;
    if (isGiven(objectOf(inputs.configuration).unusedAccess) && !isUnused)
      yield failure("configuration", "unusedAccess is for the types …_UNUSED_ACCESS only");
  },
};

function* lifecycleFailures(path: readonly (string | number)[], value: PropertyMap[string] | undefined) {
  const { coldStorageAfter, deleteAfter } = objectOf(value);
  if (typeof coldStorageAfter !== "number" || typeof deleteAfter !== "number" || coldStorageAfter === 0)
    return;
  if (deleteAfter < coldStorageAfter + leastDaysInColdStorage)
    yield failure(
      path,
      `DeleteAfterDays must be at least ${leastDaysInColdStorage} days after MoveToColdStorageAfterDays, ${coldStorageAfter}, not ${deleteAfter}`,
    );
}
