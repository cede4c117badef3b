import { allow, startPipeline } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

/** Of the release machine, which leads and does nothing itself. */
export const releasing: RoleDefinition = {
  description: "Leads a model version from its approval to all of the traffic",
  trust: trustedFor("states.amazonaws.com", ({ arns, names }) =>
    arns.regional("states", `stateMachine:${names.named("release")}`),
  ),
  keyUses: [],
  grants: (around) => {
    const { arns, names } = around.setting;
    return [
      allow({
        Sid: "RunTasks",
        Action: "lambda:InvokeFunction",
        Resource: (["release", "verify-model"] as const).map((name) =>
          arns.regional("lambda", `function:${names.named(name)}`),
        ),
      }),
      startPipeline(around),
      // Deliveries of logs belong to the account; AWS gives them no resource
      // (https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html).
      allow({
        Sid: "DeliverLogs",
        Action: [
          "logs:CreateLogDelivery",
          "logs:DeleteLogDelivery",
          "logs:DescribeLogGroups",
          "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery",
          "logs:ListLogDeliveries",
          "logs:PutResourcePolicy",
          "logs:UpdateLogDelivery",
        ],
        Resource: "*",
      }),
      // X-Ray has no resource to grant on.
      allow({
        Sid: "Trace",
        Action: [
          "xray:GetSamplingRules",
          "xray:GetSamplingTargets",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ],
        Resource: "*",
      }),
    ];
  },
};
