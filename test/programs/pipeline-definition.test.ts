import { describe, expect, it } from "vitest";
import { isBuiltInImage } from "../../programs/built-in-algorithms.ts";
import { pipelineImages } from "../../programs/images.ts";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineSetting } from "../../programs/phases/pipeline-setting.ts";
import { pipelineDefinition } from "../../programs/pipeline-definition.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

interface Step {
  readonly Name: string;
  readonly Type: string;
  readonly Arguments: Readonly<Record<string, unknown>>;
}

interface Definition {
  readonly Parameters: readonly { readonly Name: string; readonly DefaultValue: string }[];
  readonly Steps: readonly Step[];
}

function definition(change: Parameters<typeof aSpec>[0] = {}): Definition {
  const setting = pipelineSetting(anInput({ spec: aSpec(change), foundation: PRODUCTION_FOUNDATION }));
  return JSON.parse(
    pipelineDefinition({
      names,
      training: setting.spec.training,
      pinFunctionArn: "arn:function/pin-manifest",
      ...(setting.spec.dataset.features !== undefined && { fitFunctionArn: "arn:function/fit-transform" }),
      images: pipelineImages(setting),
      roleArns: { processing: "arn:role/processing", training: "arn:role/training" },
      keyArns: { data: "arn:key/data", models: "arn:key/models" },
      network: { subnetIds: ["subnet-1", "subnet-2"], securityGroupId: "sg-1" },
      isProduction: setting.spec.profile === "production",
      tags: { "aidlc:team": "fraud" },
    }),
  ) as Definition;
}

function argumentsOf({ Steps }: Definition, name: string): Readonly<Record<string, unknown>> {
  const step = Steps.find(({ Name }) => Name === name);
  if (step === undefined) throw new Error(`The definition has no step ${name}`);
  return step.Arguments;
}

const parameters = ({ Parameters }: Definition) =>
  Object.fromEntries(Parameters.map(({ Name, DefaultValue }) => [Name, DefaultValue]));

/** Every `Get` anywhere in a document. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "Get" && typeof inner === "string" ? [inner] : references(inner),
  );
}

const PINNED = "Steps.Pin.OutputParameters['uri']";

const VPC = { Subnets: ["subnet-1", "subnet-2"], SecurityGroupIds: ["sg-1"] };

describe("the SageMaker pipeline", () => {
  it("processes, trains, evaluates, and registers behind the quality gate", () => {
    expect(definition().Steps.map(({ Name, Type }) => [Name, Type])).toEqual([
      ["Pin", "Lambda"],
      ["Process", "Processing"],
      ["Train", "Training"],
      ["Evaluate", "Processing"],
      ["QualityGate", "Condition"],
    ]);
    const gate = argumentsOf(definition(), "QualityGate") as { IfSteps: Step[]; ElseSteps: Step[] };
    expect(gate.IfSteps.map(({ Type }) => Type)).toEqual(["RegisterModel"]);
    expect(gate.ElseSteps.map(({ Type }) => Type)).toEqual(["Fail"]);
  });

  it("refers only to steps, parameters and variables that exist", () => {
    const steps = ["Pin", "Process", "Train", "Evaluate"];
    const unknown = references(definition()).filter((path) => {
      const [kind, name = ""] = path.split(".");
      if (kind === "Parameters") return !Object.hasOwn(parameters(definition()), name);
      if (kind === "Steps") return !steps.includes(name);
      return !["Execution.PipelineExecutionId", "Execution.PipelineName"].includes(path);
    });
    expect(unknown).toEqual([]);
  });

  it("fits declared features, hands them to the processing and names them in the model's metadata", () => {
    const features = {
      target: "species",
      drop: [],
      derive: [],
      impute: [],
      scale: [],
      encode: [{ columns: ["island"], method: "one-hot" as const, handleUnknown: "ignore" as const }],
    };
    const column = (name: string) => ({ name, type: "string" as const, nullable: false });
    const fitted = definition({ dataset: { schema: [column("species"), column("island")], features } });
    expect(fitted.Steps[1]).toEqual({
      Name: "Fit",
      Type: "Lambda",
      FunctionArn: "arn:function/fit-transform",
      Arguments: { manifest: { Get: PINNED } },
      OutputParameters: [
        { OutputName: "digest", OutputType: "String" },
        { OutputName: "uri", OutputType: "String" },
      ],
    });
    expect(argumentsOf(fitted, "Process").ProcessingInputs).toMatchObject([
      { InputName: "data" },
      {
        InputName: "transform",
        S3Input: { S3Uri: { Get: "Steps.Fit.OutputParameters['uri']" }, S3DataType: "S3Prefix" },
      },
    ]);
    const [register] = (argumentsOf(fitted, "QualityGate") as { IfSteps: Step[] }).IfSteps;
    expect(register?.Arguments.CustomerMetadataProperties).toMatchObject({
      "aidlc-transform": { Get: "Steps.Fit.OutputParameters['digest']" },
    });
    expect(references(definition())).not.toContain("Steps.Fit.OutputParameters['digest']");
  });

  describe.each([
    ["without features", {}],
    [
      "with features",
      {
        dataset: {
          schema: [{ name: "species", type: "string" as const, nullable: false }],
          features: { target: "species", drop: [], derive: [], impute: [], scale: [], encode: [] },
        },
      },
    ],
  ])("%s", (_, change) => {
    it("reads the manifest that changes in its first step alone, and the copy in all others", () => {
      const { Steps } = definition(change);
      expect(Steps[0]).toEqual({
        Name: "Pin",
        Type: "Lambda",
        FunctionArn: "arn:function/pin-manifest",
        Arguments: {
          manifest: { Get: "Parameters.InputManifest" },
          execution: { Get: "Execution.PipelineExecutionId" },
        },
        OutputParameters: [{ OutputName: "uri", OutputType: "String" }],
      });
      const others = Steps.slice(1);
      expect(references(others)).not.toContain("Parameters.InputManifest");
      expect(JSON.stringify(others)).not.toContain("training.manifest");
      const readers = others.filter((step) => references(step).includes(PINNED)).map(({ Name }) => Name);
      expect(readers).toEqual(["dataset" in change ? ["Fit"] : [], "Process", "QualityGate"].flat());
    });

    it("names the copy in the model's metadata", () => {
      const [register] = (argumentsOf(definition(change), "QualityGate") as { IfSteps: Step[] }).IfSteps;
      expect(register?.Arguments.CustomerMetadataProperties).toMatchObject({
        InputManifest: { Get: PINNED },
      });
    });
  });

  it("runs every job isolated, on the pipeline's subnets and in its security group", () => {
    for (const step of ["Process", "Evaluate"]) {
      expect(argumentsOf(definition(), step).NetworkConfig).toEqual({
        EnableNetworkIsolation: true,
        EnableInterContainerTrafficEncryption: false,
        VpcConfig: VPC,
      });
    }
    expect(argumentsOf(definition(), "Train")).toMatchObject({
      EnableNetworkIsolation: true,
      VpcConfig: VPC,
    });
  });

  it("gives each job its own role, its name's prefix and the owner's tags", () => {
    for (const [step, role, prefix, key] of [
      ["Process", "processing", "process", "ProcessingJobName"],
      ["Train", "training", "train", "TrainingJobName"],
      ["Evaluate", "processing", "evaluate", "ProcessingJobName"],
    ] as const) {
      expect(argumentsOf(definition(), step)).toMatchObject({
        RoleArn: `arn:role/${role}`,
        [key]: names.jobPrefix(prefix),
        Tags: [{ Key: "aidlc:team", Value: "fraud" }],
      });
    }
  });

  it("trains on Managed Spot with checkpoints, within the spec's times", () => {
    expect(argumentsOf(definition(), "Train")).toMatchObject({
      EnableManagedSpotTraining: true,
      StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 3600 },
      CheckpointConfig: {
        S3Uri: {
          "Std:Join": {
            On: "/",
            Values: [
              `s3://${names.bucket("models")}`,
              "checkpoints",
              { Get: "Execution.PipelineExecutionId" },
            ],
          },
        },
      },
    });
  });

  it("neither waits nor writes checkpoints without Spot", () => {
    const training = argumentsOf(definition({ training: { spot: { enabled: false } } }), "Train");
    expect(training).toMatchObject({
      EnableManagedSpotTraining: false,
      StoppingCondition: { MaxRuntimeInSeconds: 1800 },
    });
    expect(training).not.toHaveProperty("CheckpointConfig");
  });

  it("encrypts volumes with the data key and what comes out with the key of its bucket", () => {
    expect(argumentsOf(definition(), "Train")).toMatchObject({
      ResourceConfig: { VolumeKmsKeyId: "arn:key/data" },
      OutputDataConfig: { KmsKeyId: "arn:key/models" },
    });
    expect(argumentsOf(definition(), "Process")).toMatchObject({
      ProcessingOutputConfig: { KmsKeyId: "arn:key/data" },
    });
    expect(argumentsOf(definition(), "Evaluate")).toMatchObject({
      ProcessingOutputConfig: { KmsKeyId: "arn:key/models" },
    });
  });

  it.each([
    "ml.g5.xlarge",
    "ml.g4dn.xlarge",
    "ml.p4d.24xlarge",
    "ml.c5d.large",
    "ml.m5d.large",
    "ml.r5dn.large",
    "ml.m6gd.large",
  ])("names no key for the volume of %s, whose local storage encrypts itself", (instanceType) => {
    const { ResourceConfig } = argumentsOf(definition({ training: { instanceType } }), "Train");
    expect(ResourceConfig).not.toHaveProperty("VolumeKmsKeyId");
  });

  it.each(["ml.m5.large", "ml.c5n.large", "ml.p3.2xlarge", "ml.r6i.large", "ml.t3.medium"])(
    "encrypts the volume of %s",
    (instanceType) => {
      const { ResourceConfig } = argumentsOf(definition({ training: { instanceType } }), "Train");
      expect(ResourceConfig).toHaveProperty("VolumeKmsKeyId");
    },
  );

  it("encrypts traffic between the instances of distributed training", () => {
    expect(argumentsOf(definition(), "Train").EnableInterContainerTrafficEncryption).toBe(false);
    const distributed = definition({ training: { instanceCount: 4 } });
    expect(argumentsOf(distributed, "Train").EnableInterContainerTrafficEncryption).toBe(true);
  });

  it("hands hyperparameters over as text", () => {
    const { HyperParameters } = argumentsOf(
      definition({ training: { hyperparameters: { depth: 4, rate: 0.1, shuffle: true, target: "y" } } }),
      "Train",
    );
    expect(HyperParameters).toEqual({ depth: "4", rate: "0.1", shuffle: "true", target: "y" });
  });

  describe("with a search for hyperparameters", () => {
    const tuning: NonNullable<ReturnType<typeof aSpec>["training"]["tuning"]> = {
      strategy: "random",
      maxJobs: 12,
      maxParallelJobs: 3,
      ranges: [
        { name: "eta", type: "continuous", min: 0.01, max: 0.3, scale: "logarithmic" },
        { name: "depth", type: "integer", min: 2, max: 9, scale: "auto" },
        { name: "booster", type: "categorical", values: ["gbtree", "dart"] },
      ],
    };
    const tuned = (change: object = {}) =>
      definition({ training: { tuning, hyperparameters: { seed: 7 }, ...change } });

    it("tunes instead of training once", () => {
      expect(tuned().Steps.map(({ Name, Type }) => [Name, Type])).toEqual([
        ["Pin", "Lambda"],
        ["Process", "Processing"],
        ["Tune", "Tuning"],
        ["Evaluate", "Processing"],
        ["QualityGate", "Condition"],
      ]);
    });

    it("searches the declared ranges for the quality gate's metric", () => {
      expect(argumentsOf(tuned(), "Tune").HyperParameterTuningJobConfig).toEqual({
        Strategy: "Random",
        HyperParameterTuningJobObjective: { Type: "Maximize", MetricName: "accuracy" },
        ResourceLimits: { MaxNumberOfTrainingJobs: 12, MaxParallelTrainingJobs: 3 },
        ParameterRanges: {
          IntegerParameterRanges: [{ Name: "depth", MinValue: "2", MaxValue: "9", ScalingType: "Auto" }],
          ContinuousParameterRanges: [
            { Name: "eta", MinValue: "0.01", MaxValue: "0.3", ScalingType: "Logarithmic" },
          ],
          CategoricalParameterRanges: [{ Name: "booster", Values: ["gbtree", "dart"] }],
        },
        TrainingJobEarlyStoppingType: "Auto",
      });
    });

    it("minimises a metric that must be at most its threshold", () => {
      const config = argumentsOf(
        tuned({ qualityGate: { metric: "rmse", threshold: 2, direction: "atMost" } }),
        "Tune",
      ).HyperParameterTuningJobConfig;
      expect(config).toMatchObject({
        HyperParameterTuningJobObjective: { Type: "Minimize", MetricName: "rmse" },
      });
    });

    it("compares the jobs of a built-in algorithm by its own metric of the validation channel", () => {
      const config = argumentsOf(tuned({ algorithm: "xgboost" }), "Tune").HyperParameterTuningJobConfig;
      expect(config).toMatchObject({
        HyperParameterTuningJobObjective: { MetricName: "validation:accuracy" },
      });
    });

    it("fits declared features, hands them to the processing and names them in the model's metadata", () => {
      const features = {
        target: "species",
        drop: [],
        derive: [],
        impute: [],
        scale: [],
        encode: [{ columns: ["island"], method: "one-hot" as const, handleUnknown: "ignore" as const }],
      };
      const column = (name: string) => ({ name, type: "string" as const, nullable: false });
      const fitted = definition({ dataset: { schema: [column("species"), column("island")], features } });
      expect(fitted.Steps[1]).toEqual({
        Name: "Fit",
        Type: "Lambda",
        FunctionArn: "arn:function/fit-transform",
        Arguments: { manifest: { Get: PINNED } },
        OutputParameters: [
          { OutputName: "digest", OutputType: "String" },
          { OutputName: "uri", OutputType: "String" },
        ],
      });
      expect(argumentsOf(fitted, "Process").ProcessingInputs).toMatchObject([
        { InputName: "data" },
        {
          InputName: "transform",
          S3Input: { S3Uri: { Get: "Steps.Fit.OutputParameters['uri']" }, S3DataType: "S3Prefix" },
        },
      ]);
      const [register] = (argumentsOf(fitted, "QualityGate") as { IfSteps: Step[] }).IfSteps;
      expect(register?.Arguments.CustomerMetadataProperties).toMatchObject({
        "aidlc-transform": { Get: "Steps.Fit.OutputParameters['digest']" },
      });
      expect(references(definition())).not.toContain("Steps.Fit.OutputParameters['digest']");
    });

    it("runs every job isolated, on the network, under the keys and within the times of a single training", () => {
      expect(argumentsOf(tuned(), "Tune").TrainingJobDefinition).toMatchObject({
        StaticHyperParameters: { seed: "7" },
        EnableNetworkIsolation: true,
        VpcConfig: VPC,
        RoleArn: "arn:role/training",
        OutputDataConfig: { KmsKeyId: "arn:key/models" },
        ResourceConfig: { VolumeKmsKeyId: "arn:key/data" },
        EnableManagedSpotTraining: true,
        StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 3600 },
      });
    });

    it("evaluates and registers the artifact of the best job", () => {
      const artifact = {
        "Std:Join": {
          On: "/",
          Values: [
            `s3://${names.bucket("models")}`,
            "artifacts",
            { Get: "Execution.PipelineExecutionId" },
            { Get: "Steps.Tune.TrainingJobSummaries[0].TrainingJobName" },
            "output/model.tar.gz",
          ],
        },
      };
      const [input] = argumentsOf(tuned(), "Evaluate").ProcessingInputs as { S3Input: { S3Uri: unknown } }[];
      expect(input?.S3Input.S3Uri).toEqual(artifact);
      const gate = argumentsOf(tuned(), "QualityGate") as { readonly IfSteps: readonly Step[] };
      expect(gate.IfSteps[0]?.Arguments).toMatchObject({
        InferenceSpecification: { Containers: [{ ModelDataUrl: artifact }] },
      });
    });
  });

  it("encrypts traffic between containers of every job in production", () => {
    const production = definition({ profile: "production" });
    expect(argumentsOf(production, "Train").EnableInterContainerTrafficEncryption).toBe(true);
    for (const job of ["Process", "Evaluate"]) {
      expect(argumentsOf(production, job).NetworkConfig).toMatchObject({
        EnableInterContainerTrafficEncryption: true,
      });
    }
  });

  it.each([
    ["atLeast", "GreaterThanOrEqualTo"],
    ["atMost", "LessThanOrEqualTo"],
  ] as const)("compares a metric that must be %s its threshold", (direction, Type) => {
    const gate = definition({ training: { qualityGate: { metric: "rmse", threshold: 2.5, direction } } });
    expect(argumentsOf(gate, "QualityGate").Conditions).toEqual([
      {
        Type,
        LeftValue: {
          "Std:JsonGet": {
            PropertyFile: { Get: "Steps.Evaluate.PropertyFiles.Evaluation" },
            Path: "metrics.rmse.value",
          },
        },
        RightValue: 2.5,
      },
    ]);
  });

  it("registers a model for approval, with where it came from", () => {
    const gate = argumentsOf(definition(), "QualityGate") as { readonly IfSteps: readonly Step[] };
    expect(gate.IfSteps[0]?.Arguments).toMatchObject({
      ModelPackageGroupName: names.named("models"),
      ModelApprovalStatus: "PendingManualApproval",
      CustomerMetadataProperties: { Trigger: { Get: "Parameters.Trigger" }, QualityGate: "accuracy >= 0.9" },
    });
  });

  it("reads the accepted data by manifest: what passed validation, and nothing that merely lies beside it", () => {
    expect(parameters(definition()).InputManifest).toBe(
      `s3://${names.bucket("validated")}/manifests/training.manifest`,
    );
    expect(JSON.stringify(argumentsOf(definition(), "Process"))).toContain('"S3DataType":"ManifestFile"');
  });
});

describe("the fitted features", () => {
  const features = { target: "species", drop: [], derive: [], impute: [], scale: [], encode: [] };
  const column = (name: string) => ({ name, type: "string" as const, nullable: false });
  const dataset = { schema: [column("species"), column("island")], features };
  const tuning: NonNullable<ReturnType<typeof aSpec>["training"]["tuning"]> = {
    strategy: "random",
    maxJobs: 2,
    maxParallelJobs: 1,
    ranges: [{ name: "depth", type: "integer", min: 2, max: 9, scale: "auto" }],
  };
  type Channel = { readonly ChannelName: string };
  const channelsOf = (change: Parameters<typeof aSpec>[0]): readonly Channel[] => {
    const made = definition(change);
    if (change?.training?.tuning === undefined)
      return argumentsOf(made, "Train").InputDataConfig as Channel[];
    const job = argumentsOf(made, "Tune").TrainingJobDefinition as { readonly InputDataConfig: Channel[] };
    return job.InputDataConfig;
  };
  const namesOf = (change: Parameters<typeof aSpec>[0]) =>
    channelsOf(change).map(({ ChannelName }) => ChannelName);

  it.each([
    ["the training", {}],
    ["every training of a search", { tuning }],
  ])("are a channel of %s by an own image", (_, training) => {
    expect(namesOf({ training })).toEqual(["train", "validation"]);
    expect(channelsOf({ dataset, training }).at(-1)).toEqual({
      ChannelName: "transform",
      ContentType: "application/json",
      DataSource: {
        S3DataSource: {
          S3DataType: "S3Prefix",
          S3Uri: { Get: "Steps.Fit.OutputParameters['uri']" },
          S3DataDistributionType: "FullyReplicated",
        },
      },
    });
  });

  it.each([
    ["the training", {}],
    ["every training of a search", { tuning }],
  ])("are no channel of %s by a built-in algorithm, which refuses those that it doesn't know", (_, more) => {
    const training = { algorithm: "xgboost" as const, ...more };
    expect(namesOf({ dataset, training })).toEqual(["train", "validation"]);
  });
});

describe("images", () => {
  const own = (kind: string) => `111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc/fraud/churn/${kind}:1`;

  it("come from the pipeline's repositories", () => {
    expect(parameters(definition())).toMatchObject({
      ProgramImage: own("training"),
      TrainingImage: own("training"),
      InferenceImage: own("inference"),
    });
  });

  it("come from the spec where it names one", () => {
    const image = "999988887777.dkr.ecr.eu-west-1.amazonaws.com/shared/models@sha256:".concat("0".repeat(64));
    const setting = pipelineSetting(anInput({ spec: aSpec({ training: { image } }) }));
    expect(pipelineImages(setting)).toMatchObject({
      program: image,
      training: image,
      inference: own("inference"),
    });
    expect(pipelineImages(setting).repositoryArns).toContain(
      "arn:aws:ecr:eu-west-1:999988887777:repository/shared/models",
    );
  });

  it("come from AWS for training and inference with a built-in algorithm, which defines metrics of its own", () => {
    const builtIn = definition({ training: { algorithm: "xgboost" } });
    const xgboost = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1";
    expect(parameters(builtIn)).toMatchObject({
      ProgramImage: own("training"),
      TrainingImage: xgboost,
      InferenceImage: xgboost,
    });
    expect(argumentsOf(builtIn, "Train").AlgorithmSpecification).not.toHaveProperty("MetricDefinitions");
    expect(isBuiltInImage(xgboost)).toBe(true);
    expect(isBuiltInImage(xgboost.replace(/:.*/, `@sha256:${"0".repeat(64)}`))).toBe(true);
    expect(isBuiltInImage(own("inference"))).toBe(false);
    expect(isBuiltInImage(xgboost.replace("141502667606", "111122223333"))).toBe(false);
  });

  it("do not exist for a built-in algorithm where AWS has no registry", () => {
    const account = { ...ACCOUNT, region: "mx-central-1" };
    const setting = pipelineSetting(
      anInput({ account, spec: aSpec({ training: { algorithm: "xgboost" } }) }),
    );
    expect(() => pipelineImages(setting)).toThrow("no registry in mx-central-1");
  });
});
