import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { PREFIX } from "../../programs/storage-layout.ts";
import { VersionDocuments } from "../models/version-documents.ts";
import { Finding, QualityGate } from "./rules.ts";

/** What the cross-checks of a version found: one document a version, written once. */
export const GateDocument = Type.Object({
  version: Type.Literal(1),
  modelPackageArn: Type.String(),
  outcome: Type.Enum(["passed", "rejected"]),
  /** The gate by which it was judged: that of the spec at the time. */
  gate: QualityGate,
  /** The released version that it was compared with. */
  releasedModelPackageArn: Type.Union([Type.String(), Type.Null()]),
  findings: Type.Array(Finding),
});

export type GateDocument = Static<typeof GateDocument>;

export const gateDocuments = (s3: S3Client, bucket: string) =>
  new VersionDocuments(s3, {
    bucket,
    schema: GateDocument,
    key: (version) => `${PREFIX.gates}${version}.json`,
    modelArn: ({ modelPackageArn }) => modelPackageArn,
  });
