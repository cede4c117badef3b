import {
  cluster,
  type DefinitionArgs,
  EXECUTION_ID,
  jobTags,
  location,
  PARAMETERS,
  type Parameter,
  parameter,
  processingArguments,
  RETRY_POLICIES,
  type Reference,
  vpcConfig,
} from "./pipeline-jobs.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX, TRAINING_MANIFEST } from "./storage-layout.ts";

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
