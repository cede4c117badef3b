import { fitTransform, type Row } from "../../../handlers/features/fit.ts";
import type { TransformParameters } from "../../../handlers/features/parameters.ts";
import { transformKey } from "../../../handlers/features/transform-store.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { aSpec } from "../../programs/support/inputs.ts";
import { acceptedRecords, someFeatures } from "./accepted-records.ts";
import type { PipelineInAws } from "./pipeline-in-aws.ts";

const SCHEMA: PipelineSpec["dataset"]["schema"] = [
  { name: "yield", type: "number", nullable: false },
  { name: "site", type: "string", nullable: false },
  { name: "rain", type: "number", nullable: true },
  { name: "irrigated", type: "boolean", nullable: false },
];

const FEATURES = someFeatures({
  target: "yield",
  scale: [{ columns: ["rain"], method: "min-max" }],
  encode: [{ columns: ["site"], method: "ordinal", handleUnknown: "error" }],
});

/** A pipeline that AWS's XGBoost trains and serves, on a site's number, rain from 0 to 1 and a truth value. */
export const builtInSpec = (change: NonNullable<Parameters<typeof aSpec>[0]> = {}): PipelineSpec =>
  aSpec({
    ...change,
    dataset: { schema: SCHEMA, features: FEATURES },
    training: { algorithm: "xgboost" },
  });

/** Fits the features to rows with these sites, in any order, and rain of 0 and `mostRain`. */
export async function fittedFor(sites: readonly string[], mostRain: number): Promise<TransformParameters> {
  const records: Row[] = sites.map((site, index) => ({
    yield: index,
    site,
    rain: index === 0 ? 0 : mostRain,
    irrigated: true,
  }));
  const accepted = await acceptedRecords(SCHEMA, records);
  try {
    return await fitTransform({ features: FEATURES, columns: SCHEMA }, accepted.statistics);
  } finally {
    accepted.close();
  }
}

/** Lays a transform where the step `Fit` does. */
export const putTransform = (pipeline: PipelineInAws, transform: TransformParameters) =>
  pipeline.put("models", transformKey(transform.digest), JSON.stringify(transform));
