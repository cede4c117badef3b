import { parseJson } from "../json-text.ts";
import { type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  bytesOf,
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

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
const lifecycleRules = 1000;
const leastDaysInInfrequentAccess = 30;
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const secretBytes = 65_536;
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
const parameterBytes = { standard: 4096, advanced: 8192 };

/** S3, SQS, SNS, secrets, parameters, tables and keys. */
export const storageRules: Rules = {
  *"s3/bucketNotification"(inputs) {
    const kinds = ["queues", "topics", "lambdaFunctions"];
    const all = kinds.flatMap((kind) =>
      objectsOf(inputs[kind]).map((one, index) => ({ one, path: [kind, index] as const })),
    );
    for (const [index, { one, path }] of all.entries()) {
      for (const earlier of all.slice(0, index)) {
        const event = overlappingEvent(earlier.one, one);
        if (event !== undefined)
          yield failure(
            path,
            `Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type (${event}): merge it with ${earlier.path.join(" ")}, or filter apart`,
          );
      }
      for (const event of textsAt(one, "events")) {
        if (!/^s3:[A-Za-z:]+(\*)?$/.test(event)) yield failure(path, `has no valid event "${event}"`);
      }
    }
    yield* atMost("queues", all.length, 100, "notifications", "merge some, or use EventBridge");
  },
  *"s3/bucketLifecycleConfiguration"(inputs) {
    const rules = objectsOf(inputs.rules);
    yield* atMost("rules", rules.length, lifecycleRules, "rules", "merge some");
    for (const id of repeated(rules.map(({ id }) => String(id))))
      yield failure("rules", `has two rules of the id "${id}": rename one`);
    for (const [index, rule] of rules.entries()) yield* lifecycleRuleFailures(index, rule);
  },
  *"s3/bucketReplicationConfig"(inputs) {
    const rules = objectsOf(inputs.rules);
    for (const [index, rule] of rules.entries()) {
      const path = ["rules", index];
      const filtered = isGiven(rule.filter);
      if (filtered && !isGiven(rule.deleteMarkerReplication))
        yield failure(
          path,
          "DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema",
        );
      if (filtered && rules.length > 1 && !isGiven(rule.priority))
        yield failure(
          path,
          "Priority must be specified for this version of Cross Region Replication configuration schema",
        );
      const encrypted =
        objectOf(objectOf(rule.sourceSelectionCriteria).sseKmsEncryptedObjects).status === "Enabled";
      const key = objectOf(objectOf(rule.destination).encryptionConfiguration).replicaKmsKeyId;
      if (encrypted && !isGiven(key))
        yield failure(
          path,
          "EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is present",
        );
      if (!encrypted && isGiven(key))
        yield failure(path, "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present");
    }
    for (const priority of repeated(
      rules.flatMap(({ priority }) => (priority === undefined ? [] : [String(priority)])),
    ))
      yield failure("rules", `Found duplicate priority ${priority}: give each rule its own`);
  },
  *"sqs/queue"(inputs) {
    const name = textOf(inputs.name);
    if (name !== undefined && name.endsWith(".fifo") !== (inputs.fifoQueue === true))
      yield failure(
        "name",
        `must ${inputs.fifoQueue === true ? "" : "not "}end with ".fifo", "${name}" does${inputs.fifoQueue === true ? "n't" : ""}`,
      );
    if (isGiven(inputs.kmsMasterKeyId) && inputs.sqsManagedSseEnabled === true)
      yield failure("sqsManagedSseEnabled", "conflicts with kmsMasterKeyId: keep only one of them");
    yield* redriveFailures(inputs);
  },
  "sqs/redrivePolicy": redriveFailures,
  *"sns/topic"(inputs) {
    const name = textOf(inputs.name);
    if (name !== undefined && name.endsWith(".fifo") !== (inputs.fifoTopic === true))
      yield failure("name", `must end with ".fifo" for a FIFO topic and for no other, not "${name}"`);
  },
  *"sns/topicSubscription"(inputs) {
    const endpoint = textOf(inputs.endpoint);
    const forms: Readonly<Record<string, RegExp>> = {
      email: /^[^@\s]+@[^@\s]+$/,
      "email-json": /^[^@\s]+@[^@\s]+$/,
      https: /^https:\/\//,
      lambda: /^arn:.*:lambda:/,
      sqs: /^arn:.*:sqs:/,
    };
    const form = forms[textOf(inputs.protocol) ?? ""];
    if (endpoint !== undefined && form && !form.test(endpoint))
      yield failure(
        "endpoint",
        `Invalid parameter: "${endpoint}" is no endpoint of ${String(inputs.protocol)}`,
      );
    if (inputs.protocol === "firehose" && !isGiven(inputs.subscriptionRoleArn))
      yield failure("subscriptionRoleArn", "is required by firehose: set it");
  },
  *"secretsmanager/secretVersion"(inputs) {
    yield* atMost("secretString", bytesOf(inputs.secretString), secretBytes, "bytes", "keep less in it");
  },
  *"secretsmanager/secretRotation"(inputs) {
    const rules = objectOf(inputs.rotationRules);
    const [days, schedule] = [rules.automaticallyAfterDays, rules.scheduleExpression];
    if (isGiven(inputs.rotationRules) && isGiven(days) === isGiven(schedule))
      yield failure("rotationRules", "must have either automaticallyAfterDays or scheduleExpression");
    const [least, most] = [1, 1000];
    if (typeof days === "number" && (days < least || days > most))
      yield failure(
        ["rotationRules", "automaticallyAfterDays"],
        `must be between ${least} and ${most}, not ${days}`,
      );
    const expression = textOf(schedule);
    if (expression !== undefined && !/^(rate|cron)\(.+\)$/.test(expression))
      yield failure(
        ["rotationRules", "scheduleExpression"],
        `must be rate(…) or cron(…), not "${expression}"`,
      );
  },
  *"ssm/parameter"(inputs) {
    const limit =
      parameterBytes[inputs.tier === undefined || inputs.tier === "Standard" ? "standard" : "advanced"];
    for (const name of ["value", "insecureValue"])
      yield* atMost(name, bytesOf(inputs[name]), limit, "bytes", "use the Advanced tier or split it");
    const name = textOf(inputs.name);
    if (name !== undefined && (/^\/?(aws|ssm)/i.test(name) || (name.match(/\//g) ?? []).length > 15))
      yield failure(
        "name",
        `must not begin with "aws" or "ssm" nor have more than 15 levels: rename "${name}"`,
      );
  },
  *"dynamodb/table"(inputs) {
    const attributes = textsAt(inputs, "attributes", "name");
    const indexes = ["localSecondaryIndexes", "globalSecondaryIndexes"];
    const used = [
      ...textsAt(inputs, "hashKey"),
      ...textsAt(inputs, "rangeKey"),
      ...indexes.flatMap((index) => [
        ...textsAt(inputs, index, "hashKey"),
        ...textsAt(inputs, index, "rangeKey"),
        ...textsAt(inputs, index, "keySchemas", "attributeName"),
      ]),
    ];
    const missing = used.filter((name) => !attributes.includes(name));
    const idle = attributes.filter((name) => !used.includes(name));
    if (isGiven(inputs.attributes) && missing.length > 0)
      yield failure(
        "attributes",
        `all indexes must match a defined attribute: ${missing.join(", ")} is not defined`,
      );
    if (idle.length > 0)
      yield failure("attributes", `all attributes must be indexed: ${idle.join(", ")} is not`);
    if (inputs.streamEnabled === true && !isGiven(inputs.streamViewType))
      yield failure("streamViewType", "is required by streamEnabled: set it");
  },
  *"kms/key"(inputs) {
    const spec = textOf(inputs.customerMasterKeySpec) ?? "SYMMETRIC_DEFAULT";
    const usage = textOf(inputs.keyUsage) ?? "ENCRYPT_DECRYPT";
    const fits: readonly (readonly [spec: RegExp, usages: readonly string[]])[] = [
      [/^SYMMETRIC/, ["ENCRYPT_DECRYPT"]],
      [/^HMAC/, ["GENERATE_VERIFY_MAC"]],
      [/^RSA/, ["ENCRYPT_DECRYPT", "SIGN_VERIFY"]],
      [/^ECC_NIST_P/, ["SIGN_VERIFY", "KEY_AGREEMENT"]],
      [/^(ECC_|ML_DSA)/, ["SIGN_VERIFY"]],
    ];
    const usages = fits.find(([form]) => form.test(spec))?.[1];
    if (usages && !usages.includes(usage))
      yield failure(
        "keyUsage",
        `KeyUsage ${usage} is not compatible with KeySpec ${spec}: use ${usages.join(" or ")}`,
      );
    if (inputs.enableKeyRotation === true && spec !== "SYMMETRIC_DEFAULT")
      yield failure(
        "enableKeyRotation",
        `UnsupportedOperationException: keys of the spec ${spec} can't rotate`,
      );
    if (isGiven(inputs.rotationPeriodInDays) && inputs.enableKeyRotation !== true)
      yield failure("rotationPeriodInDays", "needs enableKeyRotation: set it");
  },
  *"kms/alias"(inputs) {
    const name = textOf(inputs.name);
    if (name !== undefined && (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name) || name.startsWith("alias/aws/")))
      yield failure("name", `must begin with "alias/", but not with "alias/aws/", not "${name}"`);
  },
};

function overlappingEvent(a: PropertyMap, b: PropertyMap): string | undefined {
  const overlap = (x: string, y: string, end: boolean): boolean =>
    end ? x.endsWith(y) || y.endsWith(x) : x.startsWith(y) || y.startsWith(x);
  const [prefixA, prefixB] = [textOf(a.filterPrefix) ?? "", textOf(b.filterPrefix) ?? ""];
  const [suffixA, suffixB] = [textOf(a.filterSuffix) ?? "", textOf(b.filterSuffix) ?? ""];
  if (!overlap(prefixA, prefixB, false) || !overlap(suffixA, suffixB, true)) return undefined;
  return textsAt(a, "events").find((event) => textsAt(b, "events").some((other) => sameEvent(event, other)));
}

function sameEvent(a: string, b: string): boolean {
  const [shortA, shortB] = [a.replace(/\*$/, ""), b.replace(/\*$/, "")];
  return (
    a === b ||
    (a.endsWith("*") && shortB.startsWith(shortA)) ||
    (b.endsWith("*") && shortA.startsWith(shortB))
  );
}

function* lifecycleRuleFailures(index: number, rule: PropertyMap) {
  const path = ["rules", index];
  const actions = [
    "expiration",
    "transitions",
    "noncurrentVersionExpiration",
    "noncurrentVersionTransitions",
    "abortIncompleteMultipartUpload",
  ];
  if (!actions.some((name) => isGiven(rule[name])))
    yield failure(path, "At least one action needs to be specified in a rule");
  const expires = numberOf(objectOf(rule.expiration).days);
  let latest = 0;
  for (const transition of objectsOf(rule.transitions)) {
    const days = numberOf(transition.days);
    if (days === undefined) continue;
    if (
      ["STANDARD_IA", "ONEZONE_IA"].includes(String(transition.storageClass)) &&
      days < leastDaysInInfrequentAccess
    )
      yield failure(
        path,
        `'Days' in Transition action must be greater than or equal to ${leastDaysInInfrequentAccess} for storageClass '${String(transition.storageClass)}'`,
      );
    latest = Math.max(latest, days);
  }
  if (expires !== undefined && latest > 0 && expires <= latest)
    yield failure(
      path,
      `'Days' in the Expiration action for filter must be greater than 'Days' in the Transition action: ${expires} is not more than ${latest}`,
    );
  const tagged =
    valuesAt(rule, ["filter", "tag"]).length + valuesAt(rule, ["filter", "and", "tags"]).length > 0;
  if (tagged && isGiven(rule.abortIncompleteMultipartUpload))
    yield failure(
      path,
      "AbortIncompleteMultipartUpload cannot be specified with Tags: use a rule of its own",
    );
  const name = textOf(rule.id);
  if (name !== undefined && name.length > 255)
    yield failure([...path, "id"], `has ${name.length} characters, AWS allows 255`);
}

function* redriveFailures(inputs: PropertyMap) {
  const policy = parseJson(inputs.redrivePolicy);
  if (policy === undefined) return;
  const { deadLetterTargetArn, maxReceiveCount } = objectOf(policy);
  const count = Number(maxReceiveCount);
  if (!isGiven(deadLetterTargetArn)) yield failure("redrivePolicy", "must name the deadLetterTargetArn");
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    yield failure(
      "redrivePolicy",
      `must have a maxReceiveCount between 1 and 1000, not ${String(maxReceiveCount)}`,
    );
}
