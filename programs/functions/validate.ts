import { consume, readBelow, recordLineage } from "../data-grants.ts";
import { publishAlerts, read, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const validate: FunctionDefinition = {
  description: "Checks raw data; writes it to validated or quarantine",
  memoryMb: 3008,
  timeoutSeconds: 900,
  storageMb: 4096,
  environment: ({ names }) => ({
    AIDLC_RAW_BUCKET: names.bucket("raw"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_QUARANTINE_BUCKET: names.bucket("quarantine"),
  }),
  keyUses: ["data", "alerts"],
  grants: (around) => [
    consume(around, "ingest"),
    ...read(around, "raw"),
    ...readBelow(around, "validated", [PREFIX.baselines, PREFIX.manifests]),
    write(around, "validated", [PREFIX.acceptedData, PREFIX.manifests]),
    write(around, "quarantine"),
    useKeys(around, ["data"]),
    ...recordLineage(around),
    ...publishAlerts(around),
  ],
};
