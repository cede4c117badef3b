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

/** Tags that a spec gives to everything of its pipeline. */
export const specTags = ({ tags, dataClassification, owner, profile }: PipelineSpec): Tags => ({
  ...tags,
  [TAG.classification]: dataClassification,
  [TAG.owner]: owner,
  [TAG.profile]: profile,
});

/** Of whatever is one pipeline's, whoever makes it. */
export const ownTags = ({ team, pipeline }: { team: string; pipeline: string }): Tags => ({
  [TAG.managedBy]: "aidlc",
  [TAG.team]: team,
  [TAG.pipeline]: pipeline,
});

/** Tags of everything in a pipeline's stack; the provider adds them to every resource that takes tags. */
export function pipelineTags(input: { team: string; pipeline: string; spec: PipelineSpec }): Tags {
  return { ...specTags(input.spec), ...ownTags(input) };
}

export function foundationTags(account: { accountId: string; region: string }): Tags {
  return { [TAG.managedBy]: "aidlc", [TAG.foundation]: `${account.accountId}.${account.region}` };
}

export const phaseTags = (phase: Phase): Tags => ({ [TAG.phase]: phase });
