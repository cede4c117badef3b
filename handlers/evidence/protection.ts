import type { BucketFacts, Facts } from "./facts.ts";
import { type ControlRules, type Finding, judged, listed, type State, yes } from "./judge.ts";
import { boundless, deniesOldTls, deniesPlainHttp, letsEverybodyIn, wholeKey } from "./policies.ts";

/** Buckets of data: the other one takes logs, which services write that can't use a customer key. */
export const dataBuckets = ({ buckets }: Facts) => buckets.filter(({ kind }) => kind !== "access-logs");

function bucketEncryption({ keys }: Facts, { kind, name, encryption }: BucketFacts): Finding {
  const own = keys.find(({ purpose }) => purpose === (kind === "models" ? "models" : "data"))?.key;
  return judged(name, encryption, ({ algorithm, key }): [State, string] => {
    if (kind === "access-logs") {
      return algorithm === undefined
        ? ["missing", "No default encryption"]
        : ["effective", `Encrypted by ${algorithm}`];
    }
    if (algorithm !== "aws:kms") return ["partial", `Encrypted by ${algorithm}, not with a customer key`];
    const isOwn = own?.is === "there" && key !== undefined && own.value.arn === key;
    return isOwn
      ? ["effective", "Encrypted with the pipeline's key"]
      : ["partial", "Encrypted with another key"];
  });
}

/** Who can read and change what. */
export const PROTECTION = {
  encryptionAtRest: {
    phase: "infrastructure",
    implementation:
      "Customer keys for data, models and logs, which rotate; buckets, topics, queues, logs and the secret use them",
    judge: (facts) => [
      ...facts.buckets.map((bucket) => bucketEncryption(facts, bucket)),
      ...facts.keys.flatMap(({ alias, key, rotates, purpose }) => [
        yes(alias, key, ({ state }) => state === "Enabled", ["The key is enabled", "The key is not enabled"]),
        ...(purpose === "signing"
          ? []
          : [
              yes(
                `${alias} (rotation)`,
                rotates,
                (is) => is,
                ["It rotates every year", "It does not rotate"],
                "partial",
              ),
            ]),
      ]),
      ...[...facts.topics, ...facts.queues].map(({ name, attributes }) =>
        yes(name, attributes, ({ encrypted }) => encrypted, [
          "Messages are encrypted",
          "Messages are not encrypted",
        ]),
      ),
      ...listed("log groups", facts.logGroups, (groups) =>
        groups.map(({ name, encrypted }) => ({
          id: name,
          state: encrypted ? "effective" : "partial",
          evidence: encrypted ? "Encrypted with a customer key" : "Encrypted with a key of AWS",
        })),
      ),
      yes(facts.secret.name, facts.secret.described, ({ key }) => key !== undefined, [
        "Encrypted with a customer key",
        "Not encrypted with a customer key",
      ]),
    ],
  },
  encryptionInTransit: {
    phase: "infrastructure",
    implementation: "Policies of buckets, topics and queues deny plain HTTP; those of buckets TLS before 1.2",
    judge: ({ buckets, topics, queues }) => [
      ...buckets.map(({ name, policy }) =>
        judged(name, policy, (statements): [State, string] => {
          if (!deniesPlainHttp(statements)) return ["missing", "Plain HTTP is not denied"];
          return deniesOldTls(statements)
            ? ["effective", "Plain HTTP and TLS before 1.2 are denied"]
            : ["partial", "TLS before 1.2 is not denied"];
        }),
      ),
      ...[...topics, ...queues].map(({ name, attributes }) =>
        yes(name, attributes, ({ policy }) => deniesPlainHttp(policy), [
          "Plain HTTP is denied",
          "Plain HTTP is not denied",
        ]),
      ),
    ],
  },
  accessAuditing: {
    phase: "compliance",
    implementation:
      "The account's trail records calls and every access to data; buckets log accesses besides",
    judge: (facts) => [
      yes(facts.trail.arn, facts.trail.isLogging, (is) => is, [
        "The trail is recording",
        "The trail is not recording",
      ]),
      judged(
        `${facts.trail.arn} (files)`,
        facts.trail.trail,
        ({ validatesFiles, encrypted }): [State, string] =>
          validatesFiles && encrypted
            ? ["effective", "Its files are encrypted and their integrity can be proved"]
            : ["partial", "Its files are not encrypted, or changes of them go unnoticed"],
      ),
      ...dataBuckets(facts).flatMap(({ name, logging }) => [
        yes(
          `${name} (data events)`,
          facts.trail.recordedObjects,
          (recorded) => recorded.some((beginning) => `arn:aws:s3:::${name}/`.startsWith(beginning)),
          ["Accesses to its objects are recorded", "Accesses to its objects are not recorded"],
        ),
        yes(name, logging, () => true, ["Its accesses are logged", "Its accesses are not logged"], "partial"),
      ]),
    ],
  },
  leastPrivilege: {
    phase: "infrastructure",
    implementation: "A role for each component, within a boundary and without wildcards; nothing is public",
    judge: (facts) => [
      ...facts.roles.flatMap(({ name, role, policies, attached }) => [
        yes(
          name,
          role,
          ({ boundary }) => boundary,
          ["It is within a boundary", "It has no boundary"],
          "partial",
        ),
        judged(`${name} (policies)`, policies, (statements): [State, string] => {
          const wide = boundless(statements);
          return wide.length === 0
            ? ["effective", "It names what it allows"]
            : ["missing", `It allows ${[...new Set(wide)].join(", ")} without bounds`];
        }),
        judged(`${name} (attached)`, attached, (arns): [State, string] =>
          arns.length === 0
            ? ["effective", "No policy is attached"]
            : ["partial", `Attached: ${arns.join(", ")}`],
        ),
      ]),
      ...facts.buckets.flatMap(({ name, publicAccess, ownership, policy }) => [
        yes(`${name} (public access)`, publicAccess, (blocks) => blocks.every((is) => is === true), [
          "Public access is blocked in all four ways",
          "Public access is not blocked",
        ]),
        yes(
          `${name} (ownership)`,
          ownership,
          (is) => is === "BucketOwnerEnforced",
          ["Access lists have no effect", "Access lists have an effect"],
          "partial",
        ),
        judged(`${name} (policy)`, policy, (statements): [State, string] =>
          letsEverybodyIn(statements)
            ? ["missing", "Its policy lets everybody in"]
            : ["effective", "Its policy lets nobody in at large"],
        ),
      ]),
      ...facts.keys.map(({ alias, policy }) =>
        judged(`${alias} (policy)`, policy, (statements): [State, string] =>
          wholeKey(statements).length > 0 || letsEverybodyIn(statements)
            ? ["partial", "Its policy lets somebody do everything with it"]
            : ["effective", "Whoever administers it can't use it, and whoever uses it can't change it"],
        ),
      ),
      ...facts.functions.map(({ name, policy }) =>
        judged(
          `${name} (callers)`,
          policy,
          (statements): [State, string] =>
            letsEverybodyIn(statements)
              ? ["missing", "Everybody may call it"]
              : ["effective", "Only named callers may call it"],
          ["effective", "Nobody may call it but by their own role"],
        ),
      ),
      yes(
        `${facts.secret.name} (policy)`,
        facts.secret.policy,
        (found) => found.some(({ Effect }) => Effect === "Deny"),
        ["Its policy denies it to all others", "It has no policy of its own"],
        "partial",
      ),
    ],
  },
} satisfies Partial<ControlRules>;
