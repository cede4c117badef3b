import { attachFunction, listSettings, sendDeadLetters, trace, writeOwnLogs } from "../grants.ts";
import type { RoleDefinition } from "../roles/role-definition.ts";
import { trustedForLambda } from "../roles/trust.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** The role of a function: what every function does, and what this one does. */
export function functionRole(name: string, definition: FunctionDefinition): RoleDefinition {
  return {
    description: definition.description,
    trust: trustedForLambda,
    keyUses: definition.keyUses,
    grants: (around) => [
      ...definition.grants(around),
      // Metrics are published by being logged, and need no grant.
      listSettings(around),
      writeOwnLogs(around, name),
      trace(),
      sendDeadLetters(around),
      ...(around.network.functionSecurityGroupId === undefined || definition.reachesInternet === true
        ? []
        : [attachFunction()]),
    ],
  };
}
