import { parseSpec } from "../../programs/spec.ts";
import { getAccount } from "../accounts/store.ts";
import type { ApprovalGate } from "../engine/protocol.ts";
import { isApply } from "../operations/states.ts";
import type { Operation } from "../operations/store.ts";
import { getRevision } from "../pipelines/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import { findStack } from "../stacks/store.ts";
import { budgetOf } from "../teams/quotas.ts";
import { countedVotes, revisionsOf } from "./store.ts";
import { type ApprovalTerms, foundationTerms, pipelineTerms } from "./terms.ts";

/**
 * What an operation's plan has to pass before it is applied; undefined where there is nothing to lose and nobody who wants to be
 * asked. An approved plan is named in it only while enough of the approvals still count.
 */
export async function gateOf(
  db: Queryable,
  operation: Operation,
  terms: ApprovalTerms,
): Promise<ApprovalGate | undefined> {
  const { reasons, firstCreation } = terms;
  const { initialized } = await findStack(db, operation.stackId);
  if (!initialized && reasons.length === 0) return undefined;
  const { approval } = operation;
  if (approval === null) return { reasons, firstCreation };
  const { given } = await countedVotes(db, operation, approval);
  const enough = given >= Math.max(approval.needed, terms.needed);
  return { reasons, firstCreation, ...(enough ? { approved: approval.digest } : {}) };
}

/** Under which terms an operation's plan is approved; undefined for operations that need no approval whatever they do. */
export async function termsOf(db: Queryable, operation: Operation): Promise<ApprovalTerms | undefined> {
  const { kind, subject, team, options } = operation;
  if (subject.type === "account") {
    if (!isApply(kind) && kind !== "reconcile") return undefined;
    return foundationTerms(!(await getAccount(db, team, subject.account)).foundationReady);
  }
  const deletesData = kind === "destroy" && options.data === "delete";
  if (subject.pipelineId === null || !(isApply(kind) || kind === "reconcile" || deletesData))
    return undefined;
  const { pipelineId } = subject;
  const { applied: appliedRevision, desired: desiredRevision } = await revisionsOf(db, pipelineId);
  const specOf = async (revision: number) =>
    // A revision of an older version of the service lacks the sections that came later.
    parseSpec((await getRevision(db, pipelineId, revision)).spec);
  const applied = appliedRevision === null ? undefined : await specOf(appliedRevision);
  const desired = await specOf(operation.revision ?? desiredRevision);
  return pipelineTerms(applied, desired, isApply(kind) ? await budgetOf(db, team) : undefined);
}
