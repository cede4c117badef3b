import {
  allow,
  attachVolumes,
  bucketArn,
  jobLogs,
  joinNetwork,
  pipelineArn,
  publishAlerts,
  pullImages,
  putMetrics,
  type RoleSurroundings,
  read,
  readSettings,
  registerModels,
  runJobs,
  sendDeadLetters,
  startPipeline,
  throughService,
  useKeys,
  write,
  writeOwnLogs,
} from "./grants.ts";
import type { PipelineRole } from "./names.ts";
import type { PipelineSetting } from "./phases/pipeline-setting.ts";
import { assumedBy, onBehalfOf, type Statement } from "./policy-document.ts";
import { PREFIX } from "./storage-layout.ts";

type Grants = (around: RoleSurroundings) => Statement[];

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
