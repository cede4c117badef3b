import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { PREFIX } from "../../programs/storage-layout.ts";
import { VersionDocuments } from "./version-documents.ts";

/** Either the fact or null: a document tells what could not be found, in `gaps`. */
const known = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const ObjectVersion = Type.Object({ bucket: Type.String(), key: Type.String(), versionId: Type.String() });

const Job = Type.Object({
  arn: Type.String(),
  image: Type.String(),
  startedAt: known(Type.String()),
});

/** An object that the manifest lists, in the version that was there when the first job began. */
const DataObject = Type.Object({
  ...ObjectVersion.properties,
  size: Type.Integer({ minimum: 0 }),
  /** As validation noted it on the object. */
  metadata: Type.Record(Type.String(), Type.String()),
});

const Gap = Type.Object({ code: Type.String(), detail: Type.String() });

/** Where a registered model version came from: one document a version, written once. */
export const LineageDocument = Type.Object({
  version: Type.Literal(1),
  model: Type.Object({
    arn: Type.String(),
    createdAt: Type.String(),
    artifactUri: Type.String(),
  }),
  /** What started the training: `manual`, `schedule`, `code`, an alarm. */
  trigger: known(Type.String()),
  execution: known(
    Type.Object({
      arn: Type.String(),
      steps: Type.Array(
        Type.Object({
          name: Type.String(),
          status: Type.String(),
          startedAt: known(Type.String()),
          endedAt: known(Type.String()),
          /** The job that the step ran, where it ran one. */
          jobArn: known(Type.String()),
        }),
      ),
    }),
  ),
  data: known(
    Type.Object({
      manifest: Type.Object({ ...ObjectVersion.properties, sha256: Type.String() }),
      objects: Type.Array(DataObject),
    }),
  ),
  code: Type.Object({
    /** Version in S3 of the bundle that the images were built from, by their tag; null for first images and built-in algorithms. */
    sourceVersion: known(Type.String()),
    images: Type.Array(Type.Object({ image: Type.String(), digest: known(Type.String()) })),
  }),
  jobs: Type.Object({ process: known(Job), train: known(Job), evaluate: known(Job) }),
  /** Only with a search: of which the training job was the best. */
  searchArn: known(Type.String()),
  hyperparameters: Type.Record(Type.String(), Type.String()),
  evaluation: known(
    Type.Object({
      ...ObjectVersion.properties,
      sha256: Type.String(),
      metrics: Type.Record(Type.String(), Type.Number()),
      /** Largest gap of quality by column, where the evaluation looked for bias. */
      bias: Type.Record(Type.String(), Type.Number()),
    }),
  ),
  /** SHA-256 of the parameters of the features' transform; null where the data set declares none. */
  transform: known(Type.String()),
  /** Whether SageMaker's own lineage graph has it as well. */
  graph: Type.Enum(["recorded", "incomplete"]),
  /** What could not be found. Empty in a whole lineage. */
  gaps: Type.Array(Gap),
});

export type LineageDocument = Static<typeof LineageDocument>;
export type LineageGap = Static<typeof Gap>;

export const lineageDocuments = (s3: S3Client, bucket: string) =>
  new VersionDocuments(s3, {
    bucket,
    schema: LineageDocument,
    key: (version) => `${PREFIX.lineage}${version}.json`,
    modelArn: ({ model }) => model.arn,
  });
