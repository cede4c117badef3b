import Type from "typebox";
import { closed, closedWithDefault, ecrImage } from "./shapes.ts";

const ALGORITHMS = ["xgboost"] as const;

const RETRAINING_CAUSES = ["drift", "degradation"] as const;

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

const Tuning = Type.Object(
  {
    strategy: Type.Enum(["bayesian", "random"], {
      description: "How values are chosen.",
      default: "bayesian",
    }),
    maxJobs: Type.Integer({ description: "Training jobs in all.", minimum: 2, maximum: 500, default: 10 }),
    maxParallelJobs: Type.Integer({
      description: "Training jobs at the same time.",
      minimum: 1,
      maximum: 100,
      default: 2,
    }),
    ranges: Type.Array(
      Type.Union([
        Type.Object(
          {
            name: Type.String({ description: "Name of the hyperparameter.", minLength: 1, maxLength: 256 }),
            type: Type.Enum(["integer", "continuous"], { description: "Whole numbers or any." }),
            min: Type.Number({ description: "Smallest value tried." }),
            max: Type.Number({ description: "Largest value tried." }),
            scale: Type.Enum(["auto", "linear", "logarithmic"], {
              description: "How the range is searched.",
              default: "auto",
            }),
          },
          closed,
        ),
        Type.Object(
          {
            name: Type.String({ description: "Name of the hyperparameter.", minLength: 1, maxLength: 256 }),
            type: Type.Literal("categorical", { description: "One of some values." }),
            values: Type.Array(Type.String({ maxLength: 256 }), {
              description: "The values tried.",
              minItems: 1,
              maxItems: 30,
            }),
          },
          closed,
        ),
      ]),
      { description: "Hyperparameters that are tuned, each in its range.", minItems: 1, maxItems: 30 },
    ),
  },
  {
    ...closed,
    description: "Search for hyperparameters by the quality gate's metric, instead of training once.",
  },
);

export const Training = Type.Object(
  {
    image: Type.Optional(
      ecrImage(
        "ECR image, by tag or digest, for processing, training and evaluation. " +
          "Without it the pipeline's own training repository is used.",
      ),
    ),
    algorithm: Type.Optional(
      Type.Enum([...ALGORITHMS], {
        description:
          "SageMaker built-in algorithm that trains and serves, instead of own images. It needs `dataset.features`, " +
          "which make its numbers, and `serving.mode` serverless.",
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
    tuning: Type.Optional(Tuning),
    qualityGate: QualityGate,
    retrainOn: Type.Array(Type.Enum([...RETRAINING_CAUSES]), {
      description:
        "What starts a training besides the schedule: drift of the data, degradation of the model in use.",
      uniqueItems: true,
      default: [],
    }),
    retrainCooldownHours: Type.Integer({
      description: "Shortest time from one training to the next that an alarm starts.",
      minimum: 1,
      maximum: 720,
      default: 24,
    }),
    schedule: Type.Optional(
      Type.String({
        description: "When to retrain: an EventBridge Scheduler cron(…) or rate(…) expression, in UTC.",
        maxLength: 256,
      }),
    ),
  },
  { ...closed, description: "How models are trained and which of them are registered." },
);
