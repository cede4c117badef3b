/** A class as labels and predictions name it. */
export type ClassName = string | number | boolean;

/** Share of predictions that equal their label (`sklearn.metrics.accuracy_score`). NaN of none, as all metrics here. */
export function accuracy(labels: readonly ClassName[], predictions: readonly ClassName[]): number {
  samePairs(labels, predictions);
  return meanOf(labels, (label, i) => (label === predictions[i] ? 1 : 0));
}

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Labels of this class. */
  readonly support: number;
}

/** Precision, recall and F1 of each class that occurs (`precision_recall_fscore_support(…, zero_division=0)`). */
export function classScores(
  labels: readonly ClassName[],
  predictions: readonly ClassName[],
): ReadonlyMap<ClassName, ClassScores> {
  samePairs(labels, predictions);
  const [support, predicted, hits] = [countsOf(labels), countsOf(predictions), new Map<ClassName, number>()];
  for (const [i, label] of labels.entries()) {
    if (label === predictions[i]) hits.set(label, (hits.get(label) ?? 0) + 1);
  }
  const classes = new Set([...support.keys(), ...predicted.keys()]);
  return new Map(
    [...classes].map((name) => {
      const [hit, wanted, given] = [hits.get(name) ?? 0, support.get(name) ?? 0, predicted.get(name) ?? 0];
      const scores = {
        precision: given === 0 ? 0 : hit / given,
        recall: wanted === 0 ? 0 : hit / wanted,
        f1: (2 * hit) / (wanted + given),
        support: wanted,
      };
      return [name, scores] as const;
    }),
  );
}

/**
 * Mean F1 of the classes (`sklearn.metrics.f1_score`): each alike with `macro`, by their number of labels with `weighted`.
 * F1 of one class alone is in `classScores`.
 */
export function f1(
  labels: readonly ClassName[],
  predictions: readonly ClassName[],
  average: "macro" | "weighted",
): number {
  const scores = [...classScores(labels, predictions).values()];
  const weight = ({ support }: ClassScores) => (average === "macro" ? 1 : support);
  return sumOf(scores, (score) => score.f1 * weight(score)) / sumOf(scores, weight);
}

/**
 * Area under the receiver operating characteristic: how likely a positive has a higher score than a negative, ties counting half
 * (Hanley, McNeil 1982; `sklearn.metrics.roc_auc_score`). NaN where there are only positives or none.
 */
export function areaUnderRoc(positives: readonly boolean[], scores: readonly number[]): number {
  samePairs(positives, scores);
  const order = scores.map((_, i) => i).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end] ?? 0] === scores[order[start] ?? 0]) end++;
    // Equal scores share the mean of the ranks start + 1 … end.
    const rank = (start + 1 + end) / 2;
    for (let at = start; at < end; at++) if (positives[order[at] ?? 0]) rankSum += rank;
    start = end;
  }
  const positive = sumOf(positives, Number);
  return (rankSum - (positive * (positive + 1)) / 2) / (positive * (positives.length - positive));
}

/** The smallest distance of a probability from 0 and 1, that of scikit-learn for doubles. */
const EPSILON = Number.EPSILON;

/** Mean of −ln of the probability that was given to the label's class (`sklearn.metrics.log_loss`). */
export function logLoss(probabilitiesOfLabels: readonly number[]): number {
  return meanOf(probabilitiesOfLabels, (p) => -Math.log(Math.min(1 - EPSILON, Math.max(EPSILON, p))));
}

/** Mean squared distance of a probability from what happened (Brier 1950). */
export function brierScore(positives: readonly boolean[], probabilities: readonly number[]): number {
  samePairs(positives, probabilities);
  return meanOf(positives, (positive, i) => (Number(positive) - (probabilities[i] ?? 0)) ** 2);
}

export interface RegressionErrors {
  readonly mae: number;
  readonly mse: number;
  readonly rmse: number;
  /** Coefficient of determination; NaN where all labels are equal. */
  readonly r2: number;
  /** Mean absolute error as a share of the label; the error of a label 0 is divided by 2⁻⁵². */
  readonly mape: number;
}

/** As `mean_absolute_error`, `mean_squared_error`, `root_mean_squared_error`, `r2_score`, `mean_absolute_percentage_error`. */
export function regressionErrors(
  labels: readonly number[],
  predictions: readonly number[],
): RegressionErrors {
  samePairs(labels, predictions);
  const error = (label: number, i: number) => (predictions[i] ?? 0) - label;
  const mean = meanOf(labels, (label) => label);
  const mse = meanOf(labels, (label, i) => error(label, i) ** 2);
  const variance = meanOf(labels, (label) => (label - mean) ** 2);
  return {
    mae: meanOf(labels, (label, i) => Math.abs(error(label, i))),
    mse,
    rmse: Math.sqrt(mse),
    r2: variance === 0 ? Number.NaN : 1 - mse / variance,
    mape: meanOf(labels, (label, i) => Math.abs(error(label, i)) / Math.max(Math.abs(label), EPSILON)),
  };
}

function samePairs(labels: readonly unknown[], predictions: readonly unknown[]): void {
  if (labels.length !== predictions.length) {
    throw new RangeError(`${labels.length} labels are compared with ${predictions.length} predictions`);
  }
}

function countsOf(names: readonly ClassName[]): Map<ClassName, number> {
  const counts = new Map<ClassName, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sumOf<T>(items: readonly T[], term: (item: T, index: number) => number): number {
  let sum = 0;
  for (const [i, item] of items.entries()) sum += term(item, i);
  return sum;
}

const meanOf = <T>(items: readonly T[], term: (item: T, index: number) => number) =>
  sumOf(items, term) / items.length;
