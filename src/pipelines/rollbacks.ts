import { AppError } from "../errors.ts";
import type { Operation } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import {
  auditedPipeline,
  auditedSpec,
  checkChange,
  checkRevision,
  hold,
  originOf,
  type PipelineRequest,
  type PipelineServices,
  standOf,
} from "./changes.ts";
import { renewExpiry } from "./expiry.ts";
import { specOfRevision } from "./revision-spec.ts";
import { getPipeline, reviseSpec } from "./store.ts";
import { usableAccount } from "./usable-account.ts";

/**
 * Makes the spec of an earlier revision the newest revision, under a number of its own, and applies it. It is checked like any change.
 * Throws `revision_not_found`, and `pipeline_conflict` for what can't be gone back to.
 */
export async function rollBack(
  { pool, audit }: PipelineServices,
  request: PipelineRequest,
  revision: number,
): Promise<Operation> {
  const { team, name, by, reason } = request;
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const pipeline = await getPipeline(client, team, name);
    checkRevision(request, pipeline);
    if (revision === pipeline.desiredRevision) {
      throw new AppError(
        "pipeline_conflict",
        `Revision ${revision} is what is desired already: apply it again with PUT, or name an earlier one`,
      );
    }
    const spec = await specOfRevision(client, pipeline, revision);
    await usableAccount(client, team, spec);
    checkChange(pipeline, spec);
    const revised = await reviseSpec(client, pipeline, spec, { ...originOf(request), restores: revision });
    const operation = await submitOperation(client, {
      kind: "rollback",
      stackId: pipeline.stackId,
      team,
      subject: { type: "pipeline", pipeline: name, pipelineId: pipeline.id },
      revision: revised.desiredRevision,
      options: {},
      requestId: by.requestId,
      requestedBy: by.subject,
      reason,
    });
    await renewExpiry(client, pipeline.id);
    await audit.change(client, by, {
      ...auditedPipeline(request, "rollback"),
      before: { ...standOf(pipeline), spec: auditedSpec(pipeline.spec) },
      after: {
        operation: operation.id,
        reason,
        restores: revision,
        ...standOf(revised),
        spec: auditedSpec(spec),
      },
    });
    return operation;
  });
}
