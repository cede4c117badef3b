import { describe, expect, it } from "vitest";
import { pipelineImages } from "../../programs/images.ts";
import { pipelineSetting } from "../../programs/phases/pipeline-setting.ts";
import { pipelineDefinition } from "../../programs/pipeline-definition.ts";
import { definitionProblems } from "../../programs/pipeline-schema.ts";
import { anInput, aSpec } from "./support/inputs.ts";

interface Step {
  Name: string;
  Type: string;
  Arguments: Record<string, unknown>;
  DependsOn?: string[];
  PropertyFiles?: { PropertyFileName: string }[];
}

interface Definition {
  Version: string;
  Parameters: { Name: string }[];
  Steps: Step[];
}

const TUNING: NonNullable<ReturnType<typeof aSpec>["training"]["tuning"]> = {
  strategy: "bayesian",
  maxJobs: 10,
  maxParallelJobs: 2,
  ranges: [{ name: "depth", type: "integer", min: 2, max: 9, scale: "auto" }],
};

function definition(change: Parameters<typeof aSpec>[0] = {}): Definition {
  const setting = pipelineSetting(anInput({ spec: aSpec(change) }));
  return JSON.parse(
    pipelineDefinition({
      names: setting.names,
      training: setting.spec.training,
      pinFunctionArn: "arn:function/pin-manifest",
      images: pipelineImages(setting),
      roleArns: { processing: "arn:role/processing", training: "arn:role/training" },
      keyArns: { data: "arn:key/data", models: "arn:key/models" },
      network: { subnetIds: ["subnet-1"], securityGroupId: "sg-1" },
      isProduction: false,
      tags: { "aidlc:team": "fraud" },
    }),
  ) as Definition;
}

function broken(change: (definition: Definition) => void, spec: Parameters<typeof aSpec>[0] = {}): string[] {
  const changed = definition(spec);
  change(changed);
  return definitionProblems(changed);
}

const step = ({ Steps }: Definition, name: string): Step => {
  const found = Steps.find(({ Name }) => Name === name);
  if (found === undefined) throw new Error(`There is no step ${name}`);
  return found;
};

describe("the schema of pipeline definitions", () => {
  it("accepts what the programs build, tuned or not", () => {
    expect(definitionProblems(definition())).toEqual([]);
    expect(definitionProblems(definition({ training: { tuning: TUNING } }))).toEqual([]);
  });

  it("refuses another version", () => {
    expect(broken((each) => Object.assign(each, { Version: "2019-12-01" }))).toHaveLength(1);
  });

  it("refuses a type of step that there is not", () => {
    expect(broken((each) => Object.assign(step(each, "Train"), { Type: "Trainings" }))).toEqual([
      '/Steps/2: "Trainings" is no type of step',
    ]);
  });

  it("refuses a misspelt argument and names the step", () => {
    const [problem] = broken((each) =>
      Object.assign(step(each, "Train").Arguments, { EnableNetworkIsolations: true }),
    );
    expect(problem).toMatch(/^Train/);
  });

  it("refuses a missing argument", () => {
    expect(
      broken((each) => {
        delete step(each, "Process").Arguments.RoleArn;
      })[0],
    ).toMatch(/^Process.*RoleArn/);
  });

  it("refuses an argument of the wrong type", () => {
    expect(
      broken((each) =>
        Object.assign(step(each, "Train").Arguments, { StoppingCondition: { MaxRuntimeInSeconds: "1800" } }),
      )[0],
    ).toMatch(/^Train\/Arguments\/StoppingCondition\/MaxRuntimeInSeconds/);
  });

  it("refuses hyperparameters that are no text", () => {
    expect(
      broken((each) => Object.assign(step(each, "Train").Arguments, { HyperParameters: { depth: 4 } }))[0],
    ).toMatch(/^Train\/Arguments\/HyperParameters/);
  });

  it("refuses an objective that SageMaker does not know", () => {
    expect(
      broken(
        (each) =>
          Object.assign(
            step(each, "Tune").Arguments.HyperParameterTuningJobConfig as Record<string, unknown>,
            { HyperParameterTuningJobObjective: { Type: "Best", MetricName: "accuracy" } },
          ),
        { training: { tuning: TUNING } },
      )[0],
    ).toMatch(/^Tune\/Arguments\/HyperParameterTuningJobConfig\/HyperParameterTuningJobObjective\/Type/);
  });
});

describe("references of pipeline definitions", () => {
  const refer = (Get: string) => (each: Definition) => {
    const inputs = step(each, "Evaluate").Arguments.ProcessingInputs as {
      S3Input: { S3Uri: unknown };
    }[];
    const [first] = inputs;
    if (first !== undefined) first.S3Input.S3Uri = { Get };
  };

  it.each([
    ["Parameters.Manifest", "there is no parameter Manifest"],
    ["Execution.Name", "executions have no Name"],
    ["Steps.Fit.ModelArtifacts.S3ModelArtifacts", "there is no step Fit"],
    ["Steps.Train.ModelArtifacts.S3Uri", "a step of type Training has no property ModelArtifacts.S3Uri"],
    [
      "Steps.Process.ProcessingOutputConfig.Outputs['holdout'].S3Output.S3Uri",
      'Process has no output "holdout"',
    ],
    ["Jobs.Train.Name", "only Parameters, Execution and Steps can be referred to"],
  ])("to %s are refused: %s", (reference, problem) => {
    expect(broken(refer(reference))).toEqual([`Evaluate refers to ${reference}: ${problem}`]);
  });

  it("to the training of a search are refused: there is none", () => {
    expect(
      broken(refer("Steps.Train.ModelArtifacts.S3ModelArtifacts"), { training: { tuning: TUNING } }),
    ).toEqual(["Evaluate refers to Steps.Train.ModelArtifacts.S3ModelArtifacts: there is no step Train"]);
  });

  it("reach the fifty best jobs of a search and no further", () => {
    const tuned = { training: { tuning: TUNING } };
    expect(broken(refer("Steps.Tune.TrainingJobSummaries[49].TrainingJobName"), tuned)).toEqual([]);
    expect(broken(refer("Steps.Tune.TrainingJobSummaries[50].TrainingJobName"), tuned)).toHaveLength(1);
  });

  it("to a property file that the step does not declare are refused", () => {
    expect(
      broken((each) => {
        delete step(each, "Evaluate").PropertyFiles;
      }),
    ).toEqual([
      'QualityGate refers to Steps.Evaluate.PropertyFiles.Evaluation: Evaluate has no property file "Evaluation"',
    ]);
  });

  it("that lead back to their own step are refused", () => {
    expect(broken((each) => Object.assign(step(each, "Process"), { DependsOn: ["Evaluate"] }))).toEqual([
      "Process waits for itself",
      "Train waits for itself",
      "Evaluate waits for itself",
    ]);
  });

  it("to a step that a dependency misspells are refused", () => {
    expect(broken((each) => Object.assign(step(each, "Evaluate"), { DependsOn: ["Trian"] }))).toEqual([
      "Evaluate depends on Trian, which is no step",
    ]);
  });

  it("are ambiguous where two steps have one name", () => {
    expect(
      broken((each) => {
        Object.assign(step(each, "Evaluate"), { Name: "Process", PropertyFiles: [] });
      }).some((problem) => problem.includes("Process")),
    ).toBe(true);
  });
});
