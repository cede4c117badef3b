import { type Arns, arnsIn } from "../arns.ts";
import type { DataOnDestroy, PipelineInput } from "../inputs.ts";
import { type PipelineNames, pipelineNames } from "../names.ts";
import { regionProblems } from "../spec-changes.ts";

/** What every phase of a pipeline works from. */
export interface PipelineSetting extends Omit<PipelineInput, "dataOnDestroy"> {
  readonly names: PipelineNames;
  readonly arns: Arns;
  readonly dataOnDestroy: DataOnDestroy;
}

/** Throws for an input that fits its account or its foundation not: nothing is registered then. */
export function pipelineSetting(input: PipelineInput): PipelineSetting {
  const { account, foundation, spec } = input;
  for (const { path, message } of regionProblems(spec, account.region)) throw new Error(`${path} ${message}`);
  if (
    spec.profile === "production" &&
    !spec.network.dedicated &&
    foundation.network.privateSubnetIds.length === 0
  ) {
    throw new Error(
      "The profile production needs private subnets: give the account's foundation that profile first",
    );
  }
  return {
    ...input,
    names: pipelineNames(input),
    arns: arnsIn(input.account),
    dataOnDestroy: input.dataOnDestroy ?? "retain",
  };
}
