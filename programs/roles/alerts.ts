import { publishAlerts } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

export const alerts: RoleDefinition = {
  description: "Publishes events to the alert topics",
  trust: trustedFor("events.amazonaws.com", ({ arns, names }) => arns.rule(`${names.prefix}-*`)),
  keyUses: ["alerts"],
  grants: (around) => [...publishAlerts(around)],
};
