import { read, runAsJob, write } from "../grants.ts";
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
    ...runAsJob(around, "training"),
  ],
};
