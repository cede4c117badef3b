import { arnsIn, partitionOf } from "../../programs/arns.ts";
import type { AwsAccount } from "../../programs/inputs.ts";
import { foundationNames, pipelineNames } from "../../programs/names.ts";

// What a session can do at most. AWS lets a session do what both its role and its policy allow, so these narrow whatever role an
// account was registered with. A session policy holds 2,048 characters: services stand for their actions, and only where a
// pipeline could get out of its bounds, by identities, the policies are precise.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Of the resources that a pipeline's program registers. */
const pipelineServices = [
  "apigateway",
  "application-autoscaling",
  "backup",
  "backup-storage",
  "budgets",
  "cloudfront",
  "cloudwatch",
  "codebuild",
  "codedeploy",
  "codepipeline",
  "ec2",
  "ecr",
  "ecs",
  "elasticloadbalancing",
  "events",
  "fis",
  "glue",
  "kms",
  "lakeformation",
  "lambda",
  "logs",
  "s3",
  "sagemaker",
  "scheduler",
  "secretsmanager",
  "sns",
  "sqs",
  "ssm",
  "states",
  "wafv2",
  "xray",
];

/** Of the resources that a foundation's program registers: only here are trails and detectors in reach. */
const foundationServices = [
  "access-analyzer",
  "apigateway",
  "cloudtrail",
  "config",
  "ec2",
  "ecr",
  "glue",
  "guardduty",
  "kms",
  "lakeformation",
  "lambda",
  "logs",
  "s3",
  "securityhub",
  "xray",
];

/** What programs refer to and don't own: AWS's policies, and the roles that AWS keeps for its services. */
const othersIdentities: Statement = {
  Effect: "Allow",
  Action: ["iam:GetPolicy*", "iam:GetRole", "iam:*ServiceLinkedRole*"],
  Resource: "*",
};

/** Denied, not just not allowed: what another policy grants to a session by its name counts in spite of a session policy. */
const neverOnwards: Statement = {
  Effect: "Deny",
  Action: [
    "account:*",
    "iam:*AccessKey*",
    "iam:*LoginProfile*",
    "iam:*User*",
    "organizations:*",
    "sts:AssumeRole*",
    "sts:GetFederationToken",
  ],
  Resource: "*",
};

/** Provisioning makes and describes things; it never looks into them or has them run. */
const neverInside: Statement = {
  Effect: "Deny",
  Action: [
    "ec2:RunInstances",
    "ecs:ExecuteCommand",
    "lambda:Invoke*",
    "sagemaker:Invoke*",
    "secretsmanager:*GetSecretValue",
    "ssm:SendCommand",
    "ssm:StartSession",
  ],
  Resource: "*",
};

/** For operations on a pipeline: its own roles only, and these only within the boundary that its foundation set. */
export function pipelineSessionPolicy(subject: {
  account: AwsAccount;
  team: string;
  pipeline: string;
}): string {
  const { account } = subject;
  const { role, policy } = arnsIn(account);
  const { prefix } = pipelineNames(subject);
  const boundary = policy(foundationNames(account).boundary);
  return document([
    allow(pipelineServices),
    othersIdentities,
    { Effect: "Allow", Action: ["iam:*"], Resource: [role(`${prefix}-*`), policy(`${prefix}-*`)] },
    {
      Effect: "Deny",
      Action: ["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
      Resource: "*",
      Condition: { StringNotEquals: { "iam:PermissionsBoundary": boundary } },
    },
    { Effect: "Deny", Action: ["iam:DeleteRolePermissionsBoundary"], Resource: "*" },
    neverInside,
    neverOnwards,
  ]);
}

/** For operations on a foundation. */
export function foundationSessionPolicy(account: AwsAccount): string {
  const { role, policy } = arnsIn(account);
  return document([
    allow(foundationServices),
    othersIdentities,
    { Effect: "Allow", Action: ["iam:*"], Resource: [role("aidlc-*"), policy("aidlc-*")] },
    {
      Effect: "Allow",
      Action: ["iam:PassRole"],
      Resource: `arn:${partitionOf(account.region)}:iam::${account.accountId}:role/aws-service-role/*`,
    },
    neverInside,
    neverOnwards,
  ]);
}

/** For the status of a pipeline. */
export function statusSessionPolicy(): string {
  return document([
    {
      Effect: "Allow",
      Action: [
        "sagemaker:DescribePipeline",
        "sagemaker:ListModelPackages",
        "sagemaker:ListPipelineExecutions",
      ],
      Resource: "*",
    },
  ]);
}

/** For ending what a pipeline has at SageMaker and no stack knows. */
export function quiesceSessionPolicy(subject: {
  account: AwsAccount;
  team: string;
  pipeline: string;
}): string {
  const { account } = subject;
  const { prefix, named, jobPrefix } = pipelineNames(subject);
  const arn = (kind: string, name: string) =>
    `arn:${partitionOf(account.region)}:sagemaker:${account.region}:${account.accountId}:${kind}/${name}`;
  return document([
    { Effect: "Allow", Action: ["sagemaker:Describe*", "sagemaker:List*"], Resource: "*" },
    {
      Effect: "Allow",
      Action: ["sagemaker:StopPipelineExecution"],
      Resource: arn("pipeline", `${named("training")}/execution/*`),
    },
    {
      Effect: "Allow",
      Action: ["sagemaker:StopProcessingJob"],
      Resource: arn("processing-job", `${jobPrefix("validate")}-*`),
    },
    {
      Effect: "Allow",
      Action: ["sagemaker:DeleteModelPackage"],
      Resource: arn("model-package", `${named("models")}/*`),
    },
    {
      Effect: "Allow",
      Action: [
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DeleteMonitoringSchedule",
      ],
      Resource: ["endpoint", "endpoint-config", "model", "monitoring-schedule"].map((kind) =>
        arn(kind, `${prefix}-*`),
      ),
    },
  ]);
}

/** For finding what bears a pipeline's or a foundation's tags. */
export function taggingSessionPolicy(): string {
  return document([{ Effect: "Allow", Action: ["tag:GetResources"], Resource: "*" }]);
}

/** For finding out who changed a resource. */
export function changeRecordsSessionPolicy(): string {
  return document([{ Effect: "Allow", Action: ["cloudtrail:LookupEvents"], Resource: "*" }]);
}

/** For looking up what an account has before its foundation is made; Cloud Control reads with its caller's rights. */
export function discoverySessionPolicy(): string {
  return document([
    {
      Effect: "Allow",
      Action: [
        "access-analyzer:Get*",
        "access-analyzer:List*",
        "apigateway:GET",
        "backup:Get*",
        "backup:List*",
        "cloudformation:GetResource",
        "cloudformation:ListResources",
        "cloudfront:Get*",
        "cloudfront:List*",
        "cloudtrail:Describe*",
        "cloudtrail:Get*",
        "cloudtrail:List*",
        "config:Describe*",
        "config:List*",
        "ecr:Describe*",
        "ecr:Get*",
        "guardduty:Get*",
        "guardduty:List*",
        "iam:GetRole",
        "logs:Describe*",
        "logs:GetDataProtectionPolicy",
        "logs:List*",
        "lambda:GetLayerVersion",
        "lambda:ListLayerVersions",
        "securityhub:Describe*",
        "securityhub:Get*",
        "securityhub:List*",
        "sns:GetSubscriptionAttributes",
        "sns:ListSubscriptionsByTopic",
      ],
      Resource: "*",
    },
  ]);
}

/**
 * For the state of one stack in an S3 bucket: its own objects and what tells the backend's version. Where an object is missing, S3
 * says so only to who may list the bucket, and doesn't know a prefix then; so the names of all objects can be listed, but no
 * other stack's can be opened.
 */
export function stateSessionPolicy(
  { bucket, prefix }: StateBucket,
  { project, name, region }: { readonly project: string; readonly name: string; readonly region: string },
): string {
  const arn = `arn:${partitionOf(region)}:s3:::${bucket}`;
  const root = `${prefix}.pulumi`;
  const stack = `${project}/${name}`;
  return document([
    {
      Effect: "Allow",
      Action: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      Resource: [
        `${arn}/${root}/backups/${stack}/*`,
        `${arn}/${root}/history/${stack}/*`,
        `${arn}/${root}/locks/organization/${stack}/*`,
        `${arn}/${root}/stacks/${stack}.*`,
      ],
    },
    { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${arn}/${root}/meta.yaml` },
    {
      Effect: "Allow",
      Action: ["s3:ListBucket"],
      Resource: arn,
      Condition: {
        StringLikeIfExists: { "s3:prefix": [`${root}/stacks/`, `${root}/*/${stack}*`] },
      },
    },
    {
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
      Condition: { StringLike: { "kms:ViaService": "s3.*" } },
    },
  ]);
}

/** Where an `s3://bucket/folder?…` backend keeps states: `prefix` is empty or ends in a slash. */
export interface StateBucket {
  readonly bucket: string;
  readonly prefix: string;
}

function allow(services: readonly string[]): Statement {
  return { Effect: "Allow", Action: services.map((service) => `${service}:*`), Resource: "*" };
}

function document(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
