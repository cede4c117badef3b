import {
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-sagemaker";
import { pipelineImages } from "../../../programs/images.ts";
import { executionManifest, TRAINING_MANIFEST } from "../../../programs/storage-layout.ts";
import type { AwsAnswer, AwsRequest } from "../../support/aws-recorder.ts";
import { json } from "./aws-answers.ts";
import type { PipelineInAws } from "./pipeline-in-aws.ts";
import { type Registry, ROLE } from "./registered-model.ts";

/** One execution of the SageMaker Pipeline with its jobs, up to the registration of what it trained. */
export async function train(
  pipeline: PipelineInAws,
  { sagemaker, register }: Registry,
  change: { readonly metadata?: Record<string, string>; readonly metrics?: unknown } = {},
) {
  const { names } = pipeline.setting;
  const images = pipelineImages(pipeline.setting);
  const { PipelineExecutionArn: executionArn = "" } = await sagemaker.send(
    new StartPipelineExecutionCommand({
      PipelineName: names.named("training"),
      ClientRequestToken: "0".repeat(32),
    }),
  );
  const execution = executionArn.split("/").at(-1) ?? "";
  const accepted = await pipeline.read("validated", TRAINING_MANIFEST);
  await pipeline.put("validated", executionManifest(execution), accepted);
  const process = async (program: "process" | "evaluate") => {
    const { ProcessingJobArn = "" } = await sagemaker.send(
      new CreateProcessingJobCommand({
        ProcessingJobName: `${names.jobPrefix(program)}-${execution}`,
        ProcessingResources: {
          ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 30 },
        },
        AppSpecification: { ImageUri: images.program },
        RoleArn: ROLE,
        ProcessingInputs: [
          {
            InputName: program === "process" ? "data" : "model",
            S3Input: {
              S3Uri: `s3://${pipeline.bucket("validated")}/${executionManifest(execution)}`,
              S3DataType: program === "process" ? "ManifestFile" : "S3Prefix",
            },
          },
        ],
      }),
    );
    return ProcessingJobArn;
  };
  const trainingJob = `${names.jobPrefix("train")}-${execution}`;
  const processArn = await process("process");
  const { TrainingJobArn: trainArn = "" } = await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: trainingJob,
      HyperParameters: { max_depth: "6", eta: "0.2" },
      AlgorithmSpecification: { TrainingImage: images.training, TrainingInputMode: "File" },
      RoleArn: ROLE,
      OutputDataConfig: { S3OutputPath: `s3://${pipeline.bucket("models")}/artifacts/${execution}` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 30 },
      StoppingCondition: { MaxRuntimeInSeconds: 1800 },
    }),
  );
  const evaluateArn = await process("evaluate");
  const metrics = change.metrics ?? { accuracy: { value: 0.97 } };
  await pipeline.put("models", `evaluations/${execution}/evaluation.json`, JSON.stringify({ metrics }));
  const model = await register({ execution, ...(change.metadata && { metadata: change.metadata }) });
  const step = (StepName: string, Metadata: object) => ({
    StepName,
    StepStatus: "Succeeded",
    StartTime: 1_772_384_000,
    EndTime: 1_772_384_060,
    Metadata,
  });
  return {
    ...model,
    executionArn,
    trainingJob,
    steps: [
      step("Process", { ProcessingJob: { Arn: processArn } }),
      step("Train", { TrainingJob: { Arn: trainArn } }),
      step("Evaluate", { ProcessingJob: { Arn: evaluateArn } }),
      step("QualityGate", { Condition: { Outcome: "True" } }),
      step("Register", { RegisterModel: { Arn: model.arn } }),
    ],
  };
}

export type TrainedModel = Awaited<ReturnType<typeof train>>;

/** What the emulator can't answer: the steps of an execution, and the lineage graph. AWS names its nodes by itself. */
export function answersOfTraining(steps: () => TrainedModel["steps"]) {
  let artifacts = 0;
  return ({ target }: AwsRequest): AwsAnswer | undefined => {
    switch (target) {
      case "SageMaker.ListPipelineExecutionSteps":
        return json({ PipelineExecutionSteps: steps() });
      case "SageMaker.CreateArtifact":
        artifacts += 1;
        return json({ ArtifactArn: `arn:aws:sagemaker:eu-west-1:123456789012:artifact/${artifacts}` });
      case "SageMaker.AddAssociation":
        return json({});
      default:
        return undefined;
    }
  };
}
