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
    ...read(around, "models", PREFIX.artifacts),
    write(around, "features"),
    write(around, "models", [PREFIX.evaluations]),
    ...runAsJob(around, "processing"),
  ],
};
