import { DRILLS } from "../drills.ts";
import { allow, pipelineArn } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

/** Starts, follows and stops the drills' runbooks. In mode `ecs` FIS strikes a task itself. */
export const drills: RoleDefinition = {
  description: "Runs the failure drills of this pipeline",
  trust: trustedFor("fis.amazonaws.com", ({ arns }) => arns.regional("fis", "experiment/*")),
  keyUses: [],
  grants: ({ setting: { arns, names, spec } }) => [
    allow({
      Sid: "StartDrills",
      Action: "ssm:StartAutomationExecution",
      Resource: DRILLS.flatMap((drill) => {
        const name = names.named(`drill-${drill}`);
        return [
          arns.regional("ssm", `document/${name}`),
          arns.regional("ssm", `automation-definition/${name}:*`),
        ];
      }),
    }),
    allow({
      Sid: "FollowDrills",
      Action: ["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"],
      Resource: arns.regional("ssm", "automation-execution/*"),
    }),
    allow({
      Sid: "PassDrillActions",
      Action: "iam:PassRole",
      Resource: arns.role(names.named("drill-actions")),
      Condition: { StringEquals: { "iam:PassedToService": "ssm.amazonaws.com" } },
    }),
    ...(spec.serving.mode === "ecs"
      ? [
          allow({
            Sid: "StopTasks",
            Action: ["ecs:DescribeTasks", "ecs:StopTask"],
            Resource: arns.regional("ecs", `task/${names.named("serving")}/*`),
          }),
          // ECS lists tasks by cluster, and FIS finds out which tasks a service has.
          allow({ Sid: "FindTasks", Action: ["ecs:ListTasks", "tag:GetResources"], Resource: "*" }),
        ]
      : []),
    // FIS hands its log to CloudWatch through a delivery, which has no resource to grant on
    // (https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html).
    allow({
      Sid: "DeliverLog",
      Action: [
        "logs:CreateLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
      ],
      Resource: "*",
    }),
  ],
};

/** What the drills' runbooks do to this pipeline, and undo. */
export const drillActions: RoleDefinition = {
  description: "Throttles, stops and delays parts of this pipeline in drills",
  trust: trustedFor("ssm.amazonaws.com", ({ arns }) => arns.regional("ssm", "automation-execution/*")),
  keyUses: [],
  grants: (around) => {
    const { arns, names } = around.setting;
    const validate = arns.regional("lambda", `function:${names.named("validate")}`);
    return [
      allow({
        Sid: "Throttle",
        Action: ["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"],
        Resource: arns.regional("lambda", `function:${names.named("gate")}`),
      }),
      allow({
        Sid: "Terminate",
        Action: ["sagemaker:ListPipelineExecutions", "sagemaker:StopPipelineExecution"],
        Resource: [pipelineArn(around), `${pipelineArn(around)}/execution/*`],
      }),
      allow({
        Sid: "Delay",
        Action: "lambda:UpdateEventSourceMapping",
        Resource: arns.regional("lambda", "event-source-mapping:*"),
        Condition: { ArnEquals: { "lambda:FunctionArn": validate } },
      }),
      // Lists of mappings have no resource to grant on.
      allow({ Sid: "FindMapping", Action: "lambda:ListEventSourceMappings", Resource: "*" }),
    ];
  },
};
