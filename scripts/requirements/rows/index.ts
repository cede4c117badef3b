import type { Requirement } from "../requirement.ts";
import { ARCHITECTURE } from "./architecture.ts";
import { COMPLIANCE, COST } from "./compliance.ts";
import { DEPLOYMENT } from "./deployment.ts";
import { INFRASTRUCTURE } from "./infrastructure.ts";
import { LEARNING } from "./learning.ts";

/** What the product promises, by phase. The ids are what reports and policies cite. */
export const REQUIREMENTS: Readonly<Record<string, readonly Requirement[]>> = {
  Architecture: ARCHITECTURE,
  Infrastructure: INFRASTRUCTURE,
  Deployment: DEPLOYMENT,
  Learning: LEARNING,
  Compliance: COMPLIANCE,
  Cost: COST,
};
