import { readBelow } from "../data-grants.ts";
import { allow, attachVolumes, jobLogs, joinNetwork, putMetrics, useKeys, write } from "../grants.ts";
import { modelMonitorRepository } from "../model-monitor-image.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

export const modelMonitor: RoleDefinition = {
  description: "Runs SageMaker Model Monitor's jobs on captured requests",
  trust: trustedForSageMaker,
  keyUses: ["data", "volumes"],
  grants: (around) => [
    ...readBelow(around, "predictions", [PREFIX.captures]),
    ...readBelow(around, "validated", [PREFIX.baselines]),
    write(around, "predictions", [PREFIX.monitoring]),
    useKeys(around, ["data"]),
    ...attachVolumes(around),
    allow({
      Sid: "PullImages",
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Resource: modelMonitorRepository(around.setting.arns, around.setting.account.region),
    }),
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
    ...joinNetwork(around),
    jobLogs(around, "processing"),
    putMetrics(["aws/sagemaker/Endpoints/data-metrics"]),
  ],
};
