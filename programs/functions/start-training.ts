import { allow, pipelineArn, startPipeline } from "../grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const startTraining: FunctionDefinition = {
  description: "Starts a training when an alarm asks for one, but not soon after another",
  memoryMb: 256,
  timeoutSeconds: 60,
  environment: ({ names }) => ({ AIDLC_TRAINING_PIPELINE: names.named("training") }),
  keyUses: [],
  grants: (around) => [
    startPipeline(around),
    allow({
      Sid: "SeeTrainings",
      Action: ["sagemaker:DescribePipelineExecution", "sagemaker:ListPipelineExecutions"],
      Resource: [pipelineArn(around), `${pipelineArn(around)}/execution/*`],
    }),
  ],
};
