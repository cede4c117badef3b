import {
  attachVolumes,
  jobLogs,
  joinNetwork,
  pullImages,
  putMetrics,
  read,
  useKeys,
  write,
} from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

export const training: RoleDefinition = {
  description: "Reads validated data and features; writes models",
  trust: trustedForSageMaker,
  keyUses: ["data", "models", "volumes"],
  grants: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    ...read(around, "models", PREFIX.checkpoints),
    write(around, "models", [PREFIX.artifacts, PREFIX.checkpoints]),
    useKeys(around, ["data", "models"]),
    ...attachVolumes(around),
    ...pullImages(around),
    ...joinNetwork(around),
    jobLogs(around, "training"),
    putMetrics(["/aws/sagemaker/TrainingJobs"]),
  ],
};
