import { AwsError } from "../aws-error.ts";
import { foreignReference } from "../references.ts";
import { missingTrust } from "../role-trust.ts";
import type { Schema } from "../schema.ts";
import { deliveryPreconditions } from "./delivery.ts";
import { governancePreconditions } from "./governance.ts";
import type { Intent, Precondition, Preconditions } from "./intent.ts";
import { networkPreconditions } from "./network.ts";
import { servingPreconditions } from "./serving.ts";
import { bucketRegionError, storagePreconditions } from "./storage.ts";

const areas: readonly Preconditions[] = [
  storagePreconditions,
  networkPreconditions,
  servingPreconditions,
  deliveryPreconditions,
  governancePreconditions,
];

/** Throws AWS's error when the resource can't be created or changed like this yet. Most types need no look at the database. */
export async function assertPossible(schema: Schema, intent: Intent): Promise<void> {
  const foreign = foreignReference(schema, intent.type, intent.inputs, intent);
  if (foreign) {
    throw new AwsError(
      "InvalidParameterValue",
      `${foreign.property} refers to ${foreign.value}, but this resource is in ${intent.region}: both must be in one region`,
    );
  }
  const kind = intent.type.token.split(":")[1] ?? "";
  const checks: Precondition[] = [
    ...areas.flatMap((area) => area[kind] ?? []),
    bucketRegionError,
    (one) => missingTrust(kind, one),
  ];
  for (const check of checks) {
    const error = await check(intent);
    if (error) throw error;
  }
}
