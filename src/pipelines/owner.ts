import type pg from "pg";
import { type PipelineSpec, parseSpec } from "../../programs/spec.ts";
import { endIfUnused, lockFoundationOf } from "../accounts/foundations.ts";
import { foundationOutputs, getAccount } from "../accounts/store.ts";
import { termsOf } from "../approvals/gate.ts";
import { recordOutcome, spareOf } from "../drift/outcome.ts";
import type { RunOutcome } from "../engine/protocol.ts";
import type { StackOwner } from "../operations/stack-owner.ts";
import { isApply } from "../operations/states.ts";
import type { Operation } from "../operations/store.ts";
import { toPolicyException } from "../policies/exceptions.ts";
import { listExceptions } from "../policies/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { PipelineServices } from "./changes.ts";
import { renewExpiry } from "./expiry.ts";
import { lastRelease } from "./releases.ts";
import { accountOf, getPipeline, getRevision, markDeleted, setApplied } from "./store.ts";

/** Runs operations on the stack of a pipeline. */
export function pipelineOwner({ pool, audit }: PipelineServices): StackOwner {
  return {
    accountOf: async (operation) =>
      getAccount(pool, operation.team, (await specFor(pool, operation)).account),
    programFor: async (operation) => {
      const { team, subject, options } = operation;
      if (subject.type !== "pipeline") throw new Error("Not a pipeline's operation");
      // Again: an older release of the service may have stored it without the sections that came later.
      const spec = parseSpec(await specFor(pool, operation));
      const account = await getAccount(pool, team, spec.account);
      const released = subject.pipelineId === null ? undefined : await lastRelease(pool, subject.pipelineId);
      return {
        name: "pipeline",
        input: {
          team,
          pipeline: subject.pipeline,
          spec,
          account: account.aws,
          foundation: await foundationOutputs(pool, account),
          // What one mode released is nothing that another could serve.
          ...(released?.mode === spec.serving.mode && { release: released.release }),
          dataOnDestroy: options.data ?? "retain",
        },
      };
    },
    exceptionsFor: async ({ subject }) => {
      if (subject.type !== "pipeline" || subject.pipelineId === null) return [];
      return (await listExceptions(pool, subject.pipelineId)).map(toPolicyException);
    },
    spareFor: async (operation) => {
      const { subject } = operation;
      if (operation.kind !== "reconcile") return undefined;
      if (subject.type !== "pipeline" || subject.pipelineId === null) return undefined;
      return spareOf(pool, subject.pipelineId, operation, new Date());
    },
    approvalTerms: termsOf,
    beforeEnded: async (client, operation, outcome) => {
      const account = await accountLeft(client, operation, outcome);
      // Creating a pipeline takes the foundation first and its own rows after: so must its end.
      if (account !== undefined) await lockFoundationOf(client, operation.team, account);
    },
    onHeldBack: async (client, operation, outcome) => {
      const { subject } = operation;
      if (subject.type !== "pipeline" || subject.pipelineId === null) return;
      await recordOutcome(client, subject.pipelineId, operation, outcome, new Date());
    },
    onEnded: async (client, operation, outcome) => {
      const { kind, team, subject, revision, requestId } = operation;
      if (subject.type !== "pipeline" || subject.pipelineId === null) return;
      await recordOutcome(client, subject.pipelineId, operation, outcome, new Date());
      if (outcome.state !== "succeeded") return;
      if (isApply(kind) && revision !== null) {
        await setApplied(client, subject.pipelineId, revision);
        await renewExpiry(client, subject.pipelineId);
      }
      if (kind !== "destroy") return;
      const account = await accountLeft(client, operation, outcome);
      await markDeleted(client, subject.pipelineId);
      if (account !== undefined) await endIfUnused(client, audit, { team, account, requestId });
    },
  };
}

/** The account that a pipeline leaves with the end of this operation; undefined when it doesn't leave. */
async function accountLeft(
  db: Queryable,
  { kind, subject }: Operation,
  { state }: RunOutcome,
): Promise<string | undefined> {
  if (kind !== "destroy" || state !== "succeeded") return undefined;
  if (subject.type !== "pipeline" || subject.pipelineId === null) return undefined;
  return accountOf(db, subject.pipelineId);
}

async function specFor(
  pool: pg.Pool,
  { team, subject, revision, options }: Operation,
): Promise<PipelineSpec> {
  if (options.spec) return options.spec;
  if (subject.type !== "pipeline") throw new Error("Not a pipeline's operation");
  // By id: a later pipeline of the same name has other revisions.
  if (subject.pipelineId !== null && revision !== null) {
    return (await getRevision(pool, subject.pipelineId, revision)).spec;
  }
  return (await getPipeline(pool, team, subject.pipeline)).spec;
}
