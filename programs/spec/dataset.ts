import Type from "typebox";
import { Features } from "./features.ts";
import { closed, closedWithDefault, ecrImage, fraction } from "./shapes.ts";

export const COLUMN_TYPES = ["string", "integer", "number", "boolean", "date", "timestamp"] as const;

const Column = Type.Object(
  {
    name: Type.String({
      description: "Column name exactly as it stands in the file; no two of a data set differ only in case.",
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
    pattern: Type.Optional(
      Type.String({
        description: "Regular expression (RE2) that the whole of every text must match.",
        minLength: 1,
        maxLength: 500,
      }),
    ),
  },
  closed,
);

const Anomalies = Type.Object(
  {
    column: Type.String({ description: "An integer or number column." }),
    maxRobustZ: Type.Optional(
      Type.Number({
        description:
          "Values further from the file's median than so many times its scaled median absolute deviation are anomalies.",
        minimum: 1,
        maximum: 1000,
      }),
    ),
    lower: Type.Optional(Type.Number({ description: "Values below are anomalies." })),
    upper: Type.Optional(Type.Number({ description: "Values above are anomalies." })),
    maxFraction: fraction("Largest accepted share of anomalies among the column's values.", 0),
  },
  closed,
);

const Quality = Type.Object(
  {
    maxNullFraction: fraction(
      "Largest accepted share of nulls in a column that has no limit of its own.",
      0.01,
    ),
    maxOverallNullFraction: Type.Optional(
      Type.Number({
        description:
          "Largest accepted share of nulls among all values; without it the columns' limits decide.",
        minimum: 0,
        maximum: 1,
      }),
    ),
    maxDuplicateFraction: fraction("Largest accepted share of duplicate rows, also by each key.", 0),
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
    anomalies: Type.Optional(
      Type.Array(Anomalies, { description: "Numbers that are accepted nowhere.", minItems: 1, maxItems: 50 }),
    ),
    freshness: Type.Optional(
      Type.Object(
        {
          column: Type.String({ description: "A date or timestamp column." }),
          maxAgeHours: Type.Number({
            description: "Largest accepted age of the newest value when the file is checked.",
            exclusiveMinimum: 0,
            maximum: 87_600,
          }),
        },
        { ...closed, description: "How old a file's newest row may be." },
      ),
    ),
    volume: Type.Optional(
      Type.Object(
        {
          minRows: Type.Optional(Type.Integer({ description: "Fewest accepted rows.", minimum: 1 })),
          maxRows: Type.Optional(Type.Integer({ description: "Most accepted rows.", minimum: 1 })),
        },
        { ...closed, description: "How many rows a file has." },
      ),
    ),
  },
  { ...closedWithDefault, description: "Limits that data validation applies." },
);

const Retention = Type.Object(
  {
    archiveAfterDays: Type.Integer({
      description:
        "Age at which objects move to S3 Glacier: Instant Retrieval what trainings, monitors and queries read, Flexible Retrieval the rest.",
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
    keys: Type.Optional(
      Type.Array(
        Type.Array(Type.String({ description: "Column." }), { minItems: 1, maxItems: 16, uniqueItems: true }),
        {
          description: "Columns whose values together identify a row; duplicates are looked for by each.",
          minItems: 1,
          maxItems: 8,
        },
      ),
    ),
    quality: Quality,
    validationImage: Type.Optional(
      ecrImage(
        "ECR image in which processing jobs validate files that are too large for a function; it holds Node and DuckDB, " +
          "and is the stage validation-job of the service's Dockerfile. Without it such files stay in the raw bucket.",
      ),
    ),
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
    features: Type.Optional(Features),
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
