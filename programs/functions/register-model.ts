import {
  describeModel,
  lookUpImages,
  readModelDocuments,
  taggedAsOwn,
  writeModelDocuments,
} from "../delivery/grants.ts";
import { allow, bucketArn, pipelineArn, publishAlerts, type RoleSurroundings, useKeys } from "../grants.ts";
import type { Statement } from "../policy-document.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** The manifest and what it lists, in the versions that the training read. Of the data only what S3 says about it is used. */
function readDataVersions(around: RoleSurroundings): Statement[] {
  const validated = bucketArn(around, "validated");
  return [
    allow({
      Sid: "ReadDataVersions",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: [PREFIX.manifests, PREFIX.acceptedData].map((prefix) => `${validated}/${prefix}*`),
    }),
    allow({
      Sid: "ListDataVersions",
      Action: ["s3:ListBucket", "s3:ListBucketVersions"],
      Resource: validated,
    }),
  ];
}

function followTraining(around: RoleSurroundings): Statement[] {
  const { arns, names } = around.setting;
  return [
    allow({
      Sid: "FollowPipeline",
      Action: ["sagemaker:DescribePipelineExecution", "sagemaker:ListPipelineExecutionSteps"],
      Resource: `${pipelineArn(around)}/execution/*`,
    }),
    allow({
      Sid: "DescribeJobs",
      Action: ["sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob"],
      Resource: [
        arns.sagemaker("processing-job", `${names.jobPrefix("process")}-*`),
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
  ];
}

/** What a version was made from: its data, images, hyperparameters and metrics, in S3 and in SageMaker's lineage. */
export const registerModel: FunctionDefinition = {
  description: "Records where a registered model came from",
  memoryMb: 512,
  timeoutSeconds: 300,
  environment: ({ names }) => ({
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_MODEL_GROUP: names.named("models"),
    AIDLC_TRAINING_PIPELINE: names.named("training"),
  }),
  keyUses: ["data", "models", "alerts"],
  grants: (around) => [
    describeModel(around),
    ...followTraining(around),
    ...readDataVersions(around),
    ...readModelDocuments(around, [PREFIX.evaluations, PREFIX.lineage, PREFIX.transforms]),
    writeModelDocuments(around, PREFIX.lineage),
    useKeys(around, ["data", "models"]),
    // Lineage has one graph for the whole account; AWS names its nodes itself.
    allow({
      Sid: "RecordLineage",
      Action: ["sagemaker:AddAssociation", "sagemaker:AddTags", "sagemaker:CreateArtifact"],
      Resource: around.setting.arns.sagemaker("artifact", "*"),
    }),
    lookUpImages(around),
    ...publishAlerts(around),
  ],
};
