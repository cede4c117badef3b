import { consume, readBelow, recordLineage } from "../data-grants.ts";
import { useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const baseline: FunctionDefinition = {
  description: "Computes the drift baseline of accepted data and keeps its versions",
  memoryMb: 3008,
  timeoutSeconds: 900,
  storageMb: 4096,
  environment: ({ names }) => ({ AIDLC_VALIDATED_BUCKET: names.bucket("validated") }),
  keyUses: ["data"],
  grants: (around) => [
    consume(around, "baseline"),
    ...readBelow(around, "validated", [PREFIX.acceptedData, PREFIX.baselines]),
    write(around, "validated", [PREFIX.baselines]),
    useKeys(around, ["data"]),
    ...recordLineage(around),
  ],
};
