import { allow, throughService } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

/** EventBridge names no source when it uses a topic's key as a service, so it publishes through a role. */
export const incidents: RoleDefinition = {
  description: "Hands findings, alarms and tampering to the responder",
  trust: trustedFor("events.amazonaws.com", ({ arns, names }) => arns.rule(`${names.prefix}-*`)),
  keyUses: ["alerts"],
  grants: ({ setting: { account, arns, names }, keys }) => [
    allow({ Sid: "Publish", Action: "sns:Publish", Resource: arns.topic(names.named("incidents")) }),
    allow({
      Sid: "Encrypt",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keys.logs,
      Condition: throughService(account.region, "sns"),
    }),
  ],
};
