import { readSecret } from "../data-grants.ts";
import { allow, bucketArn, useKeys, write } from "../grants.ts";
import type { DataBucket } from "../names.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Where rows of a subject can be; models hold no rows. */
const SUBJECT_BUCKETS = [
  "raw",
  "quarantine",
  "validated",
  "features",
  "predictions",
] as const satisfies readonly DataBucket[];

/** The only component that may delete data, and every version of it. Nothing triggers it: erasure is asked for by name. */
export const erase: FunctionDefinition = {
  description: "Erases a subject's rows from every version of every object and proves it",
  memoryMb: 3008,
  timeoutSeconds: 900,
  storageMb: 4096,
  environment: ({ names }) => ({
    ...Object.fromEntries(
      SUBJECT_BUCKETS.map((kind) => [`AIDLC_${kind.toUpperCase()}_BUCKET`, names.bucket(kind)]),
    ),
    AIDLC_PSEUDONYMS: names.secret,
  }),
  keyUses: ["data", "secret"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    const buckets = SUBJECT_BUCKETS.map((kind) => bucketArn(around, kind));
    return [
      allow({
        Sid: "FindSubject",
        Action: ["s3:ListBucket", "s3:ListBucketVersions"],
        Resource: buckets,
      }),
      allow({
        Sid: "EraseSubject",
        Action: [
          "s3:DeleteObject",
          "s3:DeleteObjectVersion",
          "s3:GetObject",
          "s3:GetObjectTagging",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionTagging",
          "s3:PutObject",
          "s3:PutObjectTagging",
          "s3:RestoreObject",
        ],
        Resource: SUBJECT_BUCKETS.map((kind) =>
          kind === "validated"
            ? `${bucketArn(around, kind)}/${PREFIX.acceptedData}*`
            : `${bucketArn(around, kind)}/*`,
        ),
      }),
      // Proofs are written and never deleted.
      { ...write(around, "validated", [PREFIX.erasures]), Sid: "WriteProofs" },
      useKeys(around, ["data"]),
      // Proofs name a subject by a keyed hash; the first erasure makes the key.
      ...readSecret(around, ["secretsmanager:PutSecretValue"]),
      ...(spec.dataset.featureStore === undefined
        ? []
        : [
            allow({
              Sid: "EraseRecords",
              Action: ["sagemaker:DeleteRecord", "sagemaker:DescribeFeatureGroup"],
              Resource: arns.sagemaker("feature-group", names.named("features")),
            }),
          ]),
    ];
  },
};
