import { read, runAsJob, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

export const processing: RoleDefinition = {
  description: "Reads validated data and models; writes features and evaluation reports",
  trust: trustedForSageMaker,
  keyUses: ["data", "models", "volumes"],
  grants: (around) => [
    ...read(around, "validated"),
    ...read(around, "features"),
    ...(around.setting.spec.dataset.features === undefined
      ? read(around, "models", PREFIX.artifacts)
      : read(around, "models", PREFIX.artifacts, PREFIX.transforms)),
    write(around, "features"),
    write(around, "models", [PREFIX.evaluations]),
    ...runAsJob(around, "processing"),
  ],
};
