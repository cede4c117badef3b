import { describeImages, readRegistry, taggedAsOwn, useExperiments } from "../delivery/grants.ts";
import { allow, bucketArn, pipelineArn, publishAlerts, read, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** What a version was made from: its manifest, image, hyperparameters and metrics, in S3, in lineage and in MLflow. */
export const registerModel: FunctionDefinition = {
  description: "Records where a registered model came from",
  memoryMb: 512,
  timeoutSeconds: 300,
  keyUses: ["data", "models", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    return [
      readRegistry(around),
      ...read(around, "models", PREFIX.evaluations),
      write(around, "models", [PREFIX.lineage]),
      allow({
        Sid: "ReadManifests",
        Action: ["s3:GetObject", "s3:GetObjectVersion"],
        Resource: `${bucketArn(around, "validated")}/${PREFIX.manifests}*`,
      }),
      useKeys(around, ["data", "models"]),
      allow({
        Sid: "FollowPipeline",
        Action: ["sagemaker:DescribePipelineExecution", "sagemaker:ListPipelineExecutionSteps"],
        Resource: `${pipelineArn(around)}/execution/*`,
      }),
      allow({
        Sid: "DescribeJobs",
        Action: ["sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob"],
        Resource: [
          arns.sagemaker("processing-job", `${names.jobPrefix("evaluate")}-*`),
          arns.sagemaker("training-job", `${names.jobPrefix("train")}-*`),
        ],
      }),
      allow({
        Sid: "DescribeTuning",
        Action: ["sagemaker:DescribeHyperParameterTuningJob", "sagemaker:DescribeTrainingJob"],
        Resource: [arns.sagemaker("hyper-parameter-tuning-job", "*"), arns.sagemaker("training-job", "*")],
        Condition: taggedAsOwn(around),
      }),
      // Lineage has one graph for the whole account; AWS names its nodes itself.
      allow({
        Sid: "RecordLineage",
        Action: ["sagemaker:AddAssociation", "sagemaker:AddTags", "sagemaker:CreateArtifact"],
        Resource: arns.sagemaker("artifact", "*"),
      }),
      describeImages(around),
      useExperiments(around),
      ...publishAlerts(around),
    ];
  },
};
