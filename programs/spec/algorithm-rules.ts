import type { PipelineSpec } from "../spec.ts";
import { pointer, type SpecProblem } from "./problem.ts";

type OtherMode = Exclude<PipelineSpec["serving"]["mode"], "serverless">;

const WHY_NOT: Readonly<Record<OtherMode, string>> = {
  // Which version gets a request is decided inside of the endpoint, after its features were made.
  realtime:
    "SageMaker divides the traffic of a real-time endpoint, so nobody knows whose features a request needs",
  lambda: "its image is none for Lambda",
  ecs: "its image listens without TLS",
};

/** Columns that would reach the model as texts. */
function* textProblems(
  { features, schema }: PipelineSpec["dataset"],
  algorithm: string,
): Iterable<SpecProblem> {
  if (features === undefined) return;
  const encoded = new Set(features.encode.flatMap(({ columns }) => columns));
  for (const [index, { name, type }] of schema.entries()) {
    if (type !== "string" || name === features.target) continue;
    if (encoded.has(name) || features.drop.includes(name)) continue;
    yield {
      path: pointer("dataset", "schema", index),
      message: `column "${name}" is text, and ${algorithm} takes numbers only: name it in dataset.features.encode or drop`,
    };
  }
}

/**
 * Every breach of a rule on built-in algorithms. Their container serves as well as it trains: it takes numbers in the order of training,
 * knows no names and can apply no transform. So features must be declared, target included, and the gate makes them, which it can do
 * where it decides itself which version is asked.
 */
export function* algorithmProblems({ dataset, training, serving }: PipelineSpec): Iterable<SpecProblem> {
  const { algorithm } = training;
  if (algorithm === undefined) return;
  if (dataset.features === undefined) {
    yield {
      path: pointer("dataset", "features"),
      message: `is required with training.algorithm ${algorithm}, whose models take nothing but numbers in one order: name at least the target`,
    };
  }
  yield* textProblems(dataset, algorithm);
  if (Object.hasOwn(training.hyperparameters, "target")) {
    yield {
      path: pointer("training", "hyperparameters", "target"),
      message: `is no hyperparameter of ${algorithm}, which refuses unknown ones: dataset.features.target names the target`,
    };
  }
  if (serving.mode === "serverless") return;
  yield {
    path: pointer("serving", "mode"),
    message: `${serving.mode} can't serve ${algorithm}: ${WHY_NOT[serving.mode]}. Use serverless, or an image of your own instead of training.algorithm`,
  };
}
