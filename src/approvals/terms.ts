import type { APPROVER_ROLES } from "../../programs/spec/approvals.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import type { ApprovalReason } from "../engine/protocol.ts";
import type { TeamBudget } from "../teams/quotas.ts";

export type ApproverRole = (typeof APPROVER_ROLES)[number];

/** Under which terms the plan of an operation is approved, where it has to be. */
export interface ApprovalTerms {
  /** Reasons that hold whatever the plan is. */
  readonly reasons: readonly ApprovalReason[];
  /** Nothing of the stack was ever applied completely. */
  readonly firstCreation: boolean;
  /** How many people, where anybody: at least one. */
  readonly needed: number;
  readonly from: readonly ApproverRole[];
  readonly expiresAfterHours: number;
}

/**
 * The terms for a pipeline that goes from what was applied to another spec. Where the two differ the stricter counts: nobody gets
 * round the approvals of a pipeline by asking for a spec without them.
 */
export function pipelineTerms(
  applied: PipelineSpec | undefined,
  desired: PipelineSpec,
  budget: TeamBudget | undefined,
): ApprovalTerms {
  const specs = applied === undefined ? [desired] : [applied, desired];
  const required = Math.max(...specs.map(({ approvals }) => approvals.required ?? 0));
  const first = (applied ?? desired).approvals.from;
  const both = first.filter((role) => desired.approvals.from.includes(role));
  return {
    reasons: [
      ...(required > 0 ? [reason("spec", `The pipeline's spec asks for ${people(required)}`)] : []),
      ...(specs.some(({ profile }) => profile === "production")
        ? [reason("production", "The pipeline is in production")]
        : []),
      ...budgetReasons(applied, desired, budget),
    ],
    firstCreation: applied === undefined,
    needed: Math.max(1, required),
    from: both.length > 0 ? both : first,
    expiresAfterHours: Math.min(...specs.map(({ approvals }) => approvals.expiresAfterHours)),
  };
}

/** A foundation's terms are the service's own: no spec says them. */
export function foundationTerms(firstCreation: boolean): ApprovalTerms {
  return { reasons: [], firstCreation, needed: 1, from: ["approver"], expiresAfterHours: 72 };
}

function budgetReasons(
  applied: PipelineSpec | undefined,
  desired: PipelineSpec,
  budget: TeamBudget | undefined,
): ApprovalReason[] {
  if (budget?.limitUsd === undefined || budget.totalUsd <= budget.limitUsd) return [];
  const before = applied?.budget.monthlyUsd ?? 0;
  const { monthlyUsd } = desired.budget;
  if (monthlyUsd <= before) return [];
  return [
    reason(
      "budget",
      `With ${monthlyUsd} USD a month instead of ${before} the team's pipelines come to ${budget.totalUsd} of ${budget.limitUsd}`,
    ),
  ];
}

function people(count: number): string {
  return count === 1 ? "an approval" : `${count} approvals`;
}

function reason(code: ApprovalReason["code"], message: string): ApprovalReason {
  return { code, message, resources: [] };
}
