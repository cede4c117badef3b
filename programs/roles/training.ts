import { read, runAsJob, write } from "../grants.ts";
import type { PipelineSpec } from "../spec.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

/** A built-in algorithm is given none: it refuses channels that it doesn't know. */
const givesTransform = ({ dataset, training }: PipelineSpec) =>
  dataset.features !== undefined && training.algorithm === undefined;

export const training: RoleDefinition = {
  description: "Reads validated data and features; writes models",
  trust: trustedForSageMaker,
  keyUses: ["data", "models", "volumes"],
  grants: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    ...(givesTransform(around.setting.spec)
      ? read(around, "models", PREFIX.checkpoints, PREFIX.transforms)
      : read(around, "models", PREFIX.checkpoints)),
    write(around, "models", [PREFIX.artifacts, PREFIX.checkpoints]),
    ...runAsJob(around, "training"),
  ],
};
