import type { Logger } from "@aws-lambda-powertools/logger";
import type { S3Client } from "@aws-sdk/client-s3";
import type { TransformParameters } from "../features/parameters.ts";
import type { ModelInput } from "../models/feature-input.ts";
import type { Instance } from "./input-schema.ts";
import { GateProblem } from "./problems.ts";

/** Two versions share the traffic at most; a few more come while an environment lives. */
const KEPT = 4;

/** Makes what a version is sent that takes finished features, by the transform of this digest. Throws `GateProblem`. */
export type FeatureSource = (digest: string, instances: readonly Instance[]) => Promise<ModelInput>;

/** Reads each transform once, and proves that it is the one that its digest names. */
export function featureSource(s3: S3Client, bucket: string, logger: Logger): FeatureSource {
  const held = new Map<string, TransformParameters>();
  const read = async (digest: string): Promise<TransformParameters> => {
    const known = held.get(digest);
    if (known !== undefined) return known;
    const { readTransform } = await import("../features/transform-store.ts");
    const found = await readTransform(s3, bucket, digest);
    if (found === undefined) throw new Error(`There is no transform ${digest} in ${bucket}`);
    held.set(digest, found);
    const [oldest] = held.keys();
    if (held.size > KEPT && oldest !== undefined) held.delete(oldest);
    return found;
  };
  return async (digest, instances) => {
    // Most gates never need it, and a cold start need not wait for it.
    const { featureInput, UnfitRows } = await import("../models/feature-input.ts");
    try {
      return featureInput(instances, await read(digest));
    } catch (cause) {
      if (cause instanceof UnfitRows) {
        throw new GateProblem("invalid_request", cause.message, { cause, errors: cause.places });
      }
      logger.error("The features of a request can't be made", { transform: digest, error: cause as Error });
      throw new GateProblem("model_unavailable", "The features of the model can't be made now", {
        cause,
        retryAfterSeconds: 5,
      });
    }
  };
}
