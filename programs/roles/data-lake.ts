import { readBelow } from "../data-grants.ts";
import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

/** What Lake Formation hands out access to. */
export const LAKE_LOCATIONS = {
  validated: PREFIX.acceptedData,
  features: PREFIX.compacted,
  predictions: PREFIX.captures,
} as const;

export type LakeBucket = keyof typeof LAKE_LOCATIONS;

const LAKE_BUCKETS = Object.keys(LAKE_LOCATIONS) as LakeBucket[];

/** Whose access Lake Formation lends to whom its grants name. It reads and adds, and can't delete. */
export const dataLake: RoleDefinition = {
  description: "Access that Lake Formation lends by its grants",
  trust: trustedFor("lakeformation.amazonaws.com", ({ arns }) => arns.regional("lakeformation", "*")),
  keyUses: ["data"],
  grants: (around) => [
    ...LAKE_BUCKETS.flatMap((kind) => readBelow(around, kind, [LAKE_LOCATIONS[kind]])),
    allow({
      Sid: "AddObjects",
      Action: "s3:PutObject",
      Resource: LAKE_BUCKETS.map((kind) => `${bucketArn(around, kind)}/${LAKE_LOCATIONS[kind]}*`),
    }),
    useKeys(around, ["data"]),
  ],
};
