import { hoursBetween } from "../captures/capture-keys.ts";
import type { Findings, MonitorRun } from "./findings.ts";
import type { LabelledPrediction } from "./label-join.ts";
import type { LabelStore } from "./label-store.ts";
import { labelledPredictions, segmentsOf } from "./labelled-predictions.ts";
import { FEWEST_LABELLED } from "./model-quality.ts";
import { PredictedShares, type SegmentDisparity } from "./predicted-shares.ts";
import { qualityOf } from "./quality-metric.ts";
import { mayWait } from "./window.ts";

/** The model's quality for one value of a segment. */
interface ValueQuality {
  readonly value: string;
  readonly count: number;
  readonly quality: number;
}

/** The values of a segment that have enough labels, the worst first and the best last as the gate sees it. */
interface SegmentQuality {
  readonly column: string;
  readonly values: readonly ValueQuality[];
  /** Between the best and the worst; undefined with fewer than two values. */
  readonly gap: number | undefined;
}

/** Compares the model's quality, and what it predicts, between the values of the declared segments. */
export async function bias(run: MonitorRun, store: LabelStore): Promise<Findings | undefined> {
  const { window, settings, captures } = run;
  const { metric } = settings.gate;
  const labelled = await labelledPredictions(run, store);
  const { ofModel } = labelled;
  if (ofModel.length < FEWEST_LABELLED && mayWait(window)) return undefined;

  const shares = new PredictedShares(settings.segments);
  for (const hour of hoursBetween(window.from, window.to)) {
    for await (const { instances, predictions } of captures.hour(hour)) {
      for (const [index, { value }] of (predictions ?? []).entries()) {
        shares.add(segmentsOf(instances[index], settings.segments), value);
      }
    }
  }
  const qualities = settings.segments.map((column, index) =>
    segmentQuality(column, ofModel, index, metric, settings.gate.direction),
  );
  const gaps = qualities.flatMap(({ gap }) => (gap === undefined ? [] : [gap]));
  const violations = qualities.flatMap(({ column, values: [worst], gap }) =>
    gap === undefined || worst === undefined || gap <= settings.thresholds.biasGap
      ? []
      : [
          {
            facet: column,
            facet_value: worst.value,
            metric_name: metric,
            constraint_check_type: "bias_drift_check",
            description: `${metric} differs by ${gap} between values of ${column}, and ${settings.thresholds.biasGap} is accepted`,
          },
        ],
  );
  return {
    documents: {
      "analysis.json": analysisDocument(metric, qualities, shares.disparities()),
      "constraint_violations.json": { version: "1.0", violations },
    },
    summary: { labels: { counted: labelled.predictions.length, ...labelled.counts } },
    metrics: gaps.length === 0 ? [] : [{ name: "BiasGap", value: Math.max(...gaps) }],
    // Values of segments are content of the data: they stand in the report only.
    problems: violations.map(({ description }) => description),
    severity: "warning",
    files: labelled.files,
  };
}

/** Quality by a segment's values, each with enough labels to say something. */
export function segmentQuality(
  column: string,
  predictions: readonly LabelledPrediction[],
  segment: number,
  metric: string,
  direction: "atLeast" | "atMost",
): SegmentQuality {
  const groups = Map.groupBy(predictions, ({ segments }) => segments[segment] ?? null);
  const values = [...groups].flatMap(([value, group]): readonly ValueQuality[] => {
    const quality = group.length < FEWEST_LABELLED ? undefined : qualityOf(metric, group);
    return value === null || quality === undefined ? [] : [{ value, count: group.length, quality }];
  });
  const sign = direction === "atLeast" ? 1 : -1;
  values.sort((one, other) => sign * (one.quality - other.quality) || (one.value < other.value ? -1 : 1));
  const [worst, best] = [values[0], values.at(-1)];
  const gap =
    values.length < 2 || worst === undefined || best === undefined
      ? undefined
      : Math.abs(best.quality - worst.quality);
  return { column, values, gap };
}

/** As Clarify publishes it (https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-analysis-results.html). */
function analysisDocument(
  metric: string,
  qualities: readonly SegmentQuality[],
  disparities: readonly SegmentDisparity[],
) {
  const facets = disparities.map(({ column, values }) => {
    const measured = qualities.find((one) => one.column === column)?.values ?? [];
    return [
      column,
      values.map(({ value, predictedClass, count, dppl, di }) => {
        const own = measured.find((one) => one.value === value);
        return {
          value_or_threshold: value,
          count,
          ...(predictedClass !== undefined && { positive_prediction: predictedClass }),
          metrics: [
            ...(dppl === undefined
              ? []
              : [
                  {
                    name: "DPPL",
                    description: "Difference in Positive Proportions in Predicted Labels",
                    value: dppl,
                  },
                ]),
            ...(di === undefined ? [] : [{ name: "DI", description: "Disparate Impact", value: di }]),
            ...(own === undefined
              ? []
              : [{ name: metric, description: `${metric} of ${own.count} labels`, value: own.quality }]),
          ],
        };
      }),
    ] as const;
  });
  return {
    version: "1.0",
    post_training_bias_metrics: { label: "prediction", facets: Object.fromEntries(facets) },
    gaps: Object.fromEntries(qualities.map(({ column, gap }) => [column, gap ?? null])),
  };
}
