import type { PipelineImages } from "./images.ts";
import type { DataBucket, LogGroupKind, PipelineRole } from "./names.ts";
import type { PipelineSetting } from "./phases/pipeline-setting.ts";
import { assumedBy, onBehalfOf, type Statement } from "./policy-document.ts";
import { PREFIX } from "./storage-layout.ts";

/** What the policies need of resources whose identifiers AWS chooses. */
export interface RoleSurroundings {
  readonly setting: PipelineSetting;
  readonly images: PipelineImages;
  readonly keys: { readonly data: string; readonly models: string; readonly logs: string };
  readonly network: { readonly subnetIds: readonly string[]; readonly securityGroupId: string };
}

type Grants = (around: RoleSurroundings) => Statement[];
type Rule = Omit<Statement, "Effect">;

const allow = (rule: Rule): Statement => ({ Effect: "Allow", ...rule });

const bucketArn = ({ setting: { arns, names } }: RoleSurroundings, kind: DataBucket) =>
  arns.bucket(names.bucket(kind));

function read(around: RoleSurroundings, kind: DataBucket, prefix = ""): Statement[] {
  const arn = bucketArn(around, kind);
  return [
    allow({
      Sid: `Read${title(kind)}`,
      Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"],
      Resource: `${arn}/${prefix}*`,
    }),
    allow({
      Sid: `List${title(kind)}`,
      Action: ["s3:ListBucket", "s3:GetBucketLocation"],
      Resource: arn,
    }),
  ];
}

const write = (around: RoleSurroundings, kind: DataBucket, prefixes: readonly string[] = [""]): Statement =>
  allow({
    Sid: `Write${title(kind)}`,
    Action: ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    Resource: prefixes.map((prefix) => `${bucketArn(around, kind)}/${prefix}*`),
  });

const title = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const throughService = (region: string, service: "s3" | "sns") => ({
  StringEquals: { "kms:ViaService": `${service}.${region}.amazonaws.com` },
});

const useKeys = (
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

function attachVolumes({ keys }: RoleSurroundings): Statement[] {
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

function pullImages({ images }: RoleSurroundings): Statement[] {
  return [
    allow({
      Sid: "PullImages",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: images.repositoryArns,
    }),
    // A token of the registry, which has no resource to grant on; it opens nothing that the statement above does not.
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
  ];
}

function joinNetwork({ setting: { arns }, network }: RoleSurroundings): Statement[] {
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

const writeLogs = (logGroupArn: string): Statement =>
  allow({
    Sid: "WriteLogs",
    Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
    Resource: [logGroupArn, `${logGroupArn}:log-stream:*`],
  });

const writeOwnLogs = ({ setting: { arns, names } }: RoleSurroundings, kind: LogGroupKind) =>
  writeLogs(arns.logGroup(names.logGroup(kind)));

const putMetrics = (namespaces: readonly string[]): Statement =>
  allow({
    Sid: "PutMetrics",
    Action: "cloudwatch:PutMetricData",
    Resource: "*",
    Condition: { StringEquals: { "cloudwatch:namespace": namespaces } },
  });

function publishAlerts({ setting: { account, arns, names }, keys }: RoleSurroundings): Statement[] {
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

const sendDeadLetters = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "SendDeadLetters",
    Action: "sqs:SendMessage",
    Resource: arns.queue(names.named("dead-letters")),
  });

const readSettings = ({ setting: { arns, names } }: RoleSurroundings): Statement =>
  allow({
    Sid: "ReadSettings",
    Action: ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
    Resource: arns.parameter(names.parameter("*")),
  });

const pipelineArn = ({ setting: { arns, names } }: RoleSurroundings) =>
  arns.sagemaker("pipeline", names.named("training"));

const startPipeline = (around: RoleSurroundings): Statement =>
  allow({ Sid: "StartPipeline", Action: "sagemaker:StartPipelineExecution", Resource: pipelineArn(around) });

/** Jobs only with network isolation, in this pipeline's security group, on its subnets and with its keys. */
function runJobs(around: RoleSurroundings): Statement[] {
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

function registerModels({ setting: { arns, names } }: RoleSurroundings): Statement[] {
  const group = names.named("models");
  return [
    allow({
      Sid: "RegisterModels",
      Action: [
        "sagemaker:AddTags",
        "sagemaker:CreateModelPackage",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
      ],
      Resource: [arns.sagemaker("model-package-group", group), arns.sagemaker("model-package", `${group}/*`)],
      Condition: { StringEqualsIfExists: { "sagemaker:ModelApprovalStatus": "PendingManualApproval" } },
    }),
  ];
}

const jobLogs = ({ setting: { arns, foundation } }: RoleSurroundings, job: "processing" | "training") =>
  writeLogs(arns.logGroup(foundation.jobLogGroups[job]));

/** What each component of the pipeline may do; nothing is granted to two of them that only one needs. */
export const ROLE_GRANTS: Readonly<Record<PipelineRole, Grants>> = {
  validation: (around) => [
    ...read(around, "raw"),
    write(around, "validated"),
    write(around, "quarantine"),
    allow({
      Sid: "ReadBaselines",
      Action: "s3:GetObject",
      Resource: [PREFIX.baselines, PREFIX.manifests].map(
        (prefix) => `${bucketArn(around, "validated")}/${prefix}*`,
      ),
    }),
    useKeys(around, ["data"]),
    readSettings(around),
    putMetrics([around.setting.names.metricNamespace]),
    writeOwnLogs(around, "validation"),
    ...publishAlerts(around),
    sendDeadLetters(around),
  ],
  processing: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    ...read(around, "models", PREFIX.artifacts),
    write(around, "features"),
    write(around, "models", [PREFIX.evaluations]),
    useKeys(around, ["data", "models"]),
    ...attachVolumes(around),
    ...pullImages(around),
    ...joinNetwork(around),
    jobLogs(around, "processing"),
    putMetrics(["/aws/sagemaker/ProcessingJobs"]),
  ],
  training: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    ...read(around, "models", PREFIX.checkpoints),
    write(around, "models", [PREFIX.artifacts, PREFIX.checkpoints]),
    useKeys(around, ["data", "models"]),
    ...attachVolumes(around),
    ...pullImages(around),
    ...joinNetwork(around),
    jobLogs(around, "training"),
    putMetrics(["/aws/sagemaker/TrainingJobs"]),
  ],
  orchestration: (around) => [
    ...runJobs(around),
    ...registerModels(around),
    ...read(around, "models"),
    useKeys(around, ["models"], ["kms:Decrypt"]),
    ...attachVolumes(around),
    ...pullImages(around),
  ],
  inference: (around) => [
    ...read(around, "models", PREFIX.artifacts),
    write(around, "predictions"),
    allow({
      Sid: "ReadModelKey",
      Action: "kms:Decrypt",
      Resource: around.keys.models,
      Condition: throughService(around.setting.account.region, "s3"),
    }),
    useKeys(around, ["data"], ["kms:Decrypt", "kms:GenerateDataKey"]),
    ...pullImages(around),
    putMetrics([around.setting.names.metricNamespace]),
    writeOwnLogs(around, "inference"),
  ],
  monitoring: (around) => [
    // CloudWatch has no resource to grant reads of metrics on.
    allow({
      Sid: "ReadMetrics",
      Action: ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"],
      Resource: "*",
    }),
    putMetrics([around.setting.names.metricNamespace]),
    readSettings(around),
    writeOwnLogs(around, "monitoring"),
    ...publishAlerts(around),
    sendDeadLetters(around),
  ],
  cicd: (around) => [
    startPipeline(around),
    allow({
      Sid: "FollowPipeline",
      Action: [
        "sagemaker:DescribePipeline",
        "sagemaker:DescribePipelineExecution",
        "sagemaker:ListPipelineExecutionSteps",
        "sagemaker:StopPipelineExecution",
      ],
      Resource: [pipelineArn(around), `${pipelineArn(around)}/execution/*`],
    }),
    allow({
      Sid: "PushImages",
      Action: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ],
      Resource: (["training", "inference"] as const).map((kind) =>
        around.setting.arns.repository(around.setting.names.repository(kind)),
      ),
    }),
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
    readSettings(around),
    writeOwnLogs(around, "cicd"),
  ],
  alerts: (around) => [...publishAlerts(around)],
  schedule: (around) => [startPipeline(around), sendDeadLetters(around)],
};

/**
 * Who assumes each role. AWS documents no source keys for Lambda's own assumption of an execution role; there the
 * guard is that only a function of this account can be given the role (`iam:PassRole` does not cross accounts).
 */
export function roleTrust(role: PipelineRole, { account, arns, names }: PipelineSetting): Statement {
  const { accountId } = account;
  const from = (service: string, ...sources: readonly string[]) =>
    assumedBy(service, onBehalfOf(accountId, sources));
  switch (role) {
    case "validation":
    case "monitoring":
      return assumedBy("lambda.amazonaws.com");
    case "processing":
    case "training":
    case "orchestration":
    case "inference":
      return from("sagemaker.amazonaws.com", arns.regional("sagemaker", "*"));
    case "cicd":
      return from("codebuild.amazonaws.com", arns.regional("codebuild", `project/${names.prefix}-*`));
    case "alerts":
      return from("events.amazonaws.com", arns.rule(`${names.prefix}-*`));
    case "schedule":
      return from(
        "scheduler.amazonaws.com",
        arns.regional("scheduler", `schedule-group/${names.named("schedules")}`),
      );
  }
}
