import { allow } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

export const starts: RoleDefinition = {
  description: "Starts delivery when a source bundle arrives and a release when a model is approved",
  trust: trustedFor("events.amazonaws.com", ({ arns, names }) => arns.rule(`${names.prefix}-*`)),
  keyUses: [],
  grants: ({ setting: { arns, names } }) => [
    allow({
      Sid: "StartDelivery",
      Action: "codepipeline:StartPipelineExecution",
      Resource: arns.regional("codepipeline", names.delivery),
    }),
    allow({
      Sid: "StartRelease",
      Action: "states:StartExecution",
      Resource: arns.regional("states", `stateMachine:${names.named("release")}`),
    }),
  ],
};
