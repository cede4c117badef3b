import { allow, bucketArn, pipelineArn, startPipeline, useKeys } from "../grants.ts";
import { TRAINING_MANIFEST } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const startTraining: FunctionDefinition = {
  description: "Starts a training when an alarm asks for one, but not soon after another",
  // To list a million accepted objects takes two minutes.
  memoryMb: 512,
  timeoutSeconds: 300,
  environment: ({ names }) => ({
    AIDLC_TRAINING_PIPELINE: names.named("training"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
  }),
  keyUses: ["data"],
  grants: (around) => [
    startPipeline(around),
    allow({
      Sid: "SeeTrainings",
      Action: "sagemaker:ListPipelineExecutions",
      Resource: pipelineArn(around),
    }),
    allow({
      Sid: "ReadManifest",
      Action: "s3:GetObject",
      Resource: `${bucketArn(around, "validated")}/${TRAINING_MANIFEST}`,
    }),
    // What is accepted is listed. Without it S3 also answers 403 for a manifest that is not there, and a read has no prefix that a
    // condition could ask for.
    allow({ Sid: "ListAccepted", Action: "s3:ListBucket", Resource: bucketArn(around, "validated") }),
    useKeys(around, ["data"], ["kms:Decrypt"]),
  ],
};
