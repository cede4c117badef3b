import { allow, writeOwnLogs } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForTasks } from "./trust.ts";

/** What ECS does before a task's own program runs; the program itself is `inference`. */
export const launch: RoleDefinition = {
  description: "Starts tasks: pulls the inference image and opens its log",
  trust: trustedForTasks,
  keyUses: [],
  grants: (around) => {
    const { arns, names } = around.setting;
    return [
      allow({
        Sid: "PullInferenceImage",
        Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Resource: arns.repository(names.repository("inference")),
      }),
      allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
      writeOwnLogs(around, "inference"),
    ];
  },
};
