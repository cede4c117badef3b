import { readSecret } from "../data-grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Adds a newer key to those in the secret: what was named with an older one must still be recognised. */
export const rotateSecret: FunctionDefinition = {
  description: "Rotates the pipeline's secret",
  memoryMb: 256,
  timeoutSeconds: 60,
  keyUses: ["secret"],
  grants: (around) =>
    readSecret(around, ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]),
};
