import type { PipelineSpec } from "./spec.ts";

export const RESERVED_TAG_PREFIX = "aidlc:";

/** User tags; AWS allows 50 in all and the pipeline's own, with room for more of them, take ten. */
export const TAG_LIMIT = 40;

export type Phase = "architecture" | "infrastructure" | "deployment" | "learning" | "compliance";
export type Tags = Readonly<Record<string, string>>;

export const TAG = {
  managedBy: "aidlc:managed-by",
  team: "aidlc:team",
  pipeline: "aidlc:pipeline",
  phase: "aidlc:phase",
  classification: "aidlc:classification",
  owner: "aidlc:owner",
  profile: "aidlc:profile",
  foundation: "aidlc:foundation",
} as const;

/** Tags of everything in a pipeline's stack; the provider adds them to every resource that takes tags. */
export function pipelineTags(input: { team: string; pipeline: string; spec: PipelineSpec }): Tags {
  return {
    ...input.spec.tags,
    [TAG.managedBy]: "aidlc",
    [TAG.team]: input.team,
    [TAG.pipeline]: input.pipeline,
    [TAG.classification]: input.spec.dataClassification,
    [TAG.owner]: input.spec.owner,
    [TAG.profile]: input.spec.profile,
  };
}

export function foundationTags(account: { accountId: string; region: string }): Tags {
  return { [TAG.managedBy]: "aidlc", [TAG.foundation]: `${account.accountId}.${account.region}` };
}

export const phaseTags = (phase: Phase): Tags => ({ [TAG.phase]: phase });
