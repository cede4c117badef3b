import type { PipelineSpec } from "../../programs/spec.ts";
import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";
import { parseSpec } from "./spec.ts";
import { getRevision, type Pipeline } from "./store.ts";

/**
 * The spec of a recorded revision, completed by today's defaults. Throws `revision_not_found`, and `pipeline_conflict` with every
 * place that today's rules refuse.
 */
export async function specOfRevision(
  db: Queryable,
  pipeline: Pipeline,
  number: number,
): Promise<PipelineSpec> {
  const revision = await getRevision(db, pipeline.id, number);
  try {
    return parseSpec(revision.spec);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(
      "pipeline_conflict",
      `Revision ${number} is no spec by today's rules: PUT one that is, made from it`,
      { cause: error, details: error.details },
    );
  }
}
