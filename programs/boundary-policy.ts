import type { Arns } from "./arns.ts";
import type { Statement } from "./policy-document.ts";

/** What a service's resources are called, behind `arn:<partition>:<service>:<region>:<account>:`. */
const OWN_NAMES: readonly (readonly [service: string, ...resources: string[]])[] = [
  ["backup", "backup-vault:aidlc-*", "recovery-point:*"],
  ["cloudwatch", "alarm:aidlc-*"],
  ["codebuild", "*/aidlc-*"],
  ["codedeploy", "*:aidlc-*", "deploymentconfig:CodeDeployDefault.*"],
  ["codepipeline", "aidlc-*"],
  ["ecs", "*/aidlc-*"],
  ["elasticloadbalancing", "listener*/app/aidlc-*"],
  ["events", "rule/aidlc-*", "rule/AwsBackup*"],
  ["glue", "catalog", "*/aidlc*"],
  ["lambda", "function:aidlc-*"],
  ["logs", "log-group:/aidlc/*", "log-group:/aws/sagemaker/*", "log-group:/aws-glue/*"],
  ["sagemaker", "*/aidlc-*"],
  ["scheduler", "schedule*/aidlc-*"],
  ["secretsmanager", "secret:aidlc/*"],
  ["sns", "aidlc-*"],
  ["sqs", "aidlc-*"],
  ["ssm", "parameter/aidlc/*", "document/aidlc-*", "automation-*"],
  ["states", "*:aidlc-*"],
];

/**
 * What no role of any pipeline can exceed, whatever its own policy says. A role has one boundary, and a managed policy holds 6,144
 * characters, so the boundary states services and name spaces; the roles' own policies are the precise ones.
 */
export function boundaryStatements(arns: Arns, accountId: string, region: string): Statement[] {
  return [
    ownResources(arns),
    {
      Sid: "Objects",
      Effect: "Allow",
      Action: [
        "s3:*Multipart*",
        "s3:*Object*",
        "s3:Get*",
        "s3:List*",
        "s3:PutBucketNotification",
        "s3:PutInventory*",
        "s3:Replicate*",
      ],
      Resource: arns.bucket("aidlc-*"),
    },
    {
      // Keys of any region: replicas of buckets and secrets have theirs elsewhere.
      Sid: "Encryption",
      Effect: "Allow",
      Action: [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:Describe*",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:Get*",
        "kms:ReEncrypt*",
        "kms:Sign",
        "kms:Verify",
      ],
      Resource: `arn:${arns.partition}:kms:*:${accountId}:key/*`,
      Condition: { StringEquals: { "aws:ResourceTag/aidlc:managed-by": "aidlc" } },
    },
    {
      Sid: "PassOwnRoles",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: arns.role("aidlc-*"),
      Condition: {
        StringEquals: {
          "iam:PassedToService": ["ecs-tasks.amazonaws.com", "sagemaker.amazonaws.com", "ssm.amazonaws.com"],
        },
      },
    },
    {
      Sid: "ReadOwnRoles",
      Effect: "Allow",
      Action: ["iam:GetRole", "iam:GetRolePolicy", "iam:List*RolePolicies"],
      Resource: arns.role("aidlc-*"),
    },
    {
      // Cut off in an incident; nothing else may be attached.
      Sid: "CutOffOwnRoles",
      Effect: "Allow",
      Action: "iam:AttachRolePolicy",
      Resource: arns.role("aidlc-*"),
      Condition: { ArnLike: { "iam:PolicyARN": arns.policy("aidlc-*-cut-off") } },
    },
    {
      Sid: "PullImages",
      Effect: "Allow",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      // Images of other accounts and of AWS's built-in algorithms are named by the roles' own policies.
      Resource: `arn:${arns.partition}:ecr:*:*:repository/*`,
    },
    {
      Sid: "PushImages",
      Effect: "Allow",
      Action: [
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ],
      Resource: arns.repository("aidlc/*"),
    },
    {
      // Budgets have no region.
      Sid: "ReadOwnBudgets",
      Effect: "Allow",
      Action: "budgets:ViewBudget",
      Resource: arns.budget("aidlc-*"),
    },
    {
      // Lambda asks for these on any resource before it joins a function to a network.
      Sid: "NetworkInterfaces",
      Effect: "Allow",
      Action: ["ec2:*NetworkInterface", "ec2:*NetworkInterfacePermission", "ec2:*PrivateIpAddresses"],
      Resource: "*",
      Condition: { StringEquals: { "aws:RequestedRegion": region } },
    },
    {
      // Searches, MLflow Apps and nodes of lineage: AWS makes up their names.
      Sid: "NamedByAws",
      Effect: "Allow",
      Action: [
        "sagemaker:*HyperParameterTuningJob",
        "sagemaker:Add*",
        "sagemaker:CallMlflowAppApi",
        "sagemaker:CreateArtifact",
        "sagemaker:Describe*",
      ],
      Resource: ["artifact", "hyper-parameter-tuning-job", "mlflow-app", "training-job"].map((kind) =>
        arns.sagemaker(kind, "*"),
      ),
    },
    {
      // AWS gives these actions no resource of their own to grant on.
      Sid: "ActionsWithoutResource",
      Effect: "Allow",
      Action: [
        "cloudtrail:DescribeTrails",
        "cloudtrail:Get*",
        "cloudwatch:Describe*",
        "cloudwatch:Get*",
        "cloudwatch:List*",
        "cloudwatch:PutMetricData",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "codedeploy:StopDeployment",
        "ec2:Describe*",
        "ecr:GetAuthorizationToken",
        "ecs:DescribeTaskDefinition",
        "ecs:CreateTaskSet",
        "ecs:ListTasks",
        "elasticloadbalancing:Describe*",
        "events:ListRules",
        "glue:*JobBookmark",
        "glue:GetSecurityConfiguration",
        "inspector2:List*",
        "lakeformation:GetDataAccess",
        "lakeformation:ListPermissions",
        "lambda:*EventSourceMapping*",
        "logs:*LogDeliver*",
        "logs:CreateLogDelivery",
        "logs:Describe*",
        "logs:PutResourcePolicy",
        "s3:ListAllMyBuckets",
        "sagemaker:List*",
        "secretsmanager:GetRandomPassword",
        "tag:GetResources",
        "xray:Get*",
        "xray:Put*",
      ],
      Resource: "*",
      Condition: { StringEquals: { "aws:RequestedRegion": region } },
    },
    {
      Sid: "NeverOutsideThisAccount",
      Effect: "Deny",
      Action: ["s3:*", "kms:*", "sns:*", "sqs:*", "ssm:*", "sagemaker:*", "secretsmanager:*", "lambda:*"],
      Resource: "*",
      // Not every action names its resource's account; an absent key would count as "not equal".
      Condition: {
        StringNotEquals: { "aws:ResourceAccount": accountId },
        Null: { "aws:ResourceAccount": "false" },
      },
    },
    {
      // Nobody inside a pipeline widens who may reach its resources.
      Sid: "NeverShare",
      Effect: "Deny",
      Action: [
        "lambda:AddPermission",
        "secretsmanager:DeleteResourcePolicy",
        "secretsmanager:PutResourcePolicy",
        "sns:AddPermission",
        "sns:SetTopicAttributes",
        "sqs:AddPermission",
        "sqs:SetQueueAttributes",
      ],
      Resource: "*",
    },
  ];
}

/** Everything about resources whose names begin like a pipeline's. */
function ownResources(arns: Arns): Statement {
  return {
    Sid: "OwnResources",
    Effect: "Allow",
    Action: OWN_NAMES.map(([service]) => `${service}:*`),
    Resource: OWN_NAMES.flatMap(([service, ...resources]) =>
      resources.map((resource) => arns.regional(service, resource)),
    ),
  };
}
