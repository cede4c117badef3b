import Type, { type Static } from "typebox";
import { APPROVER_ROLES } from "../../programs/spec/approvals.ts";
import { approvalReasonCodes } from "../engine/protocol.ts";
import { Moment, singleLine } from "../http/app-types.ts";
import type { ApprovalRequest } from "./request.ts";
import type { Vote } from "./store.ts";

const Digest = Type.String({
  pattern: "^[0-9a-f]{64}$",
  description: "SHA-256 of the plan: approvals of another plan don't count",
});

const ReasonView = Type.Object(
  {
    code: Type.Enum([...approvalReasonCodes], { description: "Stable code for programs" }),
    message: Type.String({ description: "Why somebody has to approve" }),
    resources: Type.Array(
      Type.Object({
        urn: Type.String({ description: "Its URN" }),
        type: Type.String({ description: "Its type" }),
        name: Type.String({ description: "Its name in the program" }),
      }),
      { description: "The resources that it is about; none where it is about the operation as a whole" },
    ),
  },
  { description: "Why a plan needs approval" },
);

const requestFields = {
  digest: Digest,
  reasons: Type.Array(ReasonView, { description: "Why it needs approval" }),
  needed: Type.Integer({ description: "How many people have to approve" }),
  given: Type.Integer({ description: "How many had approved when it was last counted" }),
  from: Type.Array(Type.Enum([...APPROVER_ROLES], { description: "A role in the team" }), {
    description: "Whose approval counts, besides admins'",
  }),
  requestedAt: Moment("Since when the plan waits"),
  expiresAt: Moment("When the operation is called off"),
};

export const ApprovalRequestView = Type.Object(requestFields, {
  description: "What the operation waits for, or has waited for",
});

const VoteView = Type.Object(
  {
    digest: Digest,
    subject: Type.String({ description: "Whose vote it is" }),
    label: Type.String({ description: "What people call them" }),
    verdict: Type.Enum(["approve", "reject"], { description: "What they decided" }),
    comment: Type.Optional(Type.String({ description: "Why" })),
    at: Moment("When they voted"),
    counts: Type.Boolean({
      description: "Whether it is an approval of the present plan by somebody who may still give it",
    }),
  },
  { description: "A vote on a plan" },
);

export const ApprovalsView = Type.Object(
  {
    approval: Type.Optional(ApprovalRequestView),
    items: Type.Array(VoteView, { description: "The votes, the oldest first" }),
  },
  { description: "What an operation waits for, and who has voted" },
);

const comment = { minLength: 1, maxLength: 1000, pattern: singleLine };

export const ApproveBody = Type.Object(
  { digest: Digest, comment: Type.Optional(Type.String({ ...comment, description: "Why" })) },
  { additionalProperties: false, description: "An approval of the plan that the approver has seen" },
);

export const RejectBody = Type.Object(
  { comment: Type.String({ ...comment, description: "Why; whoever asked for the operation reads it" }) },
  { additionalProperties: false, description: "A rejection" },
);

export function approvalRequestView(request: ApprovalRequest): Static<typeof ApprovalRequestView> {
  const { reasons, from, ...fields } = request;
  return {
    ...fields,
    reasons: reasons.map((reason) => ({ ...reason, resources: [...reason.resources] })),
    from: [...from],
  };
}

export function voteView(
  { digest, subject, label, verdict, comment: why, at }: Vote,
  counts: boolean,
): Static<typeof ApprovalsView>["items"][number] {
  const said = why === null ? {} : { comment: why };
  return { digest, subject, label, verdict, ...said, at: at.toISOString(), counts };
}
