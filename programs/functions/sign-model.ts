import { describeImages, readRegistry, useSigningKey } from "../delivery/grants.ts";
import { publishAlerts, read, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/**
 * Signs as soon as a version is registered, so that what is approved and what is deployed later is provably what the
 * pipeline made.
 */
export const signModel: FunctionDefinition = {
  description: "Signs a registered model's artifact, image and metadata",
  memoryMb: 1024,
  timeoutSeconds: 900,
  keyUses: ["models", "sign", "alerts"],
  grants: (around) => [
    readRegistry(around),
    describeImages(around),
    ...read(around, "models", PREFIX.artifacts),
    write(around, "models", [PREFIX.signatures]),
    useKeys(around, ["models"]),
    useSigningKey(around, "kms:Sign"),
    ...publishAlerts(around),
  ],
};
