import { attachFunction, putMetrics, readSettings, sendDeadLetters, trace, writeOwnLogs } from "../grants.ts";
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
      readSettings(around),
      putMetrics([around.setting.names.metricNamespace]),
      writeOwnLogs(around, name),
      trace(),
      sendDeadLetters(around),
      ...(around.network.functionSecurityGroupId === undefined || definition.reachesInternet === true
        ? []
        : [attachFunction()]),
    ],
  };
}
