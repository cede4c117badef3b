import type { PipelineDefinition, Step } from "./pipeline-schema.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html and the Describe calls it names. */
const PROPERTIES: Readonly<Record<Step["Type"], readonly RegExp[]>> = {
  Processing: [
    /^ProcessingJob(Name|Arn)$/,
    /^ProcessingOutputConfig\.Outputs\['[^']+'\]\.S3Output\.S3Uri$/,
    /^PropertyFiles\.[A-Za-z0-9_-]+$/,
  ],
  Training: [
    /^TrainingJob(Name|Arn)$/,
    /^ModelArtifacts\.S3ModelArtifacts$/,
    /^OutputDataConfig\.S3OutputPath$/,
    /^CheckpointConfig\.S3Uri$/,
  ],
  Tuning: [
    /^HyperParameterTuningJob(Name|Arn)$/,
    /^BestTrainingJob\.TrainingJob(Name|Arn)$/,
    // The fifty best, the best first.
    /^TrainingJobSummaries\[[1-4]?\d\]\.TrainingJob(Name|Arn)$/,
  ],
  RegisterModel: [/^ModelPackage(Arn|Name)$/],
  Lambda: [/^OutputParameters\['[^']+'\]$/],
  Condition: [/^Outcome$/],
  Fail: [],
};

const EXECUTION = [
  "CurrentDateTime",
  "PipelineArn",
  "PipelineExecutionArn",
  "PipelineExecutionId",
  "PipelineName",
  "StartDateTime",
];

type Found = { readonly step: Step; readonly outer: Step | undefined };

const branches = (step: Step): readonly Step[] =>
  step.Type === "Condition" ? [...step.Arguments.IfSteps, ...step.Arguments.ElseSteps] : [];

const allSteps = (steps: readonly Step[], outer?: Step): Found[] =>
  steps.flatMap((step) => [{ step, outer }, ...allSteps(branches(step), step)]);

/** Every `Get` in a step, but not in the steps inside of it. */
function gets(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === "IfSteps" || key === "ElseSteps") return [];
    return key === "Get" && typeof inner === "string" ? [inner] : gets(inner);
  });
}

/** What a file or an output of a step is called, where a property names one. */
function undeclared(step: Step, property: string): string | undefined {
  if (step.Type === "Lambda") {
    const name = /'([^']+)'/.exec(property)?.[1];
    const known = step.OutputParameters.some(({ OutputName }) => OutputName === name);
    return known ? undefined : `${step.Name} has no output "${name}"`;
  }
  if (step.Type !== "Processing") return undefined;
  const file = /^PropertyFiles\.(.+)$/.exec(property)?.[1];
  if (file !== undefined) {
    const known = step.PropertyFiles?.some(({ PropertyFileName }) => PropertyFileName === file) ?? false;
    return known ? undefined : `${step.Name} has no property file "${file}"`;
  }
  const output = /Outputs\['([^']+)'\]/.exec(property)?.[1];
  const known = step.Arguments.ProcessingOutputConfig.Outputs.some(({ OutputName }) => OutputName === output);
  return output === undefined || known ? undefined : `${step.Name} has no output "${output}"`;
}

function propertyProblem(reference: string, parameters: readonly string[], steps: readonly Step[]) {
  const [, kind, name = "", property = ""] = /^([^.]+)\.([^.]+)(?:\.(.+))?$/.exec(reference) ?? [];
  if (kind === "Parameters") return parameters.includes(name) ? undefined : `there is no parameter ${name}`;
  if (kind === "Execution") return EXECUTION.includes(name) ? undefined : `executions have no ${name}`;
  if (kind !== "Steps") return "only Parameters, Execution and Steps can be referred to";
  const step = steps.find(({ Name }) => Name === name);
  if (step === undefined) return `there is no step ${name}`;
  if (!PROPERTIES[step.Type].some((pattern) => pattern.test(property))) {
    return `a step of type ${step.Type} has no property ${property}`;
  }
  return undeclared(step, property);
}

const stepOf = (reference: string) => /^Steps\.([^.]+)/.exec(reference)?.[1];

/** What must end before a step begins, itself among it where steps wait for each other. */
function waitsFor(start: string, before: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(before.get(start) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...(before.get(name) ?? []));
  }
  return found;
}

/** References that name nothing, dependencies that name no step, steps that wait for themselves, names that are taken. */
export function referenceProblems({ Parameters, Steps }: PipelineDefinition): string[] {
  const found = allSteps(Steps);
  const steps = found.map(({ step }) => step);
  const names = steps.map(({ Name }) => Name);
  const parameters = Parameters.map(({ Name }) => Name);
  const before = new Map(
    found.map(({ step, outer }) => [
      step.Name,
      [
        ...(step.DependsOn ?? []),
        ...gets(step).flatMap((reference) => stepOf(reference) ?? []),
        ...(outer === undefined ? [] : [outer.Name]),
      ],
    ]),
  );
  return [
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `two steps are named ${name}`),
    ...steps.flatMap((step) => [
      ...gets(step).flatMap((reference) => {
        const problem = propertyProblem(reference, parameters, steps);
        return problem === undefined ? [] : [`${step.Name} refers to ${reference}: ${problem}`];
      }),
      ...(step.DependsOn ?? [])
        .filter((name) => !names.includes(name))
        .map((name) => `${step.Name} depends on ${name}, which is no step`),
    ]),
    ...names.filter((name) => waitsFor(name, before).has(name)).map((name) => `${name} waits for itself`),
  ];
}
