import {
  cluster,
  type DefinitionArgs,
  EXECUTION_ID,
  featureSet,
  fitOutput,
  jobTags,
  location,
  parameter,
  RETRY_POLICIES,
  type Reference,
  type Text,
  vpcConfig,
} from "./pipeline-jobs.ts";
import type { PipelineSpec } from "./spec.ts";
import { PREFIX } from "./storage-layout.ts";

type Tuning = NonNullable<PipelineSpec["training"]["tuning"]>;
type Range = Tuning["ranges"][number];

const ARTIFACTS = PREFIX.artifacts.slice(0, -1);

const channel = (name: string, contentType: string, uri: Reference) => ({
  ChannelName: name,
  ContentType: contentType,
  DataSource: {
    S3DataSource: {
      S3DataType: "S3Prefix",
      S3Uri: uri,
      S3DataDistributionType: "FullyReplicated",
    },
  },
});

/**
 * An image of one's own gets the fitted features as well: it lays them into the artifact, so that they are signed and served with the
 * model. A built-in algorithm refuses channels that it doesn't know.
 */
const channels = ({ training, fitFunctionArn }: DefinitionArgs) => [
  channel("train", "text/csv", featureSet("train")),
  channel("validation", "text/csv", featureSet("validation")),
  ...(training.algorithm === undefined && fitFunctionArn !== undefined
    ? [channel("transform", "application/json", fitOutput("uri"))]
    : []),
];

function algorithm({ training }: DefinitionArgs) {
  const { metric } = training.qualityGate;
  return {
    TrainingImage: parameter("TrainingImage"),
    TrainingInputMode: "File",
    // A built-in algorithm publishes metrics of its own and refuses definitions.
    ...(training.algorithm === undefined && {
      MetricDefinitions: [{ Name: metric, Regex: `${metric}\\s*[=:]\\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)` }],
    }),
  };
}

const hyperparameters = ({ training }: DefinitionArgs) =>
  Object.fromEntries(Object.entries(training.hyperparameters).map(([name, value]) => [name, String(value)]));

/** What one training job and every training job of a search have in common. */
function job(args: DefinitionArgs) {
  const { training, names, keyArns } = args;
  const { spot, instanceType, instanceCount } = training;
  return {
    AlgorithmSpecification: algorithm(args),
    RoleArn: args.roleArns.training,
    InputDataConfig: channels(args),
    OutputDataConfig: {
      S3OutputPath: location(names.bucket("models"), ARTIFACTS, EXECUTION_ID),
      KmsKeyId: keyArns.models,
    },
    ResourceConfig: cluster(instanceType, instanceCount, keyArns.data),
    StoppingCondition: {
      MaxRuntimeInSeconds: spot.maxRunSeconds,
      ...(spot.enabled && { MaxWaitTimeInSeconds: spot.maxWaitSeconds }),
    },
    EnableManagedSpotTraining: spot.enabled,
    // Without checkpoints an interrupted Spot job starts again from nothing.
    ...(spot.enabled && {
      CheckpointConfig: {
        S3Uri: location(names.bucket("models"), PREFIX.checkpoints.slice(0, -1), EXECUTION_ID),
      },
    }),
    EnableNetworkIsolation: true,
    EnableInterContainerTrafficEncryption: args.isProduction || instanceCount > 1,
    VpcConfig: vpcConfig(args),
  };
}

export function trainStep(args: DefinitionArgs) {
  const { names } = args;
  return {
    Name: "Train",
    Type: "Training",
    Arguments: {
      TrainingJobName: names.jobPrefix("train"),
      ...job(args),
      HyperParameters: hyperparameters(args),
      Tags: jobTags(args),
    },
    RetryPolicies: RETRY_POLICIES,
  };
}

const STRATEGIES = { bayesian: "Bayesian", random: "Random" } as const;
const SCALES = { auto: "Auto", linear: "Linear", logarithmic: "Logarithmic" } as const;

function parameterRanges(ranges: readonly Range[]) {
  const numeric = (wanted: "integer" | "continuous") =>
    ranges.flatMap((range) =>
      range.type === wanted
        ? [
            {
              Name: range.name,
              MinValue: String(range.min),
              MaxValue: String(range.max),
              ScalingType: SCALES[range.scale],
            },
          ]
        : [],
    );
  return {
    IntegerParameterRanges: numeric("integer"),
    ContinuousParameterRanges: numeric("continuous"),
    CategoricalParameterRanges: ranges.flatMap((range) =>
      range.type === "categorical" ? [{ Name: range.name, Values: range.values }] : [],
    ),
  };
}

/** Built-in algorithms publish what they reach on the validation channel under that channel's name. */
const objective = ({ algorithm: builtIn, qualityGate: { metric } }: PipelineSpec["training"]) =>
  builtIn === undefined ? metric : `validation:${metric}`;

/**
 * Instead of training once. SageMaker allows a search 32 characters of name, too few for a prefix of ours before the execution
 * and step that it appends: the jobs of a search are the pipeline's by their tags. They share one place for checkpoints, where
 * images keep those of each job apart.
 */
export function tuneStep(args: DefinitionArgs, tuning: Tuning) {
  const { training } = args;
  return {
    Name: "Tune",
    Type: "Tuning",
    Arguments: {
      HyperParameterTuningJobConfig: {
        Strategy: STRATEGIES[tuning.strategy],
        HyperParameterTuningJobObjective: {
          Type: training.qualityGate.direction === "atLeast" ? "Maximize" : "Minimize",
          MetricName: objective(training),
        },
        ResourceLimits: {
          MaxNumberOfTrainingJobs: tuning.maxJobs,
          MaxParallelTrainingJobs: tuning.maxParallelJobs,
        },
        ParameterRanges: parameterRanges(tuning.ranges),
        // A job that can't win any more stops, and stops costing.
        TrainingJobEarlyStoppingType: "Auto",
      },
      TrainingJobDefinition: { ...job(args), StaticHyperParameters: hyperparameters(args) },
      Tags: jobTags(args),
    },
    RetryPolicies: RETRY_POLICIES,
  };
}

/** Of the trained model, or of the best one: a search lists its jobs by what they reached, the best first. */
export const modelArtifact = ({ names, training }: DefinitionArgs): Text =>
  training.tuning === undefined
    ? { Get: "Steps.Train.ModelArtifacts.S3ModelArtifacts" }
    : location(
        names.bucket("models"),
        ARTIFACTS,
        EXECUTION_ID,
        { Get: "Steps.Tune.TrainingJobSummaries[0].TrainingJobName" },
        "output/model.tar.gz",
      );
