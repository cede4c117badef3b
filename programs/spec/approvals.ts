import Type from "typebox";
import type { PipelineSpec } from "../spec.ts";
import type { SpecProblem } from "./problem.ts";
import { closedWithDefault } from "./shapes.ts";

export const APPROVER_ROLES = ["approver", "maintainer"] as const;

export const Approvals = Type.Object(
  {
    required: Type.Optional(
      Type.Integer({
        description:
          "How many people must approve of a change's plan. Unless given 1 in production and none in learning, where only what loses data or widens access, or a budget beyond the team's, takes one.",
        minimum: 0,
        maximum: 5,
      }),
    ),
    from: Type.Array(Type.Enum([...APPROVER_ROLES]), {
      description: "Roles in the team whose approval counts; an admin's always does.",
      minItems: 1,
      uniqueItems: true,
      default: ["approver"],
    }),
    expiresAfterHours: Type.Integer({
      description: "How long a plan waits for approval before the operation is called off.",
      minimum: 1,
      maximum: 720,
      default: 72,
    }),
  },
  { ...closedWithDefault, description: "Who has to approve of changes." },
);

/** A production pipeline's changes are seen by somebody else. */
export function* approvalProblems({ profile, approvals }: PipelineSpec): Iterable<SpecProblem> {
  if (profile === "production" && approvals.required === 0)
    yield { path: "/approvals/required", message: "must be at least 1 in the profile production" };
}
