import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { FunctionName } from "./functions/index.ts";

const REFUSAL = fileURLToPath(new URL("../handlers/refusal", import.meta.url));

/**
 * The code of a function. A function whose handler this release does not have refuses every event: queues keep what it
 * was given, its alarm rings, and nothing counts as done.
 */
export function handlerBundle(_name: FunctionName): pulumi.asset.Archive {
  return new pulumi.asset.FileArchive(REFUSAL);
}
