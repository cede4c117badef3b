import { runSearches } from "../delivery/grants.ts";
import { attachVolumes, pullImages, read, registerModels, runJobs, useKeys } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

export const orchestration: RoleDefinition = {
  description: "Runs the jobs of the pipeline and registers models that pass the quality gate",
  trust: trustedForSageMaker,
  keyUses: ["models", "volumes"],
  grants: (around) => [
    ...runJobs(around),
    ...(around.setting.spec.training.tuning === undefined ? [] : runSearches(around)),
    ...registerModels(around),
    ...read(around, "models"),
    useKeys(around, ["models"], ["kms:Decrypt"]),
    ...attachVolumes(around),
    ...pullImages(around),
  ],
};
