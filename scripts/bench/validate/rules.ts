import type { DatasetRules } from "../../../handlers/dataset/rules.ts";

/** What both contenders check of the flights; the other's is in contender.py. */
export const flightRules = (format: "csv" | "parquet"): DatasetRules => ({
  format,
  classification: "public",
  columns: [
    { name: "date", type: "timestamp", nullable: false },
    { name: "delay", type: "integer", nullable: false, min: -2000, max: 2000 },
    { name: "distance", type: "number", nullable: false, min: 0, max: 6000 },
    { name: "origin", type: "string", nullable: false, pattern: "[A-Z]{3}" },
    { name: "destination", type: "string", nullable: false, pattern: "[A-Z]{3}" },
  ],
  quality: { maxNullFraction: 0.01, maxDuplicateFraction: 0.001, driftThreshold: 0.1, driftMethod: "psi" },
});
