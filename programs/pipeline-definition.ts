import type { PipelineImages } from "./images.ts";
import type { PipelineNames } from "./names.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX, TRAINING_MANIFEST } from "./storage-layout.ts";
import type { Tags } from "./tags.ts";

export interface DefinitionArgs {
  readonly names: PipelineNames;
  readonly training: PipelineSpec["training"];
  readonly images: PipelineImages;
  readonly roleArns: { readonly processing: string; readonly training: string };
  readonly keyArns: { readonly data: string; readonly models: string };
  readonly network: { readonly subnetIds: readonly string[]; readonly securityGroupId: string };
  /** Jobs are billed by their own tags, not by the pipeline's. */
  readonly tags: Tags;
}

interface Reference {
  readonly Get: string;
}

type Text =
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
type Parameter = (typeof PARAMETERS)[number];

const parameter = (name: Parameter): Reference => ({ Get: `Parameters.${name}` });
const EXECUTION_ID: Reference = { Get: "Execution.PipelineExecutionId" };

/** Per execution, so that no run overwrites what another one made. */
const location = (bucket: string, ...path: readonly Text[]): Text => ({
  "Std:Join": { On: "/", Values: [`s3://${bucket}`, ...path] },
});

const VOLUME_GB = 30;

/**
 * Instances with local NVMe storage encrypt it in hardware and refuse a customer key for it
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html, VolumeKmsKeyId).
 */
const LOCAL_STORAGE = /^ml\.(g4dn|g5|g6e?|gr6|p3dn|p4de?|p5e?n?|trn1n?|trn2|inf1|[cmr]\d[a-z]*d[a-z]*)\./;

function cluster(instanceType: string, instanceCount: number, keyArn: string) {
  return {
    InstanceType: instanceType,
    InstanceCount: instanceCount,
    VolumeSizeInGB: VOLUME_GB,
    ...(!LOCAL_STORAGE.test(instanceType) && { VolumeKmsKeyId: keyArn }),
  };
}

const vpcConfig = ({ network }: DefinitionArgs) => ({
  Subnets: network.subnetIds,
  SecurityGroupIds: [network.securityGroupId],
});

const jobTags = ({ tags }: DefinitionArgs) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const RETRY_POLICIES = [
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

function processingArguments(args: DefinitionArgs, job: ProcessingJob) {
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
      EnableInterContainerTrafficEncryption: false,
      VpcConfig: vpcConfig(args),
    },
    Environment: { AIDLC_QUALITY_METRIC: training.qualityGate.metric },
    Tags: jobTags(args),
  };
}

const FEATURE_SETS = ["train", "validation", "test"] as const;

function processStep(args: DefinitionArgs) {
  const features = args.names.bucket("features");
  return {
    Name: "Process",
    Type: "Processing",
    Arguments: processingArguments(args, {
      program: "process",
      inputs: [{ name: "data", uri: parameter("InputManifest"), type: "ManifestFile" }],
      outputs: FEATURE_SETS.map((name) => ({ name, uri: location(features, EXECUTION_ID, name) })),
      outputKeyArn: args.keyArns.data,
    }),
    RetryPolicies: RETRY_POLICIES,
  };
}

const featureSet = (name: (typeof FEATURE_SETS)[number]): Reference => ({
  Get: `Steps.Process.ProcessingOutputConfig.Outputs['${name}'].S3Output.S3Uri`,
});

const trainingChannel = (name: "train" | "validation") => ({
  ChannelName: name,
  ContentType: "text/csv",
  DataSource: {
    S3DataSource: {
      S3DataType: "S3Prefix",
      S3Uri: featureSet(name),
      S3DataDistributionType: "FullyReplicated",
    },
  },
});

function algorithm({ training }: DefinitionArgs) {
  const { metric } = training.qualityGate;
  return {
    TrainingImage: parameter("TrainingImage"),
    TrainingInputMode: "File",
    // A built-in algorithm publishes metrics of its own and refuses definitions.
    ...(training.algorithm === undefined && {
      MetricDefinitions: [{ Name: metric, Regex: `${metric}\\s*[=:]\\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)` }],
    }),
  };
}

function trainStep(args: DefinitionArgs) {
  const { training, names, keyArns } = args;
  const { spot, instanceType, instanceCount } = training;
  const models = names.bucket("models");
  return {
    Name: "Train",
    Type: "Training",
    Arguments: {
      TrainingJobName: names.jobPrefix("train"),
      AlgorithmSpecification: algorithm(args),
      RoleArn: args.roleArns.training,
      InputDataConfig: [trainingChannel("train"), trainingChannel("validation")],
      OutputDataConfig: {
        S3OutputPath: location(models, PREFIX.artifacts.slice(0, -1), EXECUTION_ID),
        KmsKeyId: keyArns.models,
      },
      ResourceConfig: cluster(instanceType, instanceCount, keyArns.data),
      StoppingCondition: {
        MaxRuntimeInSeconds: spot.maxRunSeconds,
        ...(spot.enabled && { MaxWaitTimeInSeconds: spot.maxWaitSeconds }),
      },
      EnableManagedSpotTraining: spot.enabled,
      // Without checkpoints an interrupted Spot job starts again from nothing.
      ...(spot.enabled && {
        CheckpointConfig: { S3Uri: location(models, PREFIX.checkpoints.slice(0, -1), EXECUTION_ID) },
      }),
      HyperParameters: Object.fromEntries(
        Object.entries(training.hyperparameters).map(([name, value]) => [name, String(value)]),
      ),
      EnableNetworkIsolation: true,
      EnableInterContainerTrafficEncryption: instanceCount > 1,
      VpcConfig: vpcConfig(args),
      Tags: jobTags(args),
    },
    RetryPolicies: RETRY_POLICIES,
  };
}

const MODEL_ARTIFACT: Reference = { Get: "Steps.Train.ModelArtifacts.S3ModelArtifacts" };

function evaluateStep(args: DefinitionArgs) {
  return {
    Name: "Evaluate",
    Type: "Processing",
    Arguments: processingArguments(args, {
      program: "evaluate",
      inputs: [
        { name: "model", uri: MODEL_ARTIFACT },
        { name: "test", uri: featureSet("test") },
      ],
      outputs: [
        {
          name: "evaluation",
          uri: location(args.names.bucket("models"), PREFIX.evaluations.slice(0, -1), EXECUTION_ID),
        },
      ],
      outputKeyArn: args.keyArns.models,
    }),
    PropertyFiles: [
      { PropertyFileName: "Evaluation", OutputName: "evaluation", FilePath: "evaluation.json" },
    ],
    RetryPolicies: RETRY_POLICIES,
  };
}

const EVALUATION_OUTPUT: Reference = {
  Get: "Steps.Evaluate.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri",
};

function registerStep({ names, training }: DefinitionArgs) {
  return {
    Name: "Register",
    Type: "RegisterModel",
    Arguments: {
      ModelPackageGroupName: names.named("models"),
      ModelApprovalStatus: "PendingManualApproval",
      InferenceSpecification: {
        Containers: [{ Image: parameter("InferenceImage"), ModelDataUrl: MODEL_ARTIFACT }],
        SupportedContentTypes: ["text/csv", "application/json"],
        SupportedResponseMIMETypes: ["text/csv", "application/json"],
      },
      ModelMetrics: {
        ModelQuality: {
          Statistics: {
            ContentType: "application/json",
            S3Uri: { "Std:Join": { On: "/", Values: [EVALUATION_OUTPUT, "evaluation.json"] } },
          },
        },
      },
      CustomerMetadataProperties: {
        PipelineExecution: EXECUTION_ID,
        InputManifest: parameter("InputManifest"),
        Trigger: parameter("Trigger"),
        QualityGate: gateText(training.qualityGate),
      },
    },
  };
}

const gateText = ({ metric, threshold, direction }: PipelineSpec["training"]["qualityGate"]) =>
  `${metric} ${direction === "atLeast" ? ">=" : "<="} ${threshold}`;

function qualityGateStep(args: DefinitionArgs) {
  const { metric, threshold, direction } = args.training.qualityGate;
  return {
    Name: "QualityGate",
    Type: "Condition",
    Arguments: {
      Conditions: [
        {
          Type: direction === "atLeast" ? "GreaterThanOrEqualTo" : "LessThanOrEqualTo",
          LeftValue: {
            "Std:JsonGet": {
              PropertyFile: { Get: "Steps.Evaluate.PropertyFiles.Evaluation" },
              Path: `metrics.${metric}.value`,
            },
          },
          RightValue: threshold,
        },
      ],
      IfSteps: [registerStep(args)],
      ElseSteps: [
        {
          Name: "Refuse",
          Type: "Fail",
          Arguments: {
            ErrorMessage: `The model misses the quality gate ${gateText(args.training.qualityGate)}`,
          },
        },
      ],
    },
  };
}

/**
 * The SageMaker Pipeline: process → train → evaluate → quality gate → register. Schema:
 * https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
 *
 * Every job runs isolated from the network, on the pipeline's subnets, under its keys and its own role. The program
 * image is started as `/opt/program/run process|evaluate` and finds its channels under /opt/ml/processing.
 */
export function pipelineDefinition(args: DefinitionArgs): string {
  const { names, images } = args;
  const defaults: Readonly<Record<Parameter, string>> = {
    InputManifest: `s3://${names.bucket("validated")}/${TRAINING_MANIFEST}`,
    ProgramImage: images.program,
    TrainingImage: images.training,
    InferenceImage: images.inference,
    Trigger: "manual",
  };
  return JSON.stringify({
    Version: "2020-12-01",
    Metadata: {},
    Parameters: PARAMETERS.map((Name) => ({ Name, Type: "String", DefaultValue: defaults[Name] })),
    PipelineExperimentConfig: {
      ExperimentName: { Get: "Execution.PipelineName" },
      TrialName: { Get: "Execution.PipelineExecutionId" },
    },
    Steps: [processStep(args), trainStep(args), evaluateStep(args), qualityGateStep(args)],
  });
}
