import Type, { type Static } from "typebox";
import { SEVERITIES } from "../../programs/policies/policy.ts";
import { Moment, OperationId, singleLine } from "../http/app-types.ts";
import { PhaseName, StepView } from "../operations/schema.ts";
import { driftClasses, driftStates } from "./classes.ts";
import type { StoredRule } from "./rule-store.ts";
import type { Drift } from "./store.ts";

export const DriftClassName = Type.Enum([...driftClasses], {
  description:
    "What it is about: data, security, the promotion of a model, cost; `unknown` where no rule says, `benign` where it changes nothing",
});
export const DriftStateName = Type.Enum([...driftStates], {
  description:
    "`open`: nobody has decided; `ignored` by a rule, `accepted` until a date; `adopted` into the spec; `reverted`; `resolved`: gone by itself",
});

export const DriftItem = Type.Object(
  {
    id: Type.String({
      format: "uuid",
      description: "Id of the drift; the same property of a resource has always the same",
    }),
    urn: Type.String({ description: "The resource's URN" }),
    type: Type.String({ description: "Its type, such as aws:s3/bucket:Bucket" }),
    name: Type.String({ description: "Its name in the program" }),
    phase: Type.Optional(PhaseName),
    awsId: Type.Optional(Type.String({ description: "Its id on AWS" })),
    kind: Type.Enum(["changed", "gone"], {
      description: "Whether a property differs or the resource is gone",
    }),
    path: Type.Optional(
      Type.String({ description: "Path of the property; absent where the resource is gone" }),
    ),
    before: Type.Optional(Type.Unknown({ description: "What was applied; absent where there was nothing" })),
    after: Type.Optional(Type.Unknown({ description: "What was found; absent where there is nothing" })),
    class: DriftClassName,
    severity: Type.Enum([...SEVERITIES], { description: "How much it matters" }),
    reason: Type.String({ description: "Why it matters, or why not" }),
    dataLoss: Type.Boolean({
      description: "Data is gone with it: bringing the resource back takes somebody's approval",
    }),
    state: DriftStateName,
    heldUntil: Type.Optional(Moment("When an ignored or accepted one is open again")),
    rule: Type.Optional(Type.String({ description: "The rule by which it is ignored" })),
    decision: Type.Optional(
      Type.Object(
        {
          by: Type.String({ description: "Who decided" }),
          at: Moment("When"),
          reason: Type.String({ description: "Why" }),
          operation: Type.Optional(OperationId),
        },
        { description: "What was decided about it last" },
      ),
    ),
    changedBy: Type.Optional(
      Type.Object(
        {
          source: Type.Enum(["cloudtrail", "sandbox"], {
            description: "Where that is known from: AWS's record, or the sandbox's",
          }),
          principal: Type.String({ description: "Who: an ARN, or the subject of a request to the sandbox" }),
          event: Type.String({ description: "What they did, such as PutBucketVersioning" }),
          at: Moment("When"),
          sourceAddress: Type.Optional(Type.String({ description: "From where" })),
        },
        { description: "Who most likely changed it; absent while nobody could tell" },
      ),
    ),
    firstSeenAt: Moment("The check that found it first"),
    lastSeenAt: Moment("The check that found it last"),
  },
  { description: "One property that differs from what was applied, or a resource that is gone" },
);

export const DriftView = Type.Object(
  {
    operation: OperationId,
    checkedAt: Moment("When the check ended"),
    drifted: Type.Integer({ description: "Number of resources that differ from the state" }),
    steps: Type.Array(StepView, { description: "What differs, property by property, as the check told it" }),
    open: Type.Record(Type.String(), Type.Integer(), {
      description: "How many drifts are open, by class; classes without any are absent",
    }),
    drifts: Type.Array(DriftItem, { description: "The drifts on record, the gravest first" }),
  },
  { description: "What the last drift check found, and what became of each drift" },
);

export const RuleId = Type.String({
  pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
  maxLength: 60,
  description: "A name for the rule",
});

const pattern = (description: string) =>
  Type.String({ minLength: 1, maxLength: 300, pattern: singleLine, description });

export const RuleBody = Type.Object(
  {
    resource: pattern(
      "Names of resources in the program, or with `::` types and names, such as `aws:s3/bucket:Bucket::raw`; `*` stands for any text",
    ),
    path: pattern("Paths of properties, such as `tags.cost-center`; `*` stands for any text"),
    reason: Type.String({ minLength: 10, maxLength: 2000, description: "Why these drifts are ignored" }),
    owner: Type.String({
      minLength: 1,
      maxLength: 254,
      pattern: singleLine,
      description: "Who answers for it",
    }),
    expiresAt: Moment("Until when; at most a year ahead"),
  },
  {
    additionalProperties: false,
    description: "Drifts to ignore until a date. Losses of data are never ignored",
  },
);

export const RuleView = Type.Object(
  {
    id: RuleId,
    resource: Type.String({ description: "Pattern of resources" }),
    path: Type.String({ description: "Pattern of properties' paths" }),
    reason: Type.String({ description: "Why" }),
    owner: Type.String({ description: "Who answers for it" }),
    expiresAt: Moment("Until when"),
    active: Type.Boolean({ description: "Whether it has not expired" }),
    createdBy: Type.String({ description: "Who put it last" }),
    createdAt: Moment("When it was made"),
    updatedAt: Moment("When it was last changed"),
  },
  { description: "A rule by which drifts of a pipeline are ignored" },
);

const reason = Type.String({ minLength: 10, maxLength: 2000, description: "Why it was decided so" });

// One object, whose fields the route checks against each other: of a union the answer to a mistake would name every branch.
export const DecisionBody = Type.Object(
  {
    decision: Type.Enum(["revert", "adopt", "accept"], {
      description:
        "`revert`: bring the resource back to what was applied; `adopt`: write what was found into the spec; `accept`: leave it until a date",
    }),
    until: Type.Optional(Moment("For `accept`, and only there: until when, at most a year ahead")),
    reason,
  },
  { additionalProperties: false, description: "What becomes of a drift" },
);

export function driftItem(drift: Drift): Static<typeof DriftItem> {
  const { phase, awsId, path, before, after, heldUntil, rule, changedBy } = drift;
  const { decidedAt, decidedBy, decisionReason, decisionOperationId } = drift;
  return {
    id: drift.id,
    urn: drift.urn,
    type: drift.type,
    name: drift.name,
    ...(phase === null ? {} : { phase }),
    ...(awsId === null ? {} : { awsId }),
    ...(path === "" ? { kind: "gone" as const } : { kind: "changed" as const, path }),
    ...(before === null ? {} : { before }),
    ...(after === null ? {} : { after }),
    class: drift.class,
    severity: drift.severity,
    reason: drift.reason,
    dataLoss: drift.dataLoss,
    state: drift.state,
    // What was held until a moment that has passed is open.
    ...(heldUntil === null || drift.state === "open" ? {} : { heldUntil: heldUntil.toISOString() }),
    ...(rule === null || drift.state !== "ignored" ? {} : { rule }),
    ...(decidedAt === null
      ? {}
      : {
          decision: {
            by: decidedBy ?? "",
            at: decidedAt.toISOString(),
            reason: decisionReason ?? "",
            ...(decisionOperationId === null ? {} : { operation: decisionOperationId }),
          },
        }),
    ...(changedBy === null ? {} : { changedBy }),
    firstSeenAt: drift.firstSeenAt.toISOString(),
    lastSeenAt: drift.lastSeenAt.toISOString(),
  };
}

export function ruleView(rule: StoredRule, now: Date): Static<typeof RuleView> {
  return {
    id: rule.id,
    resource: rule.resource,
    path: rule.path,
    reason: rule.reason,
    owner: rule.owner,
    expiresAt: rule.expiresAt.toISOString(),
    active: rule.expiresAt > now,
    createdBy: rule.createdBy,
    createdAt: rule.createdAt.toISOString(),
    updatedAt: rule.updatedAt.toISOString(),
  };
}
