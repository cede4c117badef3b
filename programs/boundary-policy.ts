import type { Arns } from "./arns.ts";
import type { Statement } from "./policy-document.ts";

/**
 * What no role of any pipeline can exceed, whatever its own policy says. A managed policy holds 6,144 characters, so
 * the boundary states services and name spaces; the roles' own policies are the precise ones.
 */
export function boundaryStatements(arns: Arns, accountId: string, region: string): Statement[] {
  return [
    {
      Sid: "PipelineData",
      Effect: "Allow",
      Action: [
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectTagging",
      ],
      Resource: arns.bucket("aidlc-*"),
    },
    {
      Sid: "Encryption",
      Effect: "Allow",
      Action: ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
      Resource: arns.regional("kms", "key/*"),
      Condition: { StringEquals: { "aws:ResourceTag/aidlc:managed-by": "aidlc" } },
    },
    {
      Sid: "Jobs",
      Effect: "Allow",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:DescribePipeline",
        "sagemaker:DescribePipelineExecution",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:ListPipelineExecutionSteps",
        "sagemaker:StartPipelineExecution",
        "sagemaker:StopPipelineExecution",
        "sagemaker:StopProcessingJob",
        "sagemaker:StopTrainingJob",
      ],
      Resource: ["processing-job", "training-job", "model-package", "model-package-group", "pipeline"].map(
        (kind) => arns.sagemaker(kind, "aidlc-*"),
      ),
    },
    {
      Sid: "PassJobRoles",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: arns.role("aidlc-*"),
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
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
      Sid: "LogsAlertsAndSettings",
      Effect: "Allow",
      Action: [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "sns:Publish",
        "sqs:SendMessage",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
      ],
      Resource: [
        arns.logGroup("/aidlc/*"),
        arns.logGroup("/aws/sagemaker/*"),
        arns.topic("aidlc-*"),
        arns.queue("aidlc-*"),
        arns.parameter("/aidlc/*"),
      ],
    },
    {
      Sid: "JobNetworkInterfaces",
      Effect: "Allow",
      Action: [
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
      ],
      Resource: ["network-interface", "security-group", "subnet"].map((kind) =>
        arns.regional("ec2", `${kind}/*`),
      ),
    },
    {
      // AWS gives these actions no resource of their own to grant on.
      Sid: "ActionsWithoutResource",
      Effect: "Allow",
      Action: [
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
      ],
      Resource: "*",
      Condition: { StringEquals: { "aws:RequestedRegion": region } },
    },
    {
      Sid: "NeverOutsideThisAccount",
      Effect: "Deny",
      Action: ["s3:*", "kms:*", "sns:*", "sqs:*", "ssm:*", "sagemaker:*"],
      Resource: "*",
      // Not every action names its resource's account; an absent key would count as "not equal".
      Condition: {
        StringNotEquals: { "aws:ResourceAccount": accountId },
        Null: { "aws:ResourceAccount": "false" },
      },
    },
  ];
}
