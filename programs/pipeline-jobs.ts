import type { PipelineImages } from "./images.ts";
import type { PipelineNames } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";
import type { Tags } from "./tags.ts";

export interface DefinitionArgs {
  readonly names: PipelineNames;
  readonly training: PipelineSpec["training"];
  /** The function that copies the manifest for an execution. */
  readonly pinFunctionArn: string;
  /** The function that fits the declared features; only with `dataset.features`. */
  readonly fitFunctionArn?: string;
  readonly images: PipelineImages;
  readonly roleArns: { readonly processing: string; readonly training: string };
  readonly keyArns: { readonly data: string; readonly models: string };
  readonly network: { readonly subnetIds: readonly string[]; readonly securityGroupId: string };
  /** Traffic between containers is encrypted there even on one instance, where it costs nothing. */
  readonly isProduction: boolean;
  /** Jobs are billed by their own tags, not by the pipeline's. */
  readonly tags: Tags;
}

export interface Reference {
  readonly Get: string;
}

export type Text =
  | string
  | Reference
  | { readonly "Std:Join": { readonly On: string; readonly Values: readonly Text[] } };

/** Parameters of an execution; a release or a schedule overrides the defaults. */
export const PARAMETERS = [
  "InputManifest",
  "ProgramImage",
  "TrainingImage",
  "InferenceImage",
  "Trigger",
] as const;
export type Parameter = (typeof PARAMETERS)[number];

export const parameter = (name: Parameter): Reference => ({ Get: `Parameters.${name}` });
export const EXECUTION_ID: Reference = { Get: "Execution.PipelineExecutionId" };

/** Per execution, so that no run overwrites what another one made. */
export const location = (bucket: string, ...path: readonly Text[]): Text => ({
  "Std:Join": { On: "/", Values: [`s3://${bucket}`, ...path] },
});

export const FEATURE_SETS = ["train", "validation", "test"] as const;

export const featureSet = (name: (typeof FEATURE_SETS)[number]): Reference => ({
  Get: `Steps.Process.ProcessingOutputConfig.Outputs['${name}'].S3Output.S3Uri`,
});

/** Of the step that fits the declared features: the digest of the document, and where it is. */
export const fitOutput = (name: "digest" | "uri"): Reference => ({
  Get: `Steps.Fit.OutputParameters['${name}']`,
});

const VOLUME_GB = 30;

/**
 * Instances with local NVMe storage encrypt it in hardware and refuse a customer key for it
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html, VolumeKmsKeyId).
 */
const LOCAL_STORAGE = /^ml\.(g4dn|g5|g6e?|gr6|p3dn|p4de?|p5e?n?|trn1n?|trn2|inf1|[cmr]\d[a-z]*d[a-z]*)\./;

export function cluster(instanceType: string, instanceCount: number, keyArn: string) {
  return {
    InstanceType: instanceType,
    InstanceCount: instanceCount,
    VolumeSizeInGB: VOLUME_GB,
    ...(!LOCAL_STORAGE.test(instanceType) && { VolumeKmsKeyId: keyArn }),
  };
}

export const vpcConfig = ({ network }: DefinitionArgs) => ({
  Subnets: network.subnetIds,
  SecurityGroupIds: [network.securityGroupId],
});

export const jobTags = ({ tags }: DefinitionArgs) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export const RETRY_POLICIES = [
  {
    ExceptionType: ["Step.SERVICE_FAULT", "Step.THROTTLING"],
    IntervalSeconds: 10,
    BackoffRate: 2,
    MaxAttempts: 5,
  },
  { ExceptionType: ["SageMaker.CAPACITY_ERROR"], IntervalSeconds: 300, BackoffRate: 2, MaxAttempts: 3 },
];

interface Channel {
  readonly name: string;
  readonly uri: Text;
  readonly type?: "S3Prefix" | "ManifestFile";
}

const PROCESSING_HOME = "/opt/ml/processing";

const processingInput = ({ name, uri, type = "S3Prefix" }: Channel) => ({
  InputName: name,
  AppManaged: false,
  S3Input: {
    S3Uri: uri,
    LocalPath: `${PROCESSING_HOME}/input/${name}`,
    S3DataType: type,
    S3InputMode: "File",
    S3DataDistributionType: "FullyReplicated",
    S3CompressionType: "None",
  },
});

const processingOutput = ({ name, uri }: Channel) => ({
  OutputName: name,
  AppManaged: false,
  S3Output: { S3Uri: uri, LocalPath: `${PROCESSING_HOME}/output/${name}`, S3UploadMode: "EndOfJob" },
});

interface ProcessingJob {
  readonly program: "process" | "evaluate";
  readonly inputs: readonly Channel[];
  readonly outputs: readonly Channel[];
  readonly outputKeyArn: string;
}

export function processingArguments(args: DefinitionArgs, job: ProcessingJob) {
  const { training, names } = args;
  return {
    ProcessingJobName: names.jobPrefix(job.program),
    ProcessingResources: { ClusterConfig: cluster(training.instanceType, 1, args.keyArns.data) },
    AppSpecification: {
      ImageUri: parameter("ProgramImage"),
      ContainerEntrypoint: ["/opt/program/run"],
      ContainerArguments: [job.program],
    },
    RoleArn: args.roleArns.processing,
    ProcessingInputs: job.inputs.map(processingInput),
    ProcessingOutputConfig: { KmsKeyId: job.outputKeyArn, Outputs: job.outputs.map(processingOutput) },
    StoppingCondition: { MaxRuntimeInSeconds: training.spot.maxRunSeconds },
    NetworkConfig: {
      EnableNetworkIsolation: true,
      EnableInterContainerTrafficEncryption: args.isProduction,
      VpcConfig: vpcConfig(args),
    },
    Environment: { AIDLC_QUALITY_METRIC: training.qualityGate.metric },
    Tags: jobTags(args),
  };
}
