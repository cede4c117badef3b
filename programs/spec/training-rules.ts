import { isCredentialName } from "../credential-patterns.ts";
import { scheduleProblem } from "../schedule-expression.ts";
import type { PipelineSpec } from "../spec.ts";
import { pointer, type SpecProblem } from "./problem.ts";

type Training = PipelineSpec["training"];
type Range = NonNullable<Training["tuning"]>["ranges"][number];

const at = (...keys: readonly (string | number)[]) => pointer("training", "tuning", ...keys);

/** Metrics that the built-in XGBoost reports on the validation channel, which a search compares its jobs by. */
const XGBOOST_METRICS = [
  "accuracy",
  "auc",
  "balanced_accuracy",
  "error",
  "f1",
  "logloss",
  "mae",
  "map",
  "merror",
  "mlogloss",
  "mse",
  "ndcg",
  "r2",
  "rmse",
];

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_IntegerParameterRange.html and its neighbours. */
function* rangeProblems(range: Range, index: number): Iterable<SpecProblem> {
  if (range.type === "categorical") {
    if (new Set(range.values).size < range.values.length) {
      yield { path: at("ranges", index, "values"), message: "lists a value twice" };
    }
    return;
  }
  const { min, max, scale, type } = range;
  if (min >= max) {
    yield { path: at("ranges", index, "max"), message: `must be above min (${min})` };
  }
  if (type === "integer" && !(Number.isInteger(min) && Number.isInteger(max))) {
    yield { path: at("ranges", index), message: "an integer range has whole limits" };
  }
  if (scale === "logarithmic" && min <= 0) {
    yield { path: at("ranges", index, "min"), message: "must be above 0 on a logarithmic scale" };
  }
}

/** Every breach of a rule on the search for hyperparameters. */
export function* tuningProblems({ training }: PipelineSpec): Iterable<SpecProblem> {
  const { algorithm, hyperparameters, qualityGate, spot, tuning } = training;
  if (tuning === undefined) return;
  if (tuning.maxParallelJobs > tuning.maxJobs) {
    yield { path: at("maxParallelJobs"), message: `is more than maxJobs (${tuning.maxJobs})` };
  }
  const seen = new Set<string>();
  for (const [index, range] of tuning.ranges.entries()) {
    const path = at("ranges", index, "name");
    if (isCredentialName(range.name)) {
      yield { path, message: `"${range.name}" is the name of a credential: tune no secrets` };
    }
    if (seen.has(range.name)) yield { path, message: `"${range.name}" has a range already` };
    seen.add(range.name);
    if (Object.hasOwn(hyperparameters, range.name)) {
      yield {
        path,
        message: `"${range.name}" is fixed by training.hyperparameters: remove it there or here`,
      };
    }
    yield* rangeProblems(range, index);
  }
  if (algorithm !== undefined && spot.enabled) {
    yield {
      path: pointer("training", "spot", "enabled"),
      message: `must be false: a search's jobs share their checkpoints, and ${algorithm} would go on from another job's`,
    };
  }
  if (algorithm === "xgboost" && !XGBOOST_METRICS.includes(qualityGate.metric)) {
    yield {
      path: pointer("training", "qualityGate", "metric"),
      message: `xgboost reports no "${qualityGate.metric}" to search by: name one of ${XGBOOST_METRICS.join(", ")}`,
    };
  }
}

export function* notebookProblems({ notebook }: PipelineSpec): Iterable<SpecProblem> {
  const problem = notebook === undefined ? undefined : scheduleProblem(notebook.stopSchedule);
  if (problem !== undefined) yield { path: pointer("notebook", "stopSchedule"), message: problem };
}
