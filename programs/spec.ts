import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { LOG_RETENTION_DAYS } from "./log-retention.ts";

export { type SpecProblem, specProblems } from "./spec-rules.ts";

export const COLUMN_TYPES = ["string", "integer", "number", "boolean", "date", "timestamp"] as const;
export const DATA_CLASSIFICATIONS = ["public", "internal", "confidential", "restricted"] as const;
export const ALGORITHMS = ["xgboost"] as const;

const closed = { additionalProperties: false } as const;

/** An omitted section becomes the whole default object: the empty object here is filled from its fields. */
const closedWithDefault = { additionalProperties: false, default: {} } as const;

const fraction = (description: string, value: number) =>
  Type.Number({ description, minimum: 0, maximum: 1, default: value });

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

const Dataset = Type.Object(
  {
    format: Type.Enum(["csv", "jsonl", "parquet"], { description: "File format of the raw data." }),
    schema: Type.Array(Column, {
      description: "Every column of the data set; a file with others is quarantined.",
      minItems: 1,
      maxItems: 1000,
    }),
    quality: Quality,
    retention: Retention,
  },
  { ...closed, description: "The data that the pipeline accepts." },
);

const Spot = Type.Object(
  {
    enabled: Type.Boolean({ description: "Train on Managed Spot capacity.", default: true }),
    maxRunSeconds: Type.Integer({
      description: "Longest training time.",
      minimum: 60,
      maximum: 432_000,
      default: 1800,
    }),
    maxWaitSeconds: Type.Integer({
      description: "Longest time for training and waiting for capacity together.",
      minimum: 60,
      maximum: 864_000,
      default: 3600,
    }),
  },
  { ...closedWithDefault, description: "Managed Spot training. Without Spot only maxRunSeconds applies." },
);

const QualityGate = Type.Object(
  {
    metric: Type.String({
      description: "Name of the metric in the evaluation report, at metrics.<name>.value.",
      pattern: "^[A-Za-z][A-Za-z0-9_]{0,63}$",
    }),
    threshold: Type.Number({ description: "Value that a model must reach to be registered." }),
    direction: Type.Enum(["atLeast", "atMost"], {
      description: "Whether the metric must be at least or at most the threshold.",
      default: "atLeast",
    }),
  },
  { ...closed, description: "What a model must reach before it is registered." },
);

const Training = Type.Object(
  {
    image: Type.Optional(
      Type.String({
        description:
          "ECR image, by tag or digest, for processing, training and evaluation. " +
          "Without it the pipeline's own training repository is used.",
        pattern:
          "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9]+([._/-][a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$",
      }),
    ),
    algorithm: Type.Optional(
      Type.Enum([...ALGORITHMS], {
        description:
          "SageMaker built-in algorithm for the training step, instead of the image's own training program.",
      }),
    ),
    instanceType: Type.String({
      description: "SageMaker instance type for processing and training.",
      pattern: "^ml\\.[a-z0-9-]+\\.[a-z0-9]+$",
      default: "ml.m5.large",
    }),
    instanceCount: Type.Integer({
      description: "Instances of the training cluster.",
      minimum: 1,
      maximum: 20,
      default: 1,
    }),
    spot: Spot,
    hyperparameters: Type.Record(
      Type.String(),
      Type.Union([Type.String({ maxLength: 2500 }), Type.Number(), Type.Boolean()]),
      {
        description: "Handed to the training program as text. Names have 1 to 256 characters.",
        maxProperties: 100,
        default: {},
      },
    ),
    qualityGate: QualityGate,
    schedule: Type.Optional(
      Type.String({
        description: "When to retrain: an EventBridge Scheduler cron(…) or rate(…) expression, in UTC.",
        maxLength: 256,
      }),
    ),
  },
  { ...closed, description: "How models are trained and which of them are registered." },
);

const Alarms = Type.Object(
  {
    failedExecutions: Type.Integer({
      description: "Failed pipeline executions within an hour that raise the critical alarm.",
      minimum: 1,
      maximum: 100,
      default: 1,
    }),
    executionMinutes: Type.Integer({
      description: "Execution time that raises a warning.",
      minimum: 5,
      maximum: 40_320,
      default: 180,
    }),
    quarantinedFraction: Type.Number({
      description: "Share of quarantined rows in a day that raises the critical alarm.",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.05,
    }),
    predictionBandWidth: Type.Number({
      description: "Width of the expected band of predictions, in standard deviations.",
      minimum: 1,
      maximum: 10,
      default: 3,
    }),
  },
  { ...closedWithDefault, description: "Alarm thresholds." },
);

const Monitoring = Type.Object(
  {
    logRetentionDays: Type.Integer({
      description: `How long logs are kept; one of ${LOG_RETENTION_DAYS.join(", ")}.`,
      default: 30,
    }),
    alarms: Alarms,
  },
  { ...closedWithDefault, description: "Logs and alarms." },
);

const Alerts = Type.Object(
  {
    emails: Type.Array(Type.String({ format: "email", maxLength: 254 }), {
      description: "Addresses that get warnings and critical alerts; each must confirm its subscription.",
      maxItems: 10,
      uniqueItems: true,
      default: [],
    }),
    webhooks: Type.Array(Type.String({ maxLength: 2048 }), {
      description: "HTTPS addresses that get warnings and critical alerts.",
      maxItems: 10,
      uniqueItems: true,
      default: [],
    }),
  },
  { ...closedWithDefault, description: "Who is told." },
);

const Network = Type.Object(
  {
    dedicated: Type.Boolean({
      description: "Give the pipeline a network of its own instead of the account's shared one.",
      default: false,
    }),
    cidr: Type.Optional(
      Type.String({
        description:
          "Address range of the dedicated network: private, /16 to /24. 10.80.0.0/20 unless given.",
      }),
    ),
  },
  { ...closedWithDefault, description: "Where jobs run." },
);

/** Desired state of a pipeline: the one source of validation, TypeScript type and OpenAPI. */
export const PipelineSpec = Type.Object(
  {
    apiVersion: Type.Literal("aidlc/v1", { description: "Version of this format." }),
    profile: Type.Enum(["learning"], {
      description: "How much hardening and spending.",
      default: "learning",
    }),
    account: Type.String({
      description: "Alias of the AWS account, as the team registered it.",
      pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
      maxLength: 32,
    }),
    owner: Type.String({
      description: "E-mail address of who answers for the pipeline.",
      pattern: "^[A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
      maxLength: 254,
    }),
    dataClassification: Type.Enum([...DATA_CLASSIFICATIONS], {
      description: "Sensitivity of the data; confidential and restricted force stricter settings.",
    }),
    dataset: Dataset,
    training: Training,
    monitoring: Monitoring,
    alerts: Alerts,
    network: Network,
    budget: Type.Object(
      {
        monthlyUsd: Type.Number({
          description: "Monthly limit in US dollars; alerts at 50, 80 and 100 % and on the forecast.",
          exclusiveMinimum: 0,
          maximum: 1_000_000,
          default: 25,
        }),
      },
      { ...closedWithDefault, description: "What the pipeline may cost." },
    ),
    tags: Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
      description: "Further tags for every resource. Keys have 1 to 128 characters.",
      default: {},
    }),
  },
  { ...closed, title: "PipelineSpec", description: "Desired state of an AIDLC pipeline." },
);

export type PipelineSpec = Static<typeof PipelineSpec>;
export type DatasetColumn = PipelineSpec["dataset"]["schema"][number];
export type DataClassification = PipelineSpec["dataClassification"];

/**
 * Fills every default and checks the result against the schema. Leaves `value` untouched; throws a TypeBox
 * `AssertError` when it is not a spec. Rules across fields are `specProblems`.
 */
export function parseSpec(value: unknown): PipelineSpec {
  const filled = Value.Default(PipelineSpec, structuredClone(value));
  Value.Assert(PipelineSpec, filled);
  return filled;
}
