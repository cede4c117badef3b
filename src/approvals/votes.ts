import type pg from "pg";
import type { Principal } from "../access/principal.ts";
import type { AuditContext, AuditTrail } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { appendServiceEvent } from "../operations/events.ts";
import { findOperation, lockOperation, type Operation, operationNotFound } from "../operations/store.ts";
import { inTransaction } from "../postgres/pool.ts";
import { mayBeSame } from "./people.ts";
import type { ApprovalRequest } from "./request.ts";
import { countedVotes, insertVote, makersOf, mayVote, requestersOf } from "./store.ts";
import { endUnapproved, recordGiven } from "./transitions.ts";

export interface VoteServices {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  /** Whose subjects people are; undefined: there are only keys. */
  readonly issuer: string | undefined;
}

export interface VoteRequest {
  readonly operationId: string;
  readonly voter: Principal;
  /** Of the plan that the voter has seen; undefined for a rejection of whatever it is. */
  readonly digest: string | undefined;
  readonly comment: string | undefined;
  readonly by: AuditContext;
  readonly now: Date;
}

type Waiting = Operation & { readonly approval: ApprovalRequest };

/**
 * Approves of the plan that an operation waits with. With enough approvals it goes back into the queue, is planned once more, and
 * applied when the plan is still that one. Repeating it changes nothing. Throws `forbidden`, `not_awaiting_approval`,
 * `approval_expired` and `plan_changed`.
 */
export async function approve(services: VoteServices, request: VoteRequest): Promise<Operation> {
  return inTransaction(services.pool, async (client) => {
    const operation = await voted(client, request);
    const { approval } = operation;
    if (!(await insertVote(client, operation.id, voteOf(services, request, approval, "approve"))))
      return operation;
    const { given } = await countedVotes(client, operation, approval);
    await appendServiceEvent(client, operation.id, "approval", {
      status: "approved",
      digest: approval.digest,
      by: request.voter.label,
      given,
      needed: approval.needed,
    });
    await recordGiven(client, operation, { ...approval, given });
    return recorded(client, services, request, operation, "operation.approve");
  });
}

/** Calls an operation off that waits for approval. Throws like `approve`. */
export async function reject(
  services: VoteServices,
  request: VoteRequest & { readonly comment: string },
): Promise<Operation> {
  return inTransaction(services.pool, async (client) => {
    const operation = await voted(client, request);
    const { approval } = operation;
    const { voter, comment } = request;
    await client.query("delete from approvals where operation_id = $1 and digest = $2 and subject = $3", [
      operation.id,
      approval.digest,
      voter.subject,
    ]);
    await insertVote(client, operation.id, voteOf(services, request, approval, "reject"));
    await appendServiceEvent(client, operation.id, "approval", {
      status: "rejected",
      digest: approval.digest,
      by: voter.label,
      comment,
    });
    await endUnapproved(client, operation, {
      code: "approval_rejected",
      message: `${voter.label} rejected the plan: ${comment}`,
      remedy: "Nothing was changed: change what is asked for, or talk to who rejected it",
    });
    return recorded(client, services, request, operation, "operation.reject");
  });
}

/** The operation as it waits, for somebody who may vote on it; nobody else changes it until the transaction has ended. */
async function voted(client: pg.PoolClient, request: VoteRequest): Promise<Waiting> {
  const { operationId: id, voter, digest, now } = request;
  await lockOperation(client, id);
  const operation = await findOperation(client, id);
  if (operation === undefined) throw operationNotFound(id);
  const { approval, state } = operation;
  if (state !== "awaiting_approval" || approval === null)
    throw new AppError(
      "not_awaiting_approval",
      `Operation ${id} is ${state}: it waits for nobody's approval`,
    );
  await assertMayVote(client, operation, approval, voter);
  if (new Date(approval.expiresAt) <= now) {
    throw new AppError(
      "approval_expired",
      `The plan of operation ${id} could be approved until ${approval.expiresAt}: ask for the operation again`,
    );
  }
  if (digest !== undefined && digest !== approval.digest) {
    throw new AppError(
      "plan_changed",
      `The plan of operation ${id} has the digest ${approval.digest}, not ${digest}: look at it again and decide anew`,
    );
  }
  return { ...operation, approval };
}

async function assertMayVote(
  client: pg.PoolClient,
  operation: Operation,
  { from }: ApprovalRequest,
  { subject, label, platform, teams }: Principal,
): Promise<void> {
  const team = teams.get(operation.team) ?? new Set<string>();
  if (!mayVote({ team, platform }, from)) {
    const roles = from.map((role) => `"${role}"`).join(" or ");
    throw new AppError(
      "forbidden",
      `It takes the role ${roles} in team "${operation.team}": ask somebody who has it`,
    );
  }
  const requesters = await requestersOf(client, operation);
  const makers = await makersOf(client, [subject, ...requesters]);
  const own = requesters.find((requester) => mayBeSame(subject, requester, makers));
  if (own === undefined) return;
  throw new AppError("forbidden", `${label} may be who asked for it (${own}): somebody else has to decide`);
}

function voteOf(
  { issuer }: VoteServices,
  { voter: { subject, label }, comment }: VoteRequest,
  { digest }: ApprovalRequest,
  verdict: "approve" | "reject",
) {
  const vote = { digest, subject, label, verdict, comment: comment ?? null };
  return { ...vote, issuer: subject.startsWith("key:") ? null : (issuer ?? null) };
}

async function recorded(
  client: pg.PoolClient,
  { audit }: VoteServices,
  { by, comment }: VoteRequest,
  before: Waiting,
  action: "operation.approve" | "operation.reject",
): Promise<Operation> {
  const after = await findOperation(client, before.id);
  if (after === undefined) throw operationNotFound(before.id);
  await audit.change(client, by, {
    action,
    team: after.team,
    target: `/operations/${after.id}`,
    before: standOf(before),
    after: { ...standOf(after), comment },
  });
  return after;
}

function standOf({ kind, state, revision, approval }: Operation) {
  return {
    kind,
    state,
    revision,
    digest: approval?.digest,
    reasons: approval?.reasons.map(({ code }) => code),
    given: approval?.given,
    needed: approval?.needed,
  };
}
