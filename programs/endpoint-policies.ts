import type { Arns } from "./arns.ts";
import type { Statement } from "./policy-document.ts";
import { TASKS_AT_ONCE } from "./serving/task.ts";

export interface InterfaceEndpoint {
  /** Behind `com.amazonaws.<region>.`. */
  readonly service: string;
  readonly policy: (around: EndpointSurroundings) => Statement[];
}

export interface EndpointSurroundings {
  readonly arns: Arns;
  readonly accountId: string;
  readonly region: string;
}

/** A service name as part of a resource's name. */
export const endpointName = (service: string): string => service.replaceAll(".", "-");

/** Whoever calls through an endpoint is of this account, and so is what is called. */
function own(
  { accountId }: EndpointSurroundings,
  rule: { sid: string; action: readonly string[]; resource: string | readonly string[] },
): Statement {
  return {
    Sid: rule.sid,
    Effect: "Allow",
    Principal: "*",
    Action: rule.action,
    Resource: rule.resource,
    Condition: { StringEquals: { "aws:PrincipalAccount": accountId } },
  };
}

const SAGEMAKER_API = [
  "sagemaker:AddAssociation",
  "sagemaker:AddTags",
  "sagemaker:CreateAction",
  "sagemaker:CreateArtifact",
  "sagemaker:CreateEndpoint",
  "sagemaker:CreateEndpointConfig",
  "sagemaker:CreateModel",
  "sagemaker:CreateModelPackage",
  "sagemaker:CreateProcessingJob",
  "sagemaker:CreateTrainingJob",
  "sagemaker:DeleteEndpoint",
  "sagemaker:DeleteEndpointConfig",
  "sagemaker:DeleteModel",
  "sagemaker:DescribeAction",
  "sagemaker:DescribeArtifact",
  "sagemaker:DescribeEndpoint",
  "sagemaker:DescribeEndpointConfig",
  "sagemaker:DescribeFeatureGroup",
  "sagemaker:DescribeHyperParameterTuningJob",
  "sagemaker:DescribeMlflowApp",
  "sagemaker:DescribeModel",
  "sagemaker:DescribeModelPackage",
  "sagemaker:DescribeModelPackageGroup",
  "sagemaker:DescribeNotebookInstance",
  "sagemaker:DescribePipeline",
  "sagemaker:DescribePipelineExecution",
  "sagemaker:DescribeProcessingJob",
  "sagemaker:DescribeTrainingJob",
  "sagemaker:ListModelPackages",
  "sagemaker:ListPipelineExecutionSteps",
  "sagemaker:ListPipelineExecutions",
  "sagemaker:ListTags",
  "sagemaker:StartPipelineExecution",
  "sagemaker:StopNotebookInstance",
  "sagemaker:StopPipelineExecution",
  "sagemaker:StopProcessingJob",
  "sagemaker:StopTrainingJob",
  "sagemaker:UpdateAction",
  "sagemaker:UpdateEndpoint",
  "sagemaker:UpdateEndpointWeightsAndCapacities",
  "sagemaker:UpdateModelPackage",
];

const KEY_USE = [
  "kms:CreateGrant",
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
  "kms:Sign",
  "kms:Verify",
];

/** Images may be AWS's own, of built-in algorithms: what is pulled is not always this account's. */
const pulls: InterfaceEndpoint["policy"] = (around) => [
  own(around, {
    sid: "Pulls",
    action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    resource: `arn:${around.arns.partition}:ecr:${around.region}:*:repository/*`,
  }),
  own(around, {
    sid: "Pushes",
    action: [
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImageScanFindings",
      "ecr:DescribeImages",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ],
    resource: around.arns.repository("aidlc/*"),
  }),
  // A token of the registry has no resource to grant on.
  own(around, { sid: "RegistryToken", action: ["ecr:GetAuthorizationToken"], resource: "*" }),
];

/**
 * What private compute calls: jobs, functions, tasks. Each costs by the hour and zone, so a service that only AWS itself
 * calls on behalf of a function (queues that feed it, dead letters, traces) has none.
 */
export const INTERFACE_ENDPOINTS: readonly InterfaceEndpoint[] = [
  {
    service: "sagemaker.api",
    policy: (around) => [
      own(around, {
        sid: "Api",
        action: SAGEMAKER_API,
        resource: around.arns.regional("sagemaker", "*"),
      }),
    ],
  },
  {
    service: "sagemaker.runtime",
    policy: (around) => [
      own(around, {
        sid: "Runtime",
        action: ["sagemaker:InvokeEndpoint"],
        resource: around.arns.sagemaker("endpoint", "*"),
      }),
    ],
  },
  {
    service: "sagemaker.featurestore-runtime",
    policy: (around) => [
      own(around, {
        sid: "Records",
        action: ["sagemaker:DeleteRecord", "sagemaker:PutRecord"],
        resource: around.arns.sagemaker("feature-group", "aidlc-*"),
      }),
    ],
  },
  {
    // In serving mode lambda the gate calls the model's own function, and releases renew it.
    service: "lambda",
    policy: (around) => [
      own(around, {
        sid: "Functions",
        action: [
          "lambda:GetAlias",
          "lambda:GetFunction",
          "lambda:InvokeFunction",
          "lambda:PublishVersion",
          "lambda:UpdateAlias",
          "lambda:UpdateFunctionCode",
          "lambda:UpdateFunctionConfiguration",
        ],
        resource: around.arns.regional("lambda", "function:aidlc-*"),
      }),
    ],
  },
  {
    // Releases of the serving modes lambda and ecs.
    service: "codedeploy",
    policy: (around) => [
      own(around, {
        sid: "Deployments",
        action: [
          "codedeploy:CreateDeployment",
          "codedeploy:GetApplicationRevision",
          "codedeploy:GetDeployment",
          "codedeploy:GetDeploymentConfig",
          "codedeploy:ListDeployments",
          "codedeploy:RegisterApplicationRevision",
        ],
        resource: [
          "application:aidlc-*",
          "deploymentconfig:aidlc-*",
          `deploymentconfig:${TASKS_AT_ONCE}`,
          "deploymentgroup:aidlc-*/aidlc-*",
        ].map((name) => around.arns.regional("codedeploy", name)),
      }),
      // CodeDeploy has no resource to grant these on.
      own(around, {
        sid: "End",
        action: ["codedeploy:PutLifecycleEventHookExecutionStatus", "codedeploy:StopDeployment"],
        resource: "*",
      }),
    ],
  },
  {
    service: "ecs",
    policy: (around) => [
      own(around, {
        sid: "Services",
        action: ["ecs:DescribeServices", "ecs:RegisterTaskDefinition", "ecs:TagResource"],
        resource: ["service/aidlc-*/aidlc-*", "task-definition/aidlc-*:*"].map((name) =>
          around.arns.regional("ecs", name),
        ),
      }),
      // ECS describes task definitions for whoever may describe any.
      own(around, { sid: "TaskDefinitions", action: ["ecs:DescribeTaskDefinition"], resource: "*" }),
    ],
  },
  { service: "ecr.api", policy: pulls },
  { service: "ecr.dkr", policy: pulls },
  {
    service: "kms",
    policy: (around) => [
      own(around, { sid: "Keys", action: KEY_USE, resource: around.arns.regional("kms", "key/*") }),
    ],
  },
  {
    service: "secretsmanager",
    policy: (around) => [
      own(around, {
        sid: "Secrets",
        action: [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage",
        ],
        resource: around.arns.regional("secretsmanager", "secret:*"),
      }),
      // Rotation asks for a new password, which belongs to no secret yet.
      own(around, { sid: "Passwords", action: ["secretsmanager:GetRandomPassword"], resource: "*" }),
    ],
  },
  {
    service: "sts",
    policy: (around) => [
      own(around, {
        sid: "Roles",
        action: ["sts:AssumeRole", "sts:TagSession"],
        resource: `arn:${around.arns.partition}:iam::${around.accountId}:role/*`,
      }),
      // "Who am I?" is about no resource.
      own(around, { sid: "Identity", action: ["sts:GetCallerIdentity"], resource: "*" }),
    ],
  },
  {
    service: "logs",
    policy: (around) => [
      own(around, {
        sid: "Logs",
        action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
        resource: [around.arns.logGroup("*"), around.arns.logGroup("*:log-stream:*")],
      }),
    ],
  },
  {
    service: "monitoring",
    policy: (around) => [
      // Metrics have no resource to grant on.
      own(around, {
        sid: "Metrics",
        action: [
          "cloudwatch:DescribeAlarms",
          "cloudwatch:GetMetricData",
          "cloudwatch:ListMetrics",
          "cloudwatch:PutMetricData",
        ],
        resource: "*",
      }),
    ],
  },
  {
    // Every function reads its pipeline's settings at its start.
    service: "ssm",
    policy: (around) => [
      own(around, {
        sid: "Settings",
        action: ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:PutParameter"],
        resource: around.arns.parameter("/aidlc/*"),
      }),
      // The responder starts runbooks.
      own(around, {
        sid: "Runbooks",
        action: ["ssm:GetAutomationExecution", "ssm:StartAutomationExecution"],
        resource: [
          around.arns.regional("ssm", "document/aidlc-*"),
          around.arns.regional("ssm", "automation-definition/aidlc-*"),
          around.arns.regional("ssm", "automation-execution/*"),
        ],
      }),
    ],
  },
  {
    // Functions raise alerts themselves.
    service: "sns",
    policy: (around) => [
      own(around, { sid: "Alerts", action: ["sns:Publish"], resource: around.arns.topic("aidlc-*") }),
    ],
  },
];
