import { type Arns, arnsIn } from "../arns.ts";
import type { DataOnDestroy, PipelineInput } from "../inputs.ts";
import { type PipelineNames, pipelineNames } from "../names.ts";

/** What every phase of a pipeline works from. */
export interface PipelineSetting extends Omit<PipelineInput, "dataOnDestroy"> {
  readonly names: PipelineNames;
  readonly arns: Arns;
  readonly dataOnDestroy: DataOnDestroy;
}

export function pipelineSetting(input: PipelineInput): PipelineSetting {
  return {
    ...input,
    names: pipelineNames(input),
    arns: arnsIn(input.account),
    dataOnDestroy: input.dataOnDestroy ?? "retain",
  };
}
