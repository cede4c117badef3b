import { allow, type RoleSurroundings } from "../grants.ts";
import type { Statement } from "../policy-document.ts";
import { functionArn, PREDICTOR } from "../serving/function-names.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

function shiftAlias({ setting }: RoleSurroundings): Statement {
  const arn = functionArn(setting);
  return allow({
    Sid: "ShiftAlias",
    Action: ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"],
    Resource: [arn, `${arn}:*`],
  });
}

function shiftTasks({ setting: { arns, names } }: RoleSurroundings): Statement[] {
  const service = `${names.named("serving")}/${names.named(PREDICTOR)}`;
  const balancer = `app/${names.short(PREDICTOR)}/*`;
  return [
    allow({
      Sid: "ReplaceTasks",
      Action: ["ecs:DeleteTaskSet", "ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet"],
      Resource: [arns.regional("ecs", `service/${service}`), arns.regional("ecs", `task-set/${service}/*`)],
    }),
    // A task set that is yet to be is no resource to grant on; its service is a condition.
    allow({
      Sid: "AddTasks",
      Action: "ecs:CreateTaskSet",
      Resource: "*",
      Condition: { ArnEquals: { "ecs:service": arns.regional("ecs", `service/${service}`) } },
    }),
    // Load balancing has no resource to grant descriptions on.
    allow({
      Sid: "SeeListeners",
      Action: [
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetGroups",
      ],
      Resource: "*",
    }),
    allow({
      Sid: "ShiftListeners",
      Action: ["elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"],
      Resource: ["listener", "listener-rule"].map((kind) =>
        arns.regional("elasticloadbalancing", `${kind}/${balancer}`),
      ),
    }),
    allow({
      Sid: "PassTaskRoles",
      Action: "iam:PassRole",
      Resource: [arns.role(names.named("inference")), arns.role(names.named("launch"))],
      Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    }),
    // Before callers get the new tasks, releases try them.
    allow({
      Sid: "AskReleases",
      Action: "lambda:InvokeFunction",
      Resource: arns.regional("lambda", `function:${names.named("release")}`),
    }),
  ];
}

/** CodeDeploy's own role in the modes lambda and ecs. */
export const rollout: RoleDefinition = {
  description: "Shifts traffic to a new version, and back on an alarm",
  trust: trustedFor("codedeploy.amazonaws.com", ({ arns, names }) =>
    arns.regional("codedeploy", `deploymentgroup:${names.named("serving")}/*`),
  ),
  keyUses: [],
  grants: (around) => [
    // CloudWatch lets nobody narrow which alarms may be described in one call.
    allow({ Sid: "WatchAlarms", Action: "cloudwatch:DescribeAlarms", Resource: "*" }),
    ...(around.setting.spec.serving.mode === "lambda" ? [shiftAlias(around)] : []),
    ...(around.setting.spec.serving.mode === "ecs" ? shiftTasks(around) : []),
  ],
};
