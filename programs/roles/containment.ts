import { allow } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

/** Attaches one policy, which denies everything, and stops functions: nothing that could give anybody more than he had. */
export const containment: RoleDefinition = {
  description: "Cuts off roles and stops functions of this pipeline in an incident",
  trust: trustedFor("ssm.amazonaws.com", ({ arns }) => arns.regional("ssm", "automation-execution/*")),
  keyUses: [],
  grants: ({ setting: { arns, names } }) => [
    allow({
      Sid: "CutOffRoles",
      Action: "iam:AttachRolePolicy",
      Resource: arns.role(`${names.prefix}-*`),
      Condition: { ArnEquals: { "iam:PolicyARN": arns.policy(names.named("cut-off")) } },
    }),
    allow({
      Sid: "StopFunctions",
      Action: "lambda:PutFunctionConcurrency",
      Resource: arns.regional("lambda", `function:${names.prefix}-*`),
    }),
  ],
};
