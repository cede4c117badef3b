import { percent } from "./figures.ts";
import type { Findings, MetricValue, MonitorRun } from "./findings.ts";
import type { LabelledPrediction } from "./label-join.ts";
import type { LabelStore } from "./label-store.ts";
import { labelledPredictions } from "./labelled-predictions.ts";
import { allQualities, className, isKnownMetric, isNumeric, qualityOf } from "./quality-metric.ts";
import type { MonitorSettings } from "./settings.ts";
import { mayWait } from "./window.ts";

/** A metric of fewer predictions says more about chance than about the model. */
export const FEWEST_LABELLED = 30;

const MOST_CLASSES_IN_MATRIX = 20;

/** Compares the model in use with what turned out to be right, by the quality gate's metric. */
export async function modelQuality(run: MonitorRun, store: LabelStore): Promise<Findings | undefined> {
  const { window, settings, model } = run;
  const { metric } = settings.gate;
  const labelled = await labelledPredictions(run, store);
  const { ofModel } = labelled;
  if (ofModel.length < FEWEST_LABELLED && mayWait(window)) return undefined;

  const quality = ofModel.length < FEWEST_LABELLED ? undefined : qualityOf(metric, ofModel);
  const registered = model?.metrics[metric];
  const loss =
    quality === undefined || registered === undefined
      ? undefined
      : qualityLoss(quality, registered, settings.gate.direction);
  const kind = kindOf(ofModel);
  const violations = quality === undefined ? [] : gateViolations(quality, settings.gate);
  return {
    documents: {
      "statistics.json": {
        version: 0,
        dataset: {
          item_count: ofModel.length,
          start_time: window.from.toISOString(),
          end_time: window.to.toISOString(),
        },
        [`${kind}_metrics`]: {
          ...(kind !== "regression" && confusionMatrix(ofModel)),
          ...valued({ ...allQualities(ofModel), ...(quality !== undefined && { [metric]: quality }) }),
        },
      },
      "constraints.json": {
        version: 0,
        [`${kind}_constraints`]: {
          [metric]: {
            threshold: settings.gate.threshold,
            comparison_operator: operatorOf(settings.gate),
          },
        },
      },
      "constraint_violations.json": { violations },
    },
    summary: { labels: { counted: labelled.predictions.length, ...labelled.counts }, registered, loss },
    metrics: [
      ...(quality === undefined ? [] : [{ name: "ModelQuality", value: quality } as const]),
      ...(loss === undefined ? [] : [{ name: "QualityLoss", value: loss } as const]),
      ...businessValue(labelled.predictions),
    ],
    problems: [
      ...violations.map(({ description }) => description),
      ...(loss !== undefined && loss > settings.thresholds.qualityLoss
        ? [`${metric} is ${percent(loss)} worse than when the model was registered`]
        : []),
      ...(isKnownMetric(metric)
        ? []
        : [`The quality gate's metric ${metric} is none that the monitor knows, so nobody watches it`]),
    ],
    severity: "warning",
    files: labelled.files,
  };
}

/**
 * Share by which a metric is worse than it was; 0 where it is no worse. Where it was 0, any loss is a whole one.
 */
export function qualityLoss(
  now: number,
  registered: number,
  direction: MonitorSettings["gate"]["direction"],
): number {
  const worse = direction === "atLeast" ? registered - now : now - registered;
  if (worse <= 0) return 0;
  return registered === 0 ? 1 : worse / Math.abs(registered);
}

const operatorOf = ({ direction }: MonitorSettings["gate"]) =>
  direction === "atLeast" ? "LessThanThreshold" : "GreaterThanThreshold";

function gateViolations(quality: number, gate: MonitorSettings["gate"]) {
  const { metric, threshold, direction } = gate;
  const isMissed = direction === "atLeast" ? quality < threshold : quality > threshold;
  if (!isMissed) return [];
  const operator = operatorOf(gate);
  return [
    {
      constraint_check_type: operator,
      description: `Metric ${metric} with ${quality} was ${operator} '${threshold}'`,
      metric_name: metric,
    },
  ];
}

function kindOf(pairs: readonly LabelledPrediction[]) {
  if (isNumeric(pairs)) return "regression";
  const classes = new Set(pairs.map(({ label }) => className(label)));
  return classes.size > 2 ? "multiclass_classification" : "binary_classification";
}

const valued = (metrics: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { value }]));

/** Predictions by label, and by what was predicted; not of many classes. */
function confusionMatrix(pairs: readonly LabelledPrediction[]) {
  const matrix = new Map<string, Map<string, number>>();
  for (const { label, value } of pairs) {
    const row = matrix.get(className(label)) ?? new Map<string, number>();
    const predicted = className(value);
    matrix.set(className(label), row.set(predicted, (row.get(predicted) ?? 0) + 1));
  }
  const isSmall = [...matrix.values(), matrix].every(({ size }) => size <= MOST_CLASSES_IN_MATRIX);
  const rows = [...matrix].map(([label, row]) => [label, Object.fromEntries([...row].sort())]);
  return isSmall && { confusion_matrix: Object.fromEntries(rows.sort()) };
}

/** What labels say that predictions gained or saved, altogether and by variant. */
function businessValue(predictions: readonly LabelledPrediction[]): readonly MetricValue[] {
  const worth = new Map<string, number>();
  for (const { variant, worth: dollars } of predictions) {
    if (dollars !== undefined) worth.set(variant, (worth.get(variant) ?? 0) + dollars);
  }
  if (worth.size === 0) return [];
  const total = [...worth.values()].reduce((sum, dollars) => sum + dollars, 0);
  return [
    { name: "BusinessValue", value: total },
    ...[...worth].map(([variant, value]) => ({ name: "BusinessValue", value, variant }) as const),
  ];
}
