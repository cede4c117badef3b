import type { BucketFacts, Facts } from "./facts.ts";
import { type ControlRules, type Finding, judged, listed, type State, yes } from "./judge.ts";
import { dataBuckets } from "./protection.ts";

const bucketsOf = ({ buckets }: Facts, ...kinds: readonly BucketFacts["kind"][]) =>
  buckets.filter(({ kind }) => kinds.includes(kind));

/**
 * A function on private subnets that nobody called for weeks, as the one that erases, is inactive until a call readies it
 * (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html).
 */
const CALLABLE: ReadonlySet<string> = new Set(["Active", "Inactive"]);

const functionsOf = ({ functions }: Facts, ...kinds: readonly string[]): Finding[] =>
  kinds.flatMap((kind) => {
    const found = functions.find(({ name }) => name.endsWith(`-${kind}`));
    if (found === undefined) return [{ id: kind, state: "missing", evidence: "There is no such function" }];
    return [
      yes(found.name, found.configuration, ({ state }) => CALLABLE.has(state), [
        "The function can be called",
        "The function can't be called",
      ]),
    ];
  });

const ruleOf = ({ rules }: Facts, part: string): Finding[] =>
  rules
    .filter(({ name }) => name.endsWith(`-${part}`))
    .map(({ name, state }) =>
      yes(name, state, (is) => is === "ENABLED", ["The rule is enabled", "The rule is disabled"]),
    );

const versioned = ({ name, versioning }: BucketFacts): Finding =>
  yes(name, versioning, (status) => status === "Enabled", [
    "Old versions are kept",
    "Old versions are not kept",
  ]);

/** Where things come from, how they change, how long they stay and who watches them. */
export const LIFE_CYCLE = {
  dataLineage: {
    phase: "learning",
    implementation:
      "Raw data is validated on its way in; versions, inventories and the registry say where everything comes from",
    judge: (facts) => [
      ...bucketsOf(facts, "raw").map(({ name, notification }) =>
        yes(name, notification, ({ queues }) => queues > 0, [
          "New objects are validated",
          "New objects are told to nobody",
        ]),
      ),
      ...bucketsOf(facts, "validated").map(({ name, notification }) =>
        yes(name, notification, ({ eventBridge }) => eventBridge, [
          "Accepted objects are told",
          "Accepted objects are told to nobody",
        ]),
      ),
      ...ruleOf(facts, "accepted"),
      ...functionsOf(facts, "validate", "register-model"),
      ...dataBuckets(facts).map(({ name, inventory }) =>
        yes(
          `${name} (inventory)`,
          inventory,
          (is) => is,
          ["Its objects are listed", "Its objects are not listed"],
          "partial",
        ),
      ),
    ],
  },
  modelVersioning: {
    phase: "learning",
    implementation: "A registry of versions, which are signed, checked and approved before they serve",
    judge: (facts) => [
      yes(facts.models.group, facts.models.described, (status) => status === "Completed", [
        "The registry is there",
        "The registry is not complete",
      ]),
      judged(`${facts.models.group} (versions)`, facts.models.versions, ({ count, approved }) => [
        "effective",
        `${count} versions, ${approved} of them approved`,
      ]),
      ...bucketsOf(facts, "models").map(versioned),
      ...facts.keys
        .filter(({ purpose }) => purpose === "signing")
        .map(({ alias, key }) =>
          yes(alias, key, ({ state, usage }) => state === "Enabled" && usage === "SIGN_VERIFY", [
            "Models are signed with it",
            "Nothing can be signed with it",
          ]),
        ),
      ...functionsOf(facts, "sign-model", "verify-model"),
    ],
  },
  changeManagement: {
    phase: "architecture",
    implementation:
      "Everything comes from a recorded spec, by previewed and approved changes; changes by hand are told",
    judge: (facts) => [
      ...ruleOf(facts, "key-tampering"),
      ...ruleOf(facts, "guard-tampering"),
      yes(facts.training.name, facts.training.state, (status) => status === "Active", [
        "Training is a declared pipeline",
        "The training pipeline is not active",
      ]),
      ...facts.buckets.map(({ name, tags }) =>
        yes(
          name,
          tags,
          (found) => found["aidlc:managed-by"] === "aidlc",
          ["It belongs to a recorded spec", "Its tags don't say what it belongs to"],
          "partial",
        ),
      ),
    ],
  },
  dataRetention: {
    phase: "compliance",
    implementation: "Objects, their old versions and logs expire; a person's rows are erased on request",
    judge: (facts) => [
      ...facts.buckets.map(({ kind, name, lifecycle }) =>
        judged(name, lifecycle, ({ expires, expiresReplaced }): [State, string] =>
          (expires || kind === "models") && expiresReplaced
            ? ["effective", "Objects and what replaced them expire"]
            : ["partial", "Objects or their old versions are kept for ever"],
        ),
      ),
      ...listed("log groups", facts.logGroups, (groups) =>
        groups.map(({ name, retentionDays }) => ({
          id: name,
          state: retentionDays === undefined ? "partial" : "effective",
          evidence:
            retentionDays === undefined
              ? "Its events are kept for ever"
              : `Its events are kept ${retentionDays} days`,
        })),
      ),
      ...functionsOf(facts, "erase"),
    ],
  },
  backupAndRecovery: {
    phase: "infrastructure",
    implementation:
      "Old versions are kept; what can't be made again has replicas in another region, where the spec asks for them",
    judge: (facts) => [
      ...facts.buckets.map(versioned),
      ...(facts.wantsReplicas
        ? bucketsOf(facts, "raw", "validated", "models", "predictions").map(({ name, replication }) =>
            judged(`${name} (replica)`, replication, (to) => ["effective", `Replicated to ${to}`]),
          )
        : [
            {
              id: "replicas",
              state: "partial",
              evidence: "The spec asks for no replica region",
              isSpecified: true,
            } as const,
          ]),
    ],
  },
  incidentResponse: {
    phase: "compliance",
    implementation:
      "Alarms and rules tell people by two topics; what could not be told or done waits in a queue",
    judge: (facts) => [
      ...facts.topics.map(({ name, attributes }) =>
        yes(
          name,
          attributes,
          ({ subscribers }) => subscribers > 0,
          ["Somebody is told", "Nobody is told"],
          "partial",
        ),
      ),
      ...listed("alarms", facts.alarms, (alarms) =>
        alarms.length === 0
          ? [{ id: "alarms", state: "missing", evidence: "There is no alarm" }]
          : [
              {
                id: "alarms",
                state: alarms.some(({ tells }) => tells) ? "effective" : "missing",
                evidence: `${alarms.length} alarms, ${alarms.filter(({ tells }) => tells).length} of them tell somebody`,
              },
            ],
      ),
      ...ruleOf(facts, "key-tampering"),
      ...ruleOf(facts, "guard-tampering"),
      ...facts.queues
        .filter(({ name }) => name.endsWith("-dead-letters"))
        .map(({ name, attributes }) => judged(name, attributes, () => ["effective", "The queue is there"])),
      ...facts.functions.map(({ name, configuration }) =>
        yes(
          `${name} (failures)`,
          configuration,
          ({ deadLetters }) => deadLetters,
          ["What it could not do waits", "What it could not do is lost"],
          "partial",
        ),
      ),
    ],
  },
  modelMonitoring: {
    phase: "learning",
    implementation:
      "The monitor compares predictions with baselines and labels; alarms watch what it publishes",
    judge: (facts) => [
      ...functionsOf(facts, "monitor"),
      ...listed("alarms of the model", facts.alarms, (alarms) => {
        const own = alarms.filter(({ namespace }) => namespace === facts.metricNamespace);
        return [
          {
            id: "alarms of the model",
            state: own.length > 0 ? "effective" : "missing",
            evidence: `${own.length} alarms watch ${facts.metricNamespace}`,
          },
        ];
      }),
      ...listed("model-degraded", facts.alarms, (alarms) => {
        const found = alarms.find(({ name }) => name.endsWith("-model-degraded"));
        return [
          {
            id: found?.name ?? "model-degraded",
            state: found?.tells ? "effective" : "missing",
            evidence: found?.tells ? "A worse model is told" : "A worse model is told to nobody",
          },
        ];
      }),
    ],
  },
} satisfies Partial<ControlRules>;
