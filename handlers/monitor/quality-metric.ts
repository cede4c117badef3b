import {
  accuracy,
  areaUnderRoc,
  brierScore,
  classScores,
  f1,
  logLoss,
  regressionErrors,
} from "../statistics/metrics.ts";

/** A prediction with what turned out to be right. */
export interface Pair {
  readonly label: string;
  readonly value: string | number;
  /** Probability of the positive class. */
  readonly score?: number;
}

/** Pairs as the metrics take them. */
interface Sample {
  readonly labels: readonly string[];
  readonly classes: readonly string[];
  readonly numbers: { readonly labels: readonly number[]; readonly predictions: readonly number[] };
  /** The greater of two classes, as scikit-learn has it; undefined where there are more. */
  readonly positive: string | undefined;
  readonly scores: readonly number[];
}

type Metric = (sample: Sample) => number;

const ofPositive =
  (score: "precision" | "recall" | "f1"): Metric =>
  ({ labels, classes, positive }) => {
    const scores = classScores(labels, classes);
    if (positive !== undefined) return scores.get(positive)?.[score] ?? 0;
    const each = [...scores.values()].map((one) => one[score]);
    return each.reduce((sum, one) => sum + one, 0) / each.length;
  };

const isPositive = ({ labels, positive }: Sample) => labels.map((label) => label === positive);

const ofScores =
  (metric: (positives: readonly boolean[], scores: readonly number[]) => number): Metric =>
  (sample) =>
    sample.positive === undefined || sample.scores.some(Number.isNaN)
      ? Number.NaN
      : metric(isPositive(sample), sample.scores);

const ofErrors =
  (name: "mae" | "mse" | "rmse" | "r2" | "mape"): Metric =>
  ({ numbers }) =>
    regressionErrors(numbers.labels, numbers.predictions)[name];

/** By name without case, hyphens and underscores. */
const METRICS: Readonly<Record<string, Metric>> = {
  accuracy: ({ labels, classes }) => accuracy(labels, classes),
  precision: ofPositive("precision"),
  recall: ofPositive("recall"),
  f1: ofPositive("f1"),
  f1score: ofPositive("f1"),
  f1macro: ({ labels, classes }) => f1(labels, classes, "macro"),
  macrof1: ({ labels, classes }) => f1(labels, classes, "macro"),
  f1weighted: ({ labels, classes }) => f1(labels, classes, "weighted"),
  weightedf1: ({ labels, classes }) => f1(labels, classes, "weighted"),
  auc: ofScores(areaUnderRoc),
  rocauc: ofScores(areaUnderRoc),
  logloss: ofScores((positives, scores) =>
    logLoss(scores.map((score, index) => (positives[index] ? score : 1 - score))),
  ),
  brier: ofScores(brierScore),
  brierscore: ofScores(brierScore),
  mae: ofErrors("mae"),
  mse: ofErrors("mse"),
  rmse: ofErrors("rmse"),
  r2: ofErrors("r2"),
  mape: ofErrors("mape"),
};

const metricNamed = (name: string): Metric | undefined => METRICS[name.toLowerCase().replace(/[-_]/g, "")];

/** Whether the monitor can compute a metric of this name. */
export const isKnownMetric = (name: string): boolean => metricNamed(name) !== undefined;

/**
 * A metric of labelled predictions by its usual name; undefined where they don't have it: a name that is not known, errors of what is no
 * number, a curve without scores or with one class.
 *
 * Of two classes the greater one is positive; precision, recall and F1 of more are the classes' mean. A number from 0 to 1 beside labels
 * of 0 and 1 is the probability of 1.
 */
export function qualityOf(name: string, pairs: readonly Pair[]): number | undefined {
  const value = pairs.length === 0 ? undefined : metricNamed(name)?.(sampleOf(pairs));
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** Names and values of every metric that these pairs have. */
export function allQualities(pairs: readonly Pair[]): Readonly<Record<string, number>> {
  const names = isNumeric(pairs)
    ? ["mae", "mse", "rmse", "r2"]
    : ["accuracy", "precision", "recall", "f1", "auc"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = qualityOf(name, pairs);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Whether a model predicts numbers, not classes: its labels are no few whole numbers. */
export function isNumeric(pairs: readonly Pair[]): boolean {
  const labels = new Set(pairs.map(({ label }) => label));
  const numbers = [...labels].map(Number);
  return (
    pairs.every(({ value }) => typeof value === "number") &&
    numbers.every((number) => Number.isFinite(number)) &&
    (numbers.length > MOST_NUMBERED_CLASSES || !numbers.every(Number.isInteger))
  );
}

const MOST_NUMBERED_CLASSES = 20;

/** The class as labels name it: 1, 1.0 and "1" are one. */
export function className(value: string | number): string {
  const number = value === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? String(number) : String(value);
}

function sampleOf(pairs: readonly Pair[]): Sample {
  const labels = pairs.map(({ label }) => className(label));
  const seen = new Set(labels);
  const isBinary = [...seen].every((label) => label === "0" || label === "1");
  const classes = pairs.map(({ value }) => {
    const isProbability = isBinary && typeof value === "number" && value >= 0 && value <= 1;
    return isProbability ? (value >= 0.5 ? "1" : "0") : className(value);
  });
  const all = [...new Set([...labels, ...classes])].sort(byValue);
  return {
    labels,
    classes,
    numbers: {
      labels: labels.map(Number),
      predictions: pairs.map(({ value }) => Number(value)),
    },
    positive: all.length > 2 ? undefined : isBinary ? "1" : all.at(-1),
    scores: pairs.map(({ score, value }) => score ?? Number(value)),
  };
}

const byValue = (one: string, other: string) => {
  const distance = Number(one) - Number(other);
  return Number.isNaN(distance) ? (one < other ? -1 : 1) : distance;
};
