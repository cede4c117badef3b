import type { ControlRules } from "./judge.ts";
import { LIFE_CYCLE } from "./life-cycle.ts";
import { PROTECTION } from "./protection.ts";

/** What every pipeline does about its risks, each judged by what AWS says of the resources that do it. */
export const CONTROL_RULES: ControlRules = { ...PROTECTION, ...LIFE_CYCLE };
