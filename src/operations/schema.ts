import Type, { type Static } from "typebox";
import { ApprovalRequestView, approvalRequestView } from "../approvals/schema.ts";
import { phases } from "../engine/phase.ts";
import { changeKinds, operationErrorCodes } from "../engine/protocol.ts";
import { AccountName, Moment, OperationId, PipelineName, shared, TeamName } from "../http/app-types.ts";
import { FindingView } from "../policies/schema.ts";
import type { StoredEvent } from "./events.ts";
import { type QueuePosition, waitingReasons } from "./queue-position.ts";
import { operationKinds, operationStates } from "./states.ts";
import type { Operation } from "./store.ts";

export const PhaseName = Type.Enum([...phases], { description: "A phase of the AI development life cycle" });

export const PropertyChange = Type.Object(
  {
    path: Type.String({
      description: "Path of the property, as the engine writes it: `tags.team`, `rules[0].status`",
    }),
    kind: Type.Enum([...changeKinds], { description: "What happens, or happened, to the property" }),
    before: Type.Optional(
      Type.Unknown({ description: "The value in the stack's state; absent when there is none" }),
    ),
    after: Type.Optional(
      Type.Unknown({ description: "The value planned or, for drift, found; absent when there is none" }),
    ),
  },
  { description: "One property that differs; secrets are masked" },
);

export const StepView = Type.Object(
  {
    action: Type.String({ description: "create, update, replace, delete …" }),
    urn: Type.String({ description: "The resource's URN" }),
    type: Type.String({ description: "The resource's type, such as aws:s3/bucket:Bucket" }),
    name: Type.String({ description: "The resource's name in the program" }),
    phase: Type.Optional(PhaseName),
    awsId: Type.Optional(Type.String({ description: "The resource's id on AWS" })),
    changes: Type.Array(PropertyChange, { description: "Its properties that differ" }),
    inputsDigest: Type.Optional(
      Type.String({ description: "In plans: SHA-256 of all that the resource would be given" }),
    ),
  },
  { description: "One resource that would change or has drifted" },
);

export const ChangeCounts = Type.Record(Type.String(), Type.Integer(), {
  description: "Number of resources by what happened, or would happen, to them",
});

const OperationErrorView = Type.Object(
  {
    code: Type.Enum([...operationErrorCodes], { description: "Stable code for programs" }),
    message: Type.String({ description: "What happened, secrets masked" }),
    remedy: Type.String({ description: "What to do about it" }),
    resource: Type.Optional(
      Type.Object(
        {
          urn: Type.String({ description: "The resource's URN" }),
          type: Type.String({ description: "Its type" }),
          name: Type.String({ description: "Its name in the program" }),
        },
        { description: "Where it happened" },
      ),
    ),
    others: Type.Optional(Type.Array(Type.String(), { description: "Further failures of the same run" })),
  },
  { description: "Why the operation failed" },
);

export const OperationView = Type.Object(
  {
    id: OperationId,
    kind: Type.Enum([...operationKinds], { description: "What it does" }),
    state: Type.Enum([...operationStates], { description: "How far it is" }),
    team: TeamName,
    account: Type.Optional(AccountName),
    pipeline: Type.Optional(PipelineName),
    revision: Type.Optional(Type.Integer({ description: "The revision it works with" })),
    requestedBy: Type.Optional(
      Type.String({
        description:
          "Who asked for it: `user:` or `key:` and an id, or `service`; absent where that was not recorded yet",
      }),
    ),
    reason: Type.Optional(Type.String({ description: "Why it was asked for, where somebody said" })),
    waiting: Type.Optional(
      Type.Object(
        {
          reason: Type.Enum([...waitingReasons], {
            description:
              "`next`: it begins at once. `stack_busy`: an operation of its stack comes first. `team_cap`, `account_cap`: as many of its team, or in its account of AWS, run as may. `node_full`: all places of all nodes are taken. `no_worker`: no node lives that runs operations",
          }),
          position: Type.Integer({
            description:
              "1 is next: among the operations of its stack where that is busy, otherwise among all, if nothing else came",
          }),
          behind: Type.Optional(
            Type.String({ format: "uuid", description: "The operation of its stack that has to end first" }),
          ),
        },
        { description: "Why it is queued; shown where one operation, or a list of them, is read" },
      ),
    ),
    createdAt: Moment("When it was asked for"),
    startedAt: Type.Optional(Moment("When it began to run")),
    finishedAt: Type.Optional(Moment("When it ended")),
    cancelRequestedAt: Type.Optional(Moment("When its end was asked for")),
    result: Type.Optional(
      Type.Object(
        {
          changes: ChangeCounts,
          steps: Type.Optional(
            Type.Array(StepView, {
              description: "A plan that was not applied, or for drift checks what drifted",
            }),
          ),
          findings: Type.Optional(
            Type.Array(shared("PolicyFinding", FindingView), {
              description:
                "For previews, updates and reconciliations: breaches of policies, those that refuse it first",
            }),
          ),
          digest: Type.Optional(
            Type.String({ description: "SHA-256 of the plan: equal digests are equal plans" }),
          ),
        },
        { description: "What it did or found" },
      ),
    ),
    error: Type.Optional(OperationErrorView),
    approval: Type.Optional(ApprovalRequestView),
  },
  { $id: "Operation", description: "A durable, long-running action on a stack" },
);

/** The answer of every route that has to do with one operation. */
export const OperationAnswer = shared("Operation", OperationView);

export const EventView = Type.Object(
  {
    sequence: Type.Integer({ description: "Number of the event in its operation, from 1 without gaps" }),
    at: Moment("When it happened"),
    type: Type.String({ description: "resource, diagnostic, policy, approval or summary" }),
    phase: Type.Optional(PhaseName),
    body: Type.Record(Type.String(), Type.Unknown(), { description: "What happened, by type of event" }),
  },
  { description: "One event of an operation" },
);

/** With `waiting`, which only a queued operation has, it says why it waits. */
export function operationView(
  operation: Operation,
  waiting?: QueuePosition | undefined,
): Static<typeof OperationView> {
  const { subject } = operation;
  return {
    id: operation.id,
    kind: operation.kind,
    state: operation.state,
    team: operation.team,
    ...(subject.type === "account" ? { account: subject.account } : { pipeline: subject.pipeline }),
    ...(operation.revision === null ? {} : { revision: operation.revision }),
    ...(operation.requestedBy === null ? {} : { requestedBy: operation.requestedBy }),
    ...(operation.reason === null ? {} : { reason: operation.reason }),
    ...(waiting === undefined ? {} : { waiting: waitingView(operation, waiting) }),
    createdAt: operation.createdAt.toISOString(),
    ...(operation.startedAt === null ? {} : { startedAt: operation.startedAt.toISOString() }),
    ...(operation.finishedAt === null ? {} : { finishedAt: operation.finishedAt.toISOString() }),
    ...(operation.cancelRequestedAt === null
      ? {}
      : { cancelRequestedAt: operation.cancelRequestedAt.toISOString() }),
    // The schema's arrays aren't readonly; nothing here changes them.
    ...(operation.result === null
      ? {}
      : { result: operation.result as NonNullable<Static<typeof OperationView>["result"]> }),
    ...(operation.error === null
      ? {}
      : { error: operation.error as NonNullable<Static<typeof OperationView>["error"]> }),
    ...(operation.approval === null ? {} : { approval: approvalRequestView(operation.approval) }),
  };
}

function waitingView({ team }: Operation, { reason, position, behind }: QueuePosition) {
  // On a foundation that teams share it may be another team's, which is none of this one's business.
  return { reason, position, ...(behind?.team === team ? { behind: behind.id } : {}) };
}

export function eventView(event: StoredEvent): Static<typeof EventView> {
  return {
    sequence: event.sequence,
    at: event.at.toISOString(),
    type: event.type,
    ...(event.phase === null ? {} : { phase: event.phase }),
    body: { ...event.body },
  };
}
