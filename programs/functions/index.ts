import { authorizer } from "./authorizer.ts";
import { baseline } from "./baseline.ts";
import { erase } from "./erase.ts";
import { evaluateGate } from "./evaluate-gate.ts";
import { evidence } from "./evidence.ts";
import { features } from "./features.ts";
import { fitTransform } from "./fit-transform.ts";
import type { FunctionDefinition } from "./function-definition.ts";
import { gate } from "./gate.ts";
import { monitor } from "./monitor.ts";
import { pinManifest } from "./pin-manifest.ts";
import { publishCost } from "./publish-cost.ts";
import { registerModel } from "./register-model.ts";
import { release } from "./release.ts";
import { respond } from "./respond.ts";
import { rotateSecret } from "./rotate-secret.ts";
import { signModel } from "./sign-model.ts";
import { startTraining } from "./start-training.ts";
import { stopIdle } from "./stop-idle.ts";
import { validate } from "./validate.ts";
import { verifyModel } from "./verify-model.ts";

/** Every function that a pipeline can have, by its name: that of its folder in handlers/, its role and its log group. */
export const FUNCTIONS = {
  authorizer,
  baseline,
  erase,
  "evaluate-gate": evaluateGate,
  evidence,
  features,
  "fit-transform": fitTransform,
  gate,
  monitor,
  "pin-manifest": pinManifest,
  "publish-cost": publishCost,
  "register-model": registerModel,
  release,
  respond,
  "rotate-secret": rotateSecret,
  "sign-model": signModel,
  "start-training": startTraining,
  "stop-idle": stopIdle,
  validate,
  "verify-model": verifyModel,
} satisfies Record<string, FunctionDefinition>;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];
