import { readRegistry } from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, type RoleSurroundings, useKeys, write } from "../grants.ts";
import type { Statement } from "../policy-document.ts";
import { endpointNames } from "../serving/endpoints.ts";
import { functionArn, PREDICTOR } from "../serving/function-names.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Where a version is tried before callers get it. */
export const STAGES = ["dev", "staging"] as const;

/** Endpoints of this pipeline: those that try a version, and in the modes that serve by endpoints those that serve. */
function endpointGrants(around: RoleSurroundings): Statement[] {
  const { arns, names, spec } = around.setting;
  const { mode } = spec.serving;
  const isPrivate = mode === "realtime" && spec.profile === "production";
  const trials = STAGES.map((stage) => arns.sagemaker("endpoint", names.named(stage)));
  const endpoints = [
    ...trials,
    ...endpointNames(mode, names).map((name) => arns.sagemaker("endpoint", name)),
  ];
  const made = ["model", "endpoint-config"].map((kind) => arns.sagemaker(kind, `${names.prefix}-*`));
  return [
    allow({
      Sid: "ManageEndpoints",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:DescribeEndpoint",
        "sagemaker:InvokeEndpoint",
        "sagemaker:UpdateEndpoint",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
      ],
      Resource: endpoints,
    }),
    allow({ Sid: "RemoveTrials", Action: "sagemaker:DeleteEndpoint", Resource: trials }),
    allow({
      Sid: "MakeModels",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:UpdateEndpoint",
      ],
      Resource: made,
    }),
    allow({
      Sid: "CreateModels",
      Action: "sagemaker:CreateModel",
      Resource: arns.sagemaker("model", `${names.prefix}-*`),
      // Serverless endpoints know neither networks nor isolation.
      ...(isPrivate && {
        Condition: {
          Bool: { "sagemaker:NetworkIsolation": "true" },
          Null: { "sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false" },
          "ForAllValues:StringEquals": { "sagemaker:VpcSubnets": around.network.subnetIds },
        },
      }),
    }),
    allow({
      Sid: "PassServingRole",
      Action: "iam:PassRole",
      Resource: arns.role(names.named("inference")),
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    }),
    // SageMaker opens the volumes of real-time instances by a grant that the maker of their configuration gives.
    allow({
      Sid: "AttachVolumes",
      Action: "kms:CreateGrant",
      Resource: around.keys.data,
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    }),
    allow({ Sid: "CheckKeys", Action: "kms:DescribeKey", Resource: [around.keys.data, around.keys.models] }),
  ];
}

/** CodeDeploy shifts the traffic of functions and tasks, watches the alarms and takes back what they condemn. */
function deploymentGrants({ setting: { arns, names } }: RoleSurroundings): Statement[] {
  return [
    allow({
      Sid: "ShiftTraffic",
      Action: [
        "codedeploy:CreateDeployment",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:GetApplicationRevision",
        "codedeploy:RegisterApplicationRevision",
      ],
      Resource: ["application", "deploymentgroup", "deploymentconfig"].map((kind) =>
        arns.regional("codedeploy", `${kind}:${names.prefix}-*`),
      ),
    }),
    // CodeDeploy has no resource to grant this on.
    allow({ Sid: "StopShifting", Action: "codedeploy:StopDeployment", Resource: "*" }),
  ];
}

function lambdaGrants({ setting }: RoleSurroundings): Statement[] {
  const served = functionArn(setting);
  return [
    allow({
      Sid: "PublishServedFunction",
      Action: [
        "lambda:GetAlias",
        "lambda:GetFunction",
        "lambda:InvokeFunction",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
      ],
      Resource: [served, `${served}:*`],
    }),
  ];
}

function ecsGrants({ setting: { arns, names } }: RoleSurroundings): Statement[] {
  return [
    allow({
      Sid: "RegisterTasks",
      Action: ["ecs:RegisterTaskDefinition", "ecs:TagResource"],
      Resource: arns.regional("ecs", `task-definition/${names.named(PREDICTOR)}:*`),
    }),
    // ECS describes task definitions for whoever may describe any.
    allow({ Sid: "DescribeTasks", Action: "ecs:DescribeTaskDefinition", Resource: "*" }),
    allow({
      Sid: "DescribeService",
      Action: "ecs:DescribeServices",
      Resource: arns.regional("ecs", `service/${names.prefix}-*`),
    }),
    allow({
      Sid: "PassTaskRoles",
      Action: "iam:PassRole",
      Resource: [arns.role(names.named("inference")), arns.role(names.named("launch"))],
      Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    }),
  ];
}

/**
 * Every task of the release machine, by the task's name, and the rollback that an alarm or a person asks for. What is
 * released and what is under way it keeps in the models bucket: a parameter of the stack would drift at every release.
 */
export const release: FunctionDefinition = {
  description: "Deploys, tests, shifts traffic to and rolls back model versions",
  memoryMb: 512,
  timeoutSeconds: 900,
  keyUses: ["models", "volumes", "alerts"],
  grants: (around) => {
    const { mode } = around.setting.spec.serving;
    return [
      readRegistry(around),
      ...endpointGrants(around),
      ...(mode === "lambda" || mode === "ecs" ? deploymentGrants(around) : []),
      ...(mode === "lambda" ? lambdaGrants(around) : []),
      ...(mode === "ecs" ? ecsGrants(around) : []),
      allow({
        Sid: "ReadReleases",
        Action: ["s3:GetObject", "s3:GetObjectVersion"],
        Resource: [PREFIX.releases, PREFIX.evaluations, PREFIX.artifacts].map(
          (prefix) => `${bucketArn(around, "models")}/${prefix}*`,
        ),
      }),
      write(around, "models", [PREFIX.releases]),
      useKeys(around, ["models"]),
      // CloudWatch grants its alarms by account, not by name, to whoever describes several at once.
      allow({
        Sid: "WatchAlarms",
        Action: ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"],
        Resource: "*",
      }),
      ...publishAlerts(around),
    ];
  },
};
