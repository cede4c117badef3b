import { isMap, type PropertyMap, type PropertyValue } from "../values.ts";

// https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
const version = "2020-12-01";
const stepTypes = new Set([
  "Training",
  "Processing",
  "Transform",
  "Tuning",
  "Model",
  "RegisterModel",
  "Condition",
  "Callback",
  "Lambda",
  "Fail",
  "QualityCheck",
  "ClarifyCheck",
  "EMR",
  "EMRServerless",
  "AutoML",
  "NotebookJob",
  "MLflow",
  "InferenceRecommender",
  "BedrockCustomModel",
]);
const parameterTypes = new Set(["String", "Integer", "Boolean", "Float"]);

/** What SageMaker says against a pipeline definition's structure: its parameters, its steps and what they refer to. */
export function* pipelineDefinitionProblems(definition: PropertyValue | undefined): Iterable<string> {
  if (!isMap(definition)) return yield "The definition must be a JSON object";
  if (definition.Version !== version)
    yield `Version must be "${version}", not ${JSON.stringify(definition.Version)}`;
  const parameters = mapsOf(definition.Parameters);
  for (const { Name, Type } of parameters)
    if (!parameterTypes.has(String(Type)))
      yield `The parameter "${String(Name)}" has the type "${String(Type)}", must be one of ${[...parameterTypes].join(", ")}`;
  yield* duplicates(parameters, "parameters");
  if (!Array.isArray(definition.Steps) || definition.Steps.length === 0)
    return yield "Pipeline must have at least one step";
  const steps = allSteps(definition.Steps);
  yield* duplicates(steps, "steps");
  const known = {
    steps: new Set(steps.map(({ Name }) => String(Name))),
    parameters: new Set(parameters.map(({ Name }) => String(Name))),
  };
  for (const step of steps) yield* stepProblems(step, known);
  yield* cycles(steps);
}

interface Known {
  readonly steps: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
}

function* stepProblems(step: PropertyMap, known: Known): Iterable<string> {
  const name = String(step.Name);
  if (!/^[A-Za-z0-9\-_]{1,64}$/.test(name))
    yield `The step name "${name}" must have 1 to 64 letters, digits, - and _`;
  if (!stepTypes.has(String(step.Type)))
    yield `The step "${name}" has the type "${String(step.Type)}", must be one of ${[...stepTypes].join(", ")}`;
  if (!isMap(step.Arguments) && step.Type !== "QualityCheck") yield `The step "${name}" has no Arguments`;
  for (const other of textsOf(step.DependsOn))
    if (!known.steps.has(other.split(".")[0] ?? ""))
      yield `The step "${name}" depends on "${other}", which is no step`;
  for (const reference of gets(withoutBranches(step))) {
    const problem = referenceProblem(reference, known, name);
    if (problem !== undefined) yield problem;
  }
}

function referenceProblem(reference: string, known: Known, step: string): string | undefined {
  const [kind, name = ""] = reference.split(/[.[\]]/);
  if (kind === "Parameters" && !known.parameters.has(name))
    return `The step "${step}" gets ${reference}, but there is no such parameter`;
  if (kind === "Steps" && !known.steps.has(name))
    return `The step "${step}" gets ${reference}, but there is no such step`;
  if (kind === "Steps" && name === step) return `The step "${step}" gets its own ${reference}`;
  return kind === "Parameters" || kind === "Steps" || kind === "Execution"
    ? undefined
    : `The step "${step}" gets ${reference}, which is neither a parameter, a step nor the execution`;
}

/** A step's references and dependencies lead back to itself. */
function* cycles(steps: readonly PropertyMap[]): Iterable<string> {
  const next = new Map(
    steps.map((step) => [
      String(step.Name),
      [
        ...textsOf(step.DependsOn),
        ...gets(withoutBranches(step))
          .filter((one) => one.startsWith("Steps."))
          .map((one) => one.split(/[.[]/)[1] ?? ""),
      ],
    ]),
  );
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name].join(" → ");
    if (done.has(name)) return undefined;
    for (const other of next.get(name) ?? []) {
      const cycle = walk(other, [...path, name]);
      if (cycle !== undefined) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of next.keys()) {
    const cycle = walk(name, []);
    if (cycle !== undefined) return yield `The steps depend on each other: ${cycle}`;
  }
}

/** Steps of both branches of a condition are steps of the pipeline too. */
function allSteps(steps: readonly PropertyValue[]): PropertyMap[] {
  return steps.filter(isMap).flatMap((step) => {
    const { IfSteps, ElseSteps } = isMap(step.Arguments) ? step.Arguments : {};
    return [step, ...allSteps([IfSteps, ElseSteps].flatMap((list) => (Array.isArray(list) ? list : [])))];
  });
}

function withoutBranches(step: PropertyMap): PropertyMap {
  if (!isMap(step.Arguments)) return step;
  const { IfSteps: _, ElseSteps: __, ...rest } = step.Arguments;
  return { ...step, Arguments: rest };
}

function gets(value: PropertyValue): string[] {
  if (Array.isArray(value)) return value.flatMap(gets);
  if (!isMap(value)) return [];
  const { Get } = value;
  if (typeof Get === "string" && Object.keys(value).length === 1) return [Get];
  const file = value["Std:JsonGet"];
  if (isMap(file) && isMap(file.PropertyFile)) return gets(file.PropertyFile);
  return Object.values(value).flatMap(gets);
}

function* duplicates(named: readonly PropertyMap[], what: string): Iterable<string> {
  const names = named.map(({ Name }) => String(Name));
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index)))
    yield `Two ${what} have the name "${name}": rename one`;
}

function mapsOf(value: PropertyValue | undefined): PropertyMap[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function textsOf(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
