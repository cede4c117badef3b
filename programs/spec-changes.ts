import { partitionOf } from "./arns.ts";
import type { SpecProblem } from "./spec/problem.ts";
import type { PipelineSpec } from "./spec.ts";

/** What a spec may not be in this account's region, which it does not name itself. */
export function* regionProblems({ dataset }: PipelineSpec, region: string): Iterable<SpecProblem> {
  const { replicaRegion } = dataset;
  if (replicaRegion === undefined) return;
  const path = "/dataset/replicaRegion";
  if (replicaRegion === region) {
    yield { path, message: `must differ from the account's region ${region}: replicas are for its loss` };
  } else if (partitionOf(replicaRegion) !== partitionOf(region)) {
    yield { path, message: `is in another partition of AWS than the account's region ${region}` };
  }
}

/**
 * What an applied spec can't become. Replicas and backups hold data: they are not taken away by a change of the spec, so a
 * pipeline that leaves the profile `production` keeps them.
 */
export function* changeProblems(before: PipelineSpec, after: PipelineSpec): Iterable<SpecProblem> {
  const [from, to] = [before.dataset.replicaRegion, after.dataset.replicaRegion];
  if (from === undefined || from === to) return;
  yield {
    path: "/dataset/replicaRegion",
    message: `must stay ${from}: its replicas hold data and go only with the pipeline`,
  };
}
