import Type from "typebox";
import { closed, closedWithDefault, fraction } from "./shapes.ts";

export const COLUMN_TYPES = ["string", "integer", "number", "boolean", "date", "timestamp"] as const;

const Column = Type.Object(
  {
    name: Type.String({
      description: "Column name as it stands in the file's header; compared without regard to case.",
      minLength: 1,
      maxLength: 255,
    }),
    type: Type.Enum([...COLUMN_TYPES], { description: "Type that every non-null value must have." }),
    nullable: Type.Boolean({ description: "Whether a value may be missing.", default: false }),
    maxNullFraction: Type.Optional(
      Type.Number({
        description: "Largest accepted share of nulls; overrides dataset.quality.maxNullFraction.",
        minimum: 0,
        maximum: 1,
      }),
    ),
    min: Type.Optional(
      Type.Union([Type.Number(), Type.String()], {
        description: "Smallest accepted value: a number, or an ISO 8601 date or timestamp.",
      }),
    ),
    max: Type.Optional(
      Type.Union([Type.Number(), Type.String()], {
        description: "Largest accepted value: a number, or an ISO 8601 date or timestamp.",
      }),
    ),
    enum: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: "The only accepted values.",
        minItems: 1,
        maxItems: 500,
      }),
    ),
  },
  closed,
);

const Quality = Type.Object(
  {
    maxNullFraction: fraction(
      "Largest accepted share of nulls in a column that has no limit of its own.",
      0.01,
    ),
    maxDuplicateFraction: fraction("Largest accepted share of duplicate rows.", 0),
    driftThreshold: Type.Number({
      description: "Drift score above which new data raises a warning.",
      exclusiveMinimum: 0,
      maximum: 10,
      default: 0.1,
    }),
    driftMethod: Type.Enum(["psi", "ks"], {
      description: "Drift score: population stability index or Kolmogorov-Smirnov statistic.",
      default: "psi",
    }),
  },
  { ...closedWithDefault, description: "Limits that data validation applies." },
);

const Retention = Type.Object(
  {
    archiveAfterDays: Type.Integer({
      description: "Age at which objects move to S3 Glacier Flexible Retrieval.",
      minimum: 1,
      maximum: 3650,
      default: 90,
    }),
    expireAfterDays: Type.Integer({
      description: "Age at which objects are deleted.",
      minimum: 2,
      maximum: 36500,
      default: 365,
    }),
  },
  { ...closedWithDefault, description: "How long data is kept." },
);

export const Dataset = Type.Object(
  {
    format: Type.Enum(["csv", "jsonl", "parquet"], { description: "File format of the raw data." }),
    schema: Type.Array(Column, {
      description: "Every column of the data set; a file with others is quarantined.",
      minItems: 1,
      maxItems: 1000,
    }),
    quality: Quality,
    retention: Retention,
    catalog: Type.Object(
      {
        schedule: Type.String({
          description:
            "When accepted data is compacted to Parquet and the catalog renewed: an AWS Glue cron(…) expression, in UTC.",
          maxLength: 256,
          default: "cron(0 2 ? * SUN *)",
        }),
      },
      { ...closedWithDefault, description: "The data catalog." },
    ),
    featureStore: Type.Optional(
      Type.Object(
        {
          recordIdentifier: Type.String({ description: "Column that identifies a record." }),
          eventTime: Type.String({
            description:
              "Column with the moment of a record: a timestamp, or seconds since 1970 as a number.",
          }),
          online: Type.Boolean({
            description: "Keep the newest record of each identifier for serving.",
            default: false,
          }),
        },
        { ...closed, description: "Keep features in a SageMaker Feature Store group as well." },
      ),
    ),
    replicaRegion: Type.Optional(
      Type.String({
        description:
          "Region that holds replicas of what can't be made again, under a key of its own; it brings backups too. " +
          "The profile production needs one. Once given it stays: replicas go only with the pipeline.",
        pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$",
      }),
    ),
  },
  { ...closed, description: "The data that the pipeline accepts." },
);
