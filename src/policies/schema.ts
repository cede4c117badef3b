import Type, { type Static } from "typebox";
import { CONTROL_SETS, ENFORCEMENT_LEVELS, type Policy, SEVERITIES } from "../../programs/policies/policy.ts";
import { phases } from "../engine/phase.ts";
import { Moment } from "../http/app-types.ts";
import type { StoredException } from "./store.ts";

export const PolicyId = Type.String({
  pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
  maxLength: 80,
  description: "Id of a policy, as GET /v1/policies lists it",
});

const phase = Type.Enum([...phases], { description: "A phase of the AI development life cycle" });
const severity = Type.Enum([...SEVERITIES], { description: "How much a breach matters" });
const level = (profile: string) =>
  Type.Enum([...ENFORCEMENT_LEVELS], { description: `In the profile ${profile}` });

export const PolicyView = Type.Object(
  {
    id: PolicyId,
    title: Type.String({ description: "What holds when it is kept" }),
    text: Type.String({ description: "Why it must hold" }),
    phase,
    severity,
    levels: Type.Object(
      { learning: level("learning"), production: level("production") },
      { description: "Mandatory: a breach refuses the operation. Advisory: it is told" },
    ),
    controls: Type.Array(
      Type.Object({
        framework: Type.Enum(Object.values(CONTROL_SETS), { description: "Published set of controls" }),
        ids: Type.Array(Type.String(), { description: "Ids of its controls" }),
      }),
      { description: "Controls that it serves" },
    ),
    remedy: Type.String({ description: "How to mend a breach" }),
  },
  { description: "A policy that every preview and update is checked against" },
);

const moment = (description: string) => Moment(description);

export const FindingView = Type.Object(
  {
    policy: PolicyId,
    title: Type.String({ description: "What holds when the policy is kept" }),
    phase,
    severity,
    enforcement: Type.Enum(["mandatory", "advisory"], {
      description: "Mandatory: it refuses the operation unless excepted",
    }),
    detail: Type.Optional(Type.String({ description: "What exactly is wrong" })),
    resource: Type.Optional(
      Type.Object(
        {
          urn: Type.String({ description: "Its URN" }),
          type: Type.String({ description: "Its type" }),
          name: Type.String({ description: "Its name in the program" }),
        },
        { description: "Where; absent when the stack as a whole lacks something" },
      ),
    ),
    remedy: Type.String({ description: "How to mend it" }),
    exception: Type.Optional(
      Type.Object(
        {
          reason: Type.String({ description: "Why" }),
          approvedBy: Type.String({ description: "Who answers for it" }),
          expiresAt: moment("Until when"),
        },
        { description: "The exception that lets it pass" },
      ),
    ),
  },
  { $id: "PolicyFinding", description: "A breach of a policy" },
);

export const ExceptionBody = Type.Object(
  {
    reason: Type.String({ minLength: 10, maxLength: 2000, description: "Why the policy can't be kept" }),
    expiresAt: moment("Until when; at most a year ahead"),
    resource: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Only for the resource of this name in the program; absent: for every resource",
      }),
    ),
  },
  { additionalProperties: false, description: "An exception from a policy" },
);

export const ExceptionView = Type.Object(
  {
    policy: PolicyId,
    reason: Type.String({ description: "Why the policy can't be kept" }),
    approvedBy: Type.String({ description: "Who granted it and answers for it" }),
    expiresAt: moment("Until when"),
    resource: Type.Optional(Type.String({ description: "The only resource it is for" })),
    active: Type.Boolean({ description: "Whether it has not expired" }),
    createdAt: moment("When it was first granted"),
    updatedAt: moment("When it was last changed"),
  },
  { description: "An exception of a pipeline from a policy" },
);

export function policyView(policy: Policy): Static<typeof PolicyView> {
  const { id, title, text, levels, remedy } = policy;
  const controls = Object.entries(CONTROL_SETS)
    .map(([set, framework]) => ({
      framework,
      ids: [...(policy.controls[set as keyof typeof CONTROL_SETS] ?? [])],
    }))
    .filter(({ ids }) => ids.length > 0);
  return {
    id,
    title,
    text,
    phase: policy.phase,
    severity: policy.severity,
    levels: { ...levels },
    controls,
    remedy,
  };
}

export function exceptionView(exception: StoredException, now: Date): Static<typeof ExceptionView> {
  const { policy, resource, reason, approvedBy, expiresAt, createdAt, updatedAt } = exception;
  return {
    policy,
    ...(resource === null ? {} : { resource }),
    reason,
    approvedBy,
    expiresAt: expiresAt.toISOString(),
    active: expiresAt > now,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
