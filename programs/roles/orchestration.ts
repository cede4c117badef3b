import { runSearches } from "../delivery/grants.ts";
import {
  allow,
  attachVolumes,
  pullImages,
  type RoleSurroundings,
  read,
  registerModels,
  runJobs,
  useKeys,
} from "../grants.ts";
import type { Statement } from "../policy-document.ts";
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
    callFunctions(around),
    ...read(around, "models"),
    useKeys(around, ["models"], ["kms:Decrypt"]),
    ...attachVolumes(around),
    ...pullImages(around.images.repositoryArns),
  ],
};

const callFunctions = ({ setting: { arns, names, spec } }: RoleSurroundings): Statement =>
  allow({
    Sid: "CallFunctions",
    Action: "lambda:InvokeFunction",
    Resource: [
      arns.function(names.named("pin-manifest")),
      ...(spec.dataset.features === undefined ? [] : [arns.function(names.named("fit-transform"))]),
    ],
  });
