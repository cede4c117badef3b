import Type, { type Static, type TSchema } from "typebox";
import { Value } from "typebox/value";
import { referenceProblems } from "./pipeline-references.ts";

/*
 * The structure of a definition as AWS documents it
 * (https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/), for the kinds of steps that
 * the programs use. Arguments of jobs are those of CreateProcessingJob, CreateTrainingJob, CreateHyperParameterTuningJob and
 * CreateModelPackage; what the programs never use is left out, so that a misspelt argument is no argument.
 */
const closed = { additionalProperties: false } as const;
const object = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object(properties, closed);
const text = (options: { pattern?: string; maxLength?: number } = {}) =>
  Type.String({ minLength: 1, ...options });
const list = <T extends TSchema>(item: T, most = 100, least = 1) =>
  Type.Array(item, { minItems: least, maxItems: most });

const Get = object({ Get: text() });
const Join = object({
  "Std:Join": object({ On: Type.String(), Values: list(Type.Union([text(), Get])) }),
});
const Text = Type.Union([text(), Get, Join]);
const S3Uri = Type.Union([text({ pattern: "^s3://[^/]+" }), Get, Join]);
const Arn = text({ pattern: "^arn:" });
const StepName = text({ pattern: "^[A-Za-z0-9\\-_]{1,64}$" });
const Seconds = Type.Integer({ minimum: 1 });
const Tags = list(object({ Key: text({ maxLength: 128 }), Value: Type.String({ maxLength: 256 }) }), 50, 0);

const VpcConfig = object({
  Subnets: list(text(), 16),
  SecurityGroupIds: list(text(), 5),
});

const Cluster = {
  InstanceType: text({ pattern: "^ml\\." }),
  InstanceCount: Type.Integer({ minimum: 1 }),
  VolumeSizeInGB: Type.Integer({ minimum: 1 }),
  VolumeKmsKeyId: Type.Optional(text()),
};

const StoppingCondition = object({
  MaxRuntimeInSeconds: Seconds,
  MaxWaitTimeInSeconds: Type.Optional(Seconds),
});

const ProcessingArguments = object({
  ProcessingJobName: Type.Optional(text({ maxLength: 63 })),
  ProcessingResources: object({ ClusterConfig: object(Cluster) }),
  AppSpecification: object({
    ImageUri: Text,
    ContainerEntrypoint: Type.Optional(list(text())),
    ContainerArguments: Type.Optional(list(Text)),
  }),
  RoleArn: Arn,
  ProcessingInputs: Type.Optional(
    list(
      object({
        InputName: text(),
        AppManaged: Type.Optional(Type.Boolean()),
        S3Input: object({
          S3Uri,
          LocalPath: text({ pattern: "^/opt/ml/processing/" }),
          S3DataType: Type.Enum(["ManifestFile", "S3Prefix"]),
          S3InputMode: Type.Enum(["Pipe", "File"]),
          S3DataDistributionType: Type.Optional(Type.Enum(["FullyReplicated", "ShardedByS3Key"])),
          S3CompressionType: Type.Optional(Type.Enum(["None", "Gzip"])),
        }),
      }),
      10,
    ),
  ),
  ProcessingOutputConfig: object({
    KmsKeyId: Type.Optional(text()),
    Outputs: list(
      object({
        OutputName: text(),
        AppManaged: Type.Optional(Type.Boolean()),
        S3Output: object({
          S3Uri,
          LocalPath: text({ pattern: "^/opt/ml/processing/" }),
          S3UploadMode: Type.Enum(["Continuous", "EndOfJob"]),
        }),
      }),
      10,
    ),
  }),
  StoppingCondition: object({ MaxRuntimeInSeconds: Seconds }),
  NetworkConfig: object({
    EnableNetworkIsolation: Type.Boolean(),
    EnableInterContainerTrafficEncryption: Type.Boolean(),
    VpcConfig,
  }),
  Environment: Type.Optional(Type.Record(Type.String(), Text)),
  Tags,
});

/** Of CreateTrainingJob and of the definition inside CreateHyperParameterTuningJob. */
const Job = {
  AlgorithmSpecification: object({
    TrainingImage: Text,
    TrainingInputMode: Type.Enum(["Pipe", "File", "FastFile"]),
    MetricDefinitions: Type.Optional(list(object({ Name: text(), Regex: text({ maxLength: 500 }) }), 40)),
  }),
  RoleArn: Arn,
  InputDataConfig: list(
    object({
      ChannelName: text({ maxLength: 64, pattern: "^[A-Za-z0-9.\\-_]+$" }),
      ContentType: Type.Optional(text()),
      DataSource: object({
        S3DataSource: object({
          S3DataType: Type.Enum(["ManifestFile", "S3Prefix", "AugmentedManifestFile"]),
          S3Uri,
          S3DataDistributionType: Type.Enum(["FullyReplicated", "ShardedByS3Key"]),
        }),
      }),
    }),
    20,
  ),
  OutputDataConfig: object({ S3OutputPath: S3Uri, KmsKeyId: Type.Optional(text()) }),
  ResourceConfig: object(Cluster),
  StoppingCondition,
  EnableManagedSpotTraining: Type.Boolean(),
  EnableNetworkIsolation: Type.Boolean(),
  EnableInterContainerTrafficEncryption: Type.Boolean(),
  VpcConfig,
  CheckpointConfig: Type.Optional(object({ S3Uri, LocalPath: Type.Optional(text()) })),
};

const HyperParameters = Type.Record(text({ maxLength: 256 }), Type.String({ maxLength: 2500 }));

const TrainingArguments = object({
  TrainingJobName: Type.Optional(text({ maxLength: 63 })),
  ...Job,
  HyperParameters,
  Tags,
});

const NumericRange = object({
  Name: text({ maxLength: 256 }),
  MinValue: text({ maxLength: 256 }),
  MaxValue: text({ maxLength: 256 }),
  ScalingType: Type.Enum(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]),
});

const TuningArguments = object({
  HyperParameterTuningJobConfig: object({
    Strategy: Type.Enum(["Bayesian", "Random", "Hyperband", "Grid"]),
    HyperParameterTuningJobObjective: object({
      Type: Type.Enum(["Maximize", "Minimize"]),
      MetricName: text(),
    }),
    ResourceLimits: object({
      MaxNumberOfTrainingJobs: Type.Integer({ minimum: 1 }),
      MaxParallelTrainingJobs: Type.Integer({ minimum: 1 }),
    }),
    ParameterRanges: object({
      IntegerParameterRanges: list(NumericRange, 30, 0),
      ContinuousParameterRanges: list(NumericRange, 30, 0),
      CategoricalParameterRanges: list(
        object({ Name: text({ maxLength: 256 }), Values: list(Type.String({ maxLength: 256 }), 30) }),
        30,
        0,
      ),
    }),
    TrainingJobEarlyStoppingType: Type.Enum(["Off", "Auto"]),
  }),
  TrainingJobDefinition: object({ ...Job, StaticHyperParameters: HyperParameters }),
  Tags,
});

const RegisterModelArguments = object({
  ModelPackageGroupName: text({ pattern: "^[A-Za-z0-9](-*[A-Za-z0-9]){0,62}$" }),
  ModelApprovalStatus: Type.Enum(["Approved", "Rejected", "PendingManualApproval"]),
  InferenceSpecification: object({
    Containers: list(object({ Image: Text, ModelDataUrl: S3Uri }), 15),
    SupportedContentTypes: list(text()),
    SupportedResponseMIMETypes: list(text()),
  }),
  ModelMetrics: Type.Optional(
    object({
      ModelQuality: object({ Statistics: object({ ContentType: text(), S3Uri }) }),
    }),
  ),
  CustomerMetadataProperties: Type.Optional(Type.Record(text({ maxLength: 128 }), Text)),
});

const retried = {
  RetryPolicies: Type.Optional(
    list(
      object({
        ExceptionType: list(
          Type.Enum([
            "Step.SERVICE_FAULT",
            "Step.THROTTLING",
            "SageMaker.JOB_INTERNAL_ERROR",
            "SageMaker.CAPACITY_ERROR",
            "SageMaker.RESOURCE_LIMIT",
          ]),
        ),
        IntervalSeconds: Seconds,
        BackoffRate: Type.Number({ minimum: 0 }),
        MaxAttempts: Type.Integer({ minimum: 1, maximum: 20 }),
      }),
    ),
  ),
};

const step = <Kind extends string, T extends Parameters<typeof Type.Object>[0]>(kind: Kind, properties: T) =>
  object({
    Name: StepName,
    Type: Type.Literal(kind),
    DependsOn: Type.Optional(list(StepName)),
    ...properties,
  });

const Processing = step("Processing", {
  Arguments: ProcessingArguments,
  PropertyFiles: Type.Optional(
    list(object({ PropertyFileName: text(), OutputName: text(), FilePath: text() })),
  ),
  ...retried,
});
const Training = step("Training", { Arguments: TrainingArguments, ...retried });
const Tuning = step("Tuning", { Arguments: TuningArguments, ...retried });
const RegisterModel = step("RegisterModel", { Arguments: RegisterModelArguments, ...retried });
/** https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-lambda */
const Lambda = step("Lambda", {
  FunctionArn: Arn,
  Arguments: Type.Record(text(), Text),
  OutputParameters: list(
    object({ OutputName: text(), OutputType: Type.Enum(["String", "Integer", "Boolean", "Float"]) }),
  ),
});
const Fail = step("Fail", { Arguments: object({ ErrorMessage: Text }) });

const Operand = Type.Union([
  Type.String(),
  Type.Number(),
  Type.Boolean(),
  Get,
  object({ "Std:JsonGet": object({ PropertyFile: Get, Path: text() }) }),
]);

const Branch = list(Type.Union([Processing, Training, RegisterModel, Fail]), 50, 0);

const Condition = step("Condition", {
  Arguments: object({
    Conditions: list(
      object({
        Type: Type.Enum([
          "Equals",
          "GreaterThan",
          "GreaterThanOrEqualTo",
          "LessThan",
          "LessThanOrEqualTo",
          "NotEquals",
        ]),
        LeftValue: Operand,
        RightValue: Operand,
      }),
    ),
    IfSteps: Branch,
    ElseSteps: Branch,
  }),
});

const Step = Type.Union([Processing, Training, Tuning, RegisterModel, Lambda, Condition, Fail]);

export const PipelineDefinition = object({
  Version: Type.Literal("2020-12-01"),
  Metadata: Type.Object({}),
  Parameters: list(
    object({
      Name: text({ pattern: "^[A-Za-z0-9\\-_]{1,64}$" }),
      Type: Type.Literal("String"),
      DefaultValue: Type.String({ maxLength: 4096 }),
    }),
    200,
    0,
  ),
  PipelineExperimentConfig: object({ ExperimentName: Text, TrialName: Text }),
  Steps: list(Step, 50),
});

export type Step = Static<typeof Step>;
export type PipelineDefinition = Static<typeof PipelineDefinition>;

/** Schemas by kind of step: an error inside one of seven alternatives is told as what is wrong with that one. */
const KINDS: Readonly<Record<string, TSchema>> = {
  Processing,
  Training,
  Tuning,
  RegisterModel,
  Lambda,
  Condition,
  Fail,
};

function stepProblems(candidate: unknown, where: string): string[] {
  const { Name, Type: kind } = candidate as { readonly Name?: unknown; readonly Type?: unknown };
  const schema = KINDS[String(kind)];
  if (schema === undefined) return [`${where}: "${String(kind)}" is no type of step`];
  return [...Value.Errors(schema, candidate)].map(
    ({ instancePath, message }) => `${String(Name)}${instancePath}: ${message}`,
  );
}

/** Every reason for which SageMaker would refuse the definition, or an execution of it would fail on what it refers to. */
export function definitionProblems(definition: unknown): string[] {
  if (!Value.Check(PipelineDefinition, definition)) {
    const { Steps } = definition as { readonly Steps?: unknown };
    const inSteps = Array.isArray(Steps)
      ? Steps.flatMap((each, index) => stepProblems(each, `/Steps/${index}`))
      : [];
    if (inSteps.length > 0) return inSteps;
    return [...Value.Errors(PipelineDefinition, definition)].map(
      ({ instancePath, message }) => `${instancePath}: ${message}`,
    );
  }
  return referenceProblems(definition);
}
