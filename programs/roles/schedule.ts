import type { FunctionName } from "../functions/index.ts";
import { allow, sendDeadLetters, startPipeline } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

const SCHEDULED_FUNCTIONS = [
  "evidence",
  "monitor",
  "publish-cost",
  "stop-idle",
] as const satisfies FunctionName[];

export const schedule: RoleDefinition = {
  description: "Starts on schedule what this pipeline does on time",
  trust: trustedFor("scheduler.amazonaws.com", ({ arns, names }) =>
    arns.regional("scheduler", `schedule-group/${names.named("schedules")}`),
  ),
  keyUses: [],
  grants: (around) => [
    startPipeline(around),
    sendDeadLetters(around),
    allow({
      Sid: "InvokeFunctions",
      Action: "lambda:InvokeFunction",
      Resource: SCHEDULED_FUNCTIONS.map((name) =>
        around.setting.arns.regional("lambda", `function:${around.setting.names.named(name)}`),
      ),
    }),
  ],
};
