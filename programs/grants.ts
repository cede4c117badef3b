import type { PipelineImages } from "./images.ts";
import type { DataBucket, KeyPurpose, RecoveryKey } from "./names.ts";
import type { PipelineSetting } from "./phases/pipeline-setting.ts";
import type { Condition, Statement } from "./policy-document.ts";

/** What the policies need of resources whose identifiers AWS chooses. */
export interface RoleSurroundings {
  readonly setting: PipelineSetting;
  readonly images: PipelineImages;
  readonly keys: Readonly<Record<KeyPurpose, string>>;
  readonly network: {
    readonly subnetIds: readonly string[];
    readonly securityGroupId: string;
    readonly functionSecurityGroupId?: string | undefined;
  };
}

type Rule = Omit<Statement, "Effect">;

export const allow = (rule: Rule): Statement => ({ Effect: "Allow", ...rule });

export const bucketArn = ({ setting: { arns, names } }: RoleSurroundings, kind: DataBucket) =>
  arns.bucket(names.bucket(kind));

export function read(
  around: RoleSurroundings,
  kind: DataBucket,
  prefix = "",
  ...more: readonly string[]
): Statement[] {
  const arn = bucketArn(around, kind);
  const below = (prefix: string) => `${arn}/${prefix}*`;
  return [
    allow({
      Sid: `Read${title(kind)}`,
      Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"],
      Resource: more.length === 0 ? below(prefix) : [prefix, ...more].map(below),
    }),
    allow({
      Sid: `List${title(kind)}`,
      Action: ["s3:ListBucket", "s3:GetBucketLocation"],
      Resource: arn,
    }),
  ];
}

export const write = (
  around: RoleSurroundings,
  kind: DataBucket,
  prefixes: readonly string[] = [""],
): Statement =>
  allow({
    Sid: `Write${title(kind)}`,
    Action: ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    Resource: prefixes.map((prefix) => `${bucketArn(around, kind)}/${prefix}*`),
  });

const title = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export const throughService = (region: string, service: "s3" | "sns") => ({
  StringEquals: { "kms:ViaService": `${service}.${region}.amazonaws.com` },
});

export const useKeys = (
  { setting, keys }: RoleSurroundings,
  purposes: readonly ("data" | "models")[],
  actions: readonly string[] = ["kms:Decrypt", "kms:GenerateDataKey"],
): Statement =>
  allow({
    Sid: "UseKeys",
    Action: actions,
    Resource: purposes.map((purpose) => keys[purpose]),
    Condition: throughService(setting.account.region, "s3"),
  });

/** By alias, not by id: the keys of replicas and backups are made last, and only some pipelines have them. */
export const useRecoveryKey = (
  { setting: { account, arns, names } }: RoleSurroundings,
  kind: RecoveryKey,
  use: { sid: string; region: string; action: readonly string[]; condition?: Condition },
): Statement =>
  allow({
    Sid: use.sid,
    Action: use.action,
    Resource: `arn:${arns.partition}:kms:${use.region}:${account.accountId}:key/*`,
    Condition: {
      ...use.condition,
      "ForAnyValue:StringEquals": { "kms:ResourceAliases": names.recoveryKeyAlias(kind) },
    },
  });

export function attachVolumes({ keys }: RoleSurroundings): Statement[] {
  return [
    allow({
      Sid: "AttachVolumes",
      Action: "kms:CreateGrant",
      Resource: keys.data,
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    }),
    allow({ Sid: "CheckKeys", Action: "kms:DescribeKey", Resource: [keys.data, keys.models] }),
  ];
}

export function pullImages(repositoryArns: readonly string[]): Statement[] {
  return [
    allow({
      Sid: "PullImages",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: repositoryArns,
    }),
    // A token of the registry, which has no resource to grant on; it opens nothing that the statement above does not.
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
  ];
}

export function joinNetwork({ setting: { arns }, network }: RoleSurroundings): Statement[] {
  const subnets = network.subnetIds.map((id) => arns.regional("ec2", `subnet/${id}`));
  return [
    allow({
      Sid: "JoinNetwork",
      Action: [
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
      ],
      Resource: [
        ...subnets,
        arns.regional("ec2", `security-group/${network.securityGroupId}`),
        arns.regional("ec2", "network-interface/*"),
      ],
    }),
    // EC2 lets nobody narrow what may be described.
    allow({
      Sid: "DescribeNetwork",
      Action: [
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
      ],
      Resource: "*",
    }),
  ];
}

/**
 * Lambda documents that it attaches functions only where this is allowed on all resources
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions). It is allowed to Lambda
 * itself: calls of a function's code name the function.
 */
export const attachFunction = (): Statement =>
  allow({
    Sid: "AttachFunction",
    Action: [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ],
    Resource: "*",
    Condition: { Null: { "lambda:SourceFunctionArn": "true" } },
  });

export const writeLogs = (logGroupArn: string): Statement =>
  allow({
    Sid: "WriteLogs",
    Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
    Resource: [logGroupArn, `${logGroupArn}:log-stream:*`],
  });

export const writeOwnLogs = ({ setting: { arns, names } }: RoleSurroundings, kind: string) =>
  writeLogs(arns.logGroup(names.logGroup(kind)));

/** X-Ray has no resource to grant on. */
export const trace = (): Statement =>
  allow({ Sid: "Trace", Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], Resource: "*" });

export const putMetrics = (namespaces: readonly string[]): Statement =>
  allow({
    Sid: "PutMetrics",
    Action: "cloudwatch:PutMetricData",
    Resource: "*",
    Condition: { StringEquals: { "cloudwatch:namespace": namespaces } },
  });

export function publishAlerts({ setting: { account, arns, names }, keys }: RoleSurroundings): Statement[] {
  return [
    allow({
      Sid: "PublishAlerts",
      Action: "sns:Publish",
      Resource: [arns.topic(names.named("warning")), arns.topic(names.named("critical"))],
    }),
    allow({
      Sid: "EncryptAlerts",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keys.logs,
      Condition: throughService(account.region, "sns"),
    }),
  ];
}

export const sendDeadLetters = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "SendDeadLetters",
    Action: "sqs:SendMessage",
    Resource: arns.queue(names.named("dead-letters")),
  });

export const readSettings = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "ReadSettings",
    Action: ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
    Resource: arns.parameter(names.parameter("*")),
  });

/** All at once: of the path itself, and of what is below it. */
export const listSettings = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "ReadSettings",
    Action: "ssm:GetParametersByPath",
    Resource: ["", "/*"].map((below) => arns.parameter(names.parameter("").slice(0, -1) + below)),
  });

export const pipelineArn = ({ setting: { arns, names } }: RoleSurroundings) =>
  arns.sagemaker("pipeline", names.named("training"));

export const startPipeline = (around: RoleSurroundings): Statement =>
  allow({ Sid: "StartPipeline", Action: "sagemaker:StartPipelineExecution", Resource: pipelineArn(around) });

/** Jobs only with network isolation, in this pipeline's security group, on its subnets and with its keys. */
export function runJobs(around: RoleSurroundings): Statement[] {
  const { setting, keys, network } = around;
  const { arns, names } = setting;
  const jobs = [
    arns.sagemaker("processing-job", `${names.jobPrefix("process")}-*`),
    arns.sagemaker("processing-job", `${names.jobPrefix("evaluate")}-*`),
    arns.sagemaker("training-job", `${names.jobPrefix("train")}-*`),
  ];
  return [
    allow({
      Sid: "CreateIsolatedJobs",
      Action: ["sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob"],
      Resource: jobs,
      Condition: {
        Bool: { "sagemaker:NetworkIsolation": "true" },
        Null: { "sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false" },
        "ForAllValues:StringEquals": {
          "sagemaker:VpcSubnets": network.subnetIds,
          "sagemaker:VpcSecurityGroupIds": [network.securityGroupId],
        },
        ArnEquals: { "sagemaker:OutputKmsKey": [keys.data, keys.models] },
      },
    }),
    allow({
      Sid: "FollowJobs",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:StopTrainingJob",
      ],
      Resource: jobs,
    }),
    allow({
      Sid: "PassJobRoles",
      Action: "iam:PassRole",
      Resource: [arns.role(names.named("processing")), arns.role(names.named("training"))],
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    }),
  ];
}

export function registerModels({ setting: { arns, names } }: RoleSurroundings): Statement[] {
  const group = names.named("models");
  const Resource = [
    arns.sagemaker("model-package-group", group),
    arns.sagemaker("model-package", `${group}/*`),
  ];
  return [
    allow({
      Sid: "RegisterModels",
      Action: "sagemaker:CreateModelPackage",
      Resource,
      Condition: { StringEqualsIfExists: { "sagemaker:ModelApprovalStatus": "PendingManualApproval" } },
    }),
    allow({
      Sid: "LookAtModels",
      Action: ["sagemaker:AddTags", "sagemaker:DescribeModelPackage", "sagemaker:DescribeModelPackageGroup"],
      Resource,
    }),
  ];
}

export const jobLogs = (
  { setting: { arns, foundation } }: RoleSurroundings,
  job: "processing" | "training",
) => writeLogs(arns.logGroup(foundation.jobLogGroups[job]));

/** What SageMaker does in the name of every job: keys, volumes, images, network, logs and metrics. */
export const runAsJob = (around: RoleSurroundings, job: "processing" | "training"): Statement[] => [
  useKeys(around, ["data", "models"]),
  ...attachVolumes(around),
  ...pullImages(around.images.repositoryArns),
  ...joinNetwork(around),
  jobLogs(around, job),
  putMetrics([`/aws/sagemaker/${job === "processing" ? "Processing" : "Training"}Jobs`]),
];
