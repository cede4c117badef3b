import { useExperiments } from "../delivery/grants.ts";
import { allow, pipelineArn, read, readSettings, startPipeline, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMakerTools } from "./trust.ts";

/** What a data scientist explores: accepted data and features. Models come from the pipeline, never from a notebook. */
export const notebook: RoleDefinition = {
  description: "Explores accepted data and features; starts the pipeline; logs experiments",
  trust: trustedForSageMakerTools,
  keyUses: ["data", "models"],
  grants: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    allow({
      Sid: "ReadEvaluations",
      Action: "s3:GetObject",
      Resource: [PREFIX.evaluations, PREFIX.experiments].map(
        (prefix) => `${around.setting.arns.bucket(around.setting.names.bucket("models"))}/${prefix}*`,
      ),
    }),
    write(around, "models", [PREFIX.experiments]),
    useKeys(around, ["data", "models"]),
    startPipeline(around),
    allow({
      Sid: "FollowPipeline",
      Action: [
        "sagemaker:DescribePipeline",
        "sagemaker:DescribePipelineExecution",
        "sagemaker:ListPipelineExecutionSteps",
      ],
      Resource: [pipelineArn(around), `${pipelineArn(around)}/execution/*`],
    }),
    useExperiments(around),
    readSettings(around),
  ],
};
