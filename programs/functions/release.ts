import { describeModel, lookUpImages, readModelDocuments, writeModelDocuments } from "../delivery/grants.ts";
import { allow, publishAlerts, type RoleSurroundings, useKeys } from "../grants.ts";
import type { Statement } from "../policy-document.ts";
import { guardAlarms } from "../serving/alarms.ts";
import { endpointNames, makesFeatures, STAGES } from "../serving/endpoints.ts";
import { functionArn, PREDICTOR } from "../serving/function-names.ts";
import { TASKS_AT_ONCE } from "../serving/task.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Endpoints of this pipeline: those that try a version, and those that serve. Modes without have none. */
function endpointGrants(around: RoleSurroundings): Statement[] {
  const { arns, names, spec } = around.setting;
  const { mode } = spec.serving;
  const isRealtime = mode === "realtime";
  const endpoints = [...STAGES.map(names.named), ...endpointNames(mode, names)].map((name) =>
    arns.sagemaker("endpoint", name),
  );
  const [models, configs] = ["model", "endpoint-config"].map((kind) =>
    arns.sagemaker(kind, `${names.prefix}-*`),
  ) as [string, string];
  return [
    allow({
      Sid: "ManageEndpoints",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        // Those that try a version, and those that serve nothing that is recorded.
        "sagemaker:DeleteEndpoint",
        "sagemaker:DescribeEndpoint",
        ...(isRealtime ? ["sagemaker:UpdateEndpoint"] : []),
      ],
      Resource: [...endpoints, configs],
    }),
    allow({
      Sid: "TryVersions",
      Action: "sagemaker:InvokeEndpoint",
      Resource: STAGES.map((stage) => arns.sagemaker("endpoint", names.named(stage))),
    }),
    allow({
      Sid: "MakeModels",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
      ],
      Resource: [models, configs],
    }),
    allow({
      Sid: "CreateModels",
      Action: "sagemaker:CreateModel",
      Resource: models,
      // Serverless endpoints know neither networks nor isolation.
      ...(isRealtime && {
        Condition: {
          Bool: { "sagemaker:NetworkIsolation": "true" },
          ...(spec.profile === "production" && {
            Null: { "sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false" },
            "ForAllValues:StringEquals": { "sagemaker:VpcSubnets": around.network.subnetIds },
          }),
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
    ...(isRealtime
      ? [
          allow({
            Sid: "AttachVolumes",
            Action: "kms:CreateGrant",
            Resource: around.keys.data,
            Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
          }),
          allow({ Sid: "CheckKeys", Action: "kms:DescribeKey", Resource: around.keys.data }),
        ]
      : []),
  ];
}

/** CodeDeploy shifts the traffic of functions and tasks, watches the alarms and takes back what they condemn. */
function deploymentGrants({ setting: { arns, names, spec } }: RoleSurroundings): Statement[] {
  const isTasks = spec.serving.mode === "ecs";
  return [
    allow({
      Sid: "ShiftTraffic",
      Action: [
        "codedeploy:CreateDeployment",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:GetApplicationRevision",
        "codedeploy:ListDeployments",
        "codedeploy:RegisterApplicationRevision",
      ],
      Resource: [
        ...["application", "deploymentgroup", "deploymentconfig"].map((kind) =>
          arns.regional("codedeploy", `${kind}:${names.prefix}-*`),
        ),
        ...(isTasks ? [arns.regional("codedeploy", `deploymentconfig:${TASKS_AT_ONCE}`)] : []),
      ],
    }),
    // CodeDeploy has no resource to grant these on: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html
    allow({
      Sid: "EndShifting",
      Action: [
        "codedeploy:StopDeployment",
        // Whether new tasks may have callers, which are tried between two of CodeDeploy's steps.
        ...(isTasks ? ["codedeploy:PutLifecycleEventHookExecutionStatus"] : []),
      ],
      Resource: "*",
    }),
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
        "lambda:UpdateFunctionConfiguration",
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
  environment: (setting) => ({
    AIDLC_NAME_PREFIX: setting.names.prefix,
    AIDLC_MODELS_BUCKET: setting.names.bucket("models"),
    AIDLC_PREDICTIONS_BUCKET: setting.names.bucket("predictions"),
    AIDLC_GUARD_ALARMS: guardAlarms(setting.spec, setting.names)
      .map(({ name }) => setting.names.named(name))
      .join(","),
  }),
  keyUses: ["models", "volumes", "alerts"],
  grants: (around) => {
    const { spec } = around.setting;
    const { mode } = spec.serving;
    const hasEndpoints = mode === "serverless" || mode === "realtime";
    return [
      describeModel(around),
      lookUpImages(around),
      ...(hasEndpoints ? endpointGrants(around) : deploymentGrants(around)),
      ...(mode === "lambda" ? lambdaGrants(around) : []),
      ...(mode === "ecs" ? ecsGrants(around) : []),
      ...readModelDocuments(around, [
        PREFIX.releases,
        PREFIX.evaluations,
        ...(makesFeatures(spec) ? [PREFIX.transforms] : []),
      ]),
      writeModelDocuments(around, PREFIX.releases),
      useKeys(around, ["models"]),
      // CloudWatch grants its alarms by account, not by name, to whoever describes several at once; metrics have no resource.
      allow({
        Sid: "WatchTraffic",
        Action: ["cloudwatch:DescribeAlarms", ...(mode === "serverless" ? ["cloudwatch:GetMetricData"] : [])],
        Resource: "*",
      }),
      ...publishAlerts(around),
    ];
  },
};
