import type pg from "pg";
import type { PipelineSpec } from "../../programs/spec.ts";
import { foundationOutputs, getAccount } from "../accounts/store.ts";
import type { Operation } from "../operations/store.ts";
import type { StackOwner } from "../operations/worker.ts";
import { getPipeline, getRevision, markDeleted, setApplied } from "./store.ts";

/** Runs operations on the stack of a pipeline. */
export function pipelineOwner(pool: pg.Pool): StackOwner {
  return {
    programFor: async (operation) => {
      const { team, subject, options } = operation;
      if (subject.type !== "pipeline") throw new Error("Not a pipeline's operation");
      const spec = await specFor(pool, operation);
      const account = await getAccount(pool, team, spec.account);
      return {
        name: "pipeline",
        input: {
          team,
          pipeline: subject.pipeline,
          spec,
          account: account.aws,
          foundation: await foundationOutputs(pool, account),
          dataOnDestroy: options.data ?? "retain",
        },
      };
    },
    onEnded: async (client, { kind, subject, revision }, outcome) => {
      if (subject.type !== "pipeline" || subject.pipelineId === null || outcome.state !== "succeeded") return;
      if (kind === "update" && revision !== null) await setApplied(client, subject.pipelineId, revision);
      if (kind === "destroy") await markDeleted(client, subject.pipelineId);
    },
  };
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
