import { readSecret } from "../data-grants.ts";
import { allow, bucketArn, useKeys } from "../grants.ts";
import type { DataBucket } from "../names.ts";
import { PREFIX, TRAINING_MANIFEST } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** Where rows of a subject can be; models hold no rows. */
const SUBJECT_BUCKETS = [
  "raw",
  "quarantine",
  "validated",
  "features",
  "predictions",
] as const satisfies readonly DataBucket[];

/** Of validated: rows, and documents in which values of rows stand. Neither proofs nor manifests. */
const ERASABLE = [PREFIX.acceptedData, PREFIX.verdicts, `${PREFIX.erasures}progress/`];

/** The only component that may delete data, and every version of it. Nothing triggers it: erasure is asked for by name. */
export const erase: FunctionDefinition = {
  description: "Erases a subject's rows from every version of every object and proves it",
  memoryMb: 3008,
  timeoutSeconds: 900,
  // A Parquet file and its successor.
  storageMb: 10_240,
  readsData: true,
  environment: ({ names, spec }) => ({
    ...Object.fromEntries(
      SUBJECT_BUCKETS.map((kind) => [`AIDLC_${kind.toUpperCase()}_BUCKET`, names.bucket(kind)]),
    ),
    AIDLC_PSEUDONYMS: names.secret,
    ...(spec.dataset.featureStore !== undefined && { AIDLC_FEATURE_GROUP: names.named("features") }),
  }),
  keyUses: ["data", "secret"],
  grants: (around) => {
    const { account, arns, names, spec } = around.setting;
    const buckets = SUBJECT_BUCKETS.map((kind) => bucketArn(around, kind));
    return [
      allow({
        Sid: "FindSubject",
        // Who may not list a bucket is told "forbidden" of a document that is not there.
        Action: ["s3:ListBucket", "s3:ListBucketVersions"],
        Resource: buckets,
      }),
      allow({
        Sid: "EraseSubject",
        Action: [
          "s3:AbortMultipartUpload",
          "s3:DeleteObject",
          "s3:DeleteObjectVersion",
          // To write only over what was read.
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionTagging",
          "s3:PutObject",
          "s3:PutObjectTagging",
          "s3:RestoreObject",
        ],
        Resource: SUBJECT_BUCKETS.flatMap((kind) =>
          (kind === "validated" ? ERASABLE : [""]).map((prefix) => `${bucketArn(around, kind)}/${prefix}*`),
        ),
      }),
      // Training fails at an object that is listed and not there.
      allow({
        Sid: "DelistObjects",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `${bucketArn(around, "validated")}/${TRAINING_MANIFEST}`,
      }),
      // Proofs are written and never deleted.
      allow({
        Sid: "WriteProofs",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `${bucketArn(around, "validated")}/${PREFIX.erasures}*`,
      }),
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
            allow({
              Sid: "OpenOnlineStore",
              Action: ["kms:Decrypt", "kms:GenerateDataKey"],
              Resource: around.keys.data,
              Condition: {
                StringEquals: { "kms:ViaService": `sagemaker.${account.region}.amazonaws.com` },
              },
            }),
          ]),
    ];
  },
};
