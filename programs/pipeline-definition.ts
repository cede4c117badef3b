import {
  type DefinitionArgs,
  EXECUTION_ID,
  FEATURE_SETS,
  featureSet,
  fitOutput,
  location,
  PARAMETERS,
  type Parameter,
  parameter,
  processingArguments,
  RETRY_POLICIES,
  type Reference,
} from "./pipeline-jobs.ts";
import { definitionProblems } from "./pipeline-schema.ts";
import { modelArtifact, trainStep, tuneStep } from "./pipeline-training.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX, TRAINING_MANIFEST, TRANSFORM_METADATA } from "./storage-layout.ts";

/**
 * Copies the manifest first, whoever started the execution: it grows with each object that is accepted, and steps that read it one
 * after another, or a job that is tried again, would read different data. An output, not a joined address, makes them wait for it.
 */
const pinStep = (functionArn: string) => ({
  Name: "Pin",
  Type: "Lambda",
  FunctionArn: functionArn,
  Arguments: { manifest: parameter("InputManifest"), execution: EXECUTION_ID },
  OutputParameters: [{ OutputName: "uri", OutputType: "String" }],
});

const PINNED_MANIFEST: Reference = { Get: "Steps.Pin.OutputParameters['uri']" };

/** Fits the declared features to the very data that the execution trains on. */
const fitStep = (functionArn: string) => ({
  Name: "Fit",
  Type: "Lambda",
  FunctionArn: functionArn,
  Arguments: { manifest: PINNED_MANIFEST },
  OutputParameters: [
    { OutputName: "digest", OutputType: "String" },
    { OutputName: "uri", OutputType: "String" },
  ],
});

function processStep(args: DefinitionArgs) {
  const features = args.names.bucket("features");
  return {
    Name: "Process",
    Type: "Processing",
    Arguments: processingArguments(args, {
      program: "process",
      inputs: [
        { name: "data", uri: PINNED_MANIFEST, type: "ManifestFile" },
        ...(args.fitFunctionArn === undefined ? [] : [{ name: "transform", uri: fitOutput("uri") }]),
      ],
      outputs: FEATURE_SETS.map((name) => ({ name, uri: location(features, EXECUTION_ID, name) })),
      outputKeyArn: args.keyArns.data,
    }),
    RetryPolicies: RETRY_POLICIES,
  };
}

function evaluateStep(args: DefinitionArgs) {
  return {
    Name: "Evaluate",
    Type: "Processing",
    Arguments: processingArguments(args, {
      program: "evaluate",
      inputs: [
        { name: "model", uri: modelArtifact(args) },
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

function registerStep(args: DefinitionArgs) {
  const { names, training } = args;
  return {
    Name: "Register",
    Type: "RegisterModel",
    Arguments: {
      ModelPackageGroupName: names.named("models"),
      ModelApprovalStatus: "PendingManualApproval",
      InferenceSpecification: {
        Containers: [{ Image: parameter("InferenceImage"), ModelDataUrl: modelArtifact(args) }],
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
        InputManifest: PINNED_MANIFEST,
        Trigger: parameter("Trigger"),
        QualityGate: gateText(training.qualityGate),
        ...(args.fitFunctionArn !== undefined && { [TRANSFORM_METADATA]: fitOutput("digest") }),
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
 * The SageMaker Pipeline: pin the manifest → fit where features are declared → process → train or tune → evaluate → quality gate → register.
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
  const { tuning } = args.training;
  const definition = {
    Version: "2020-12-01",
    Metadata: {},
    Parameters: PARAMETERS.map((Name) => ({ Name, Type: "String", DefaultValue: defaults[Name] })),
    PipelineExperimentConfig: {
      ExperimentName: { Get: "Execution.PipelineName" },
      TrialName: { Get: "Execution.PipelineExecutionId" },
    },
    Steps: [
      pinStep(args.pinFunctionArn),
      ...(args.fitFunctionArn === undefined ? [] : [fitStep(args.fitFunctionArn)]),
      processStep(args),
      tuning === undefined ? trainStep(args) : tuneStep(args, tuning),
      evaluateStep(args),
      qualityGateStep(args),
    ],
  };
  const problems = definitionProblems(definition);
  if (problems.length > 0) throw new Error(`The pipeline definition is invalid: ${problems.join("; ")}`);
  return JSON.stringify(definition);
}
