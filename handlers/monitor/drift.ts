import { LEAST_ATTRIBUTION_NDCG } from "../../programs/alarms.ts";
import type { DatasetColumn } from "../../programs/spec.ts";
import { hoursBetween } from "../captures/capture-keys.ts";
import type { Prediction } from "../captures/predictions.ts";
import { driftBetween } from "../dataset/drift.ts";
import type { Profile } from "../dataset/profile.ts";
import { AttributionMeans, attributionNdcg } from "./attribution-drift.ts";
import type { Findings, MonitorRun } from "./findings.ts";
import { isOfModel } from "./model-in-use.ts";
import { statisticsDocument } from "./model-monitor-documents.ts";
import { NumberMoments } from "./number-moments.ts";
import type { PredictionBaseline, PredictionBaselines } from "./prediction-baseline.ts";
import { type ProfiledRows, RowProfiler } from "./profiled-rows.ts";
import { mayWait } from "./window.ts";

/** With fewer rows in ten bins, chance alone comes near the usual threshold of 0.1: by (10 − 1) / rows. */
const FEWEST_ROWS = 200;

/** A model answers with numbers or with classes. */
const PREDICTION_COLUMNS: readonly DatasetColumn[] = [
  { name: "prediction", type: "number", nullable: true },
  { name: "class", type: "string", nullable: true },
];

interface Answers {
  readonly rows: ProfiledRows;
  readonly attributions: AttributionMeans;
}

/** What predictions are compared with, and where that is kept. */
export interface DriftBaselines {
  /** Of accepted data; undefined before the first. */
  readonly data: { readonly version: string | number; readonly profile: Profile } | undefined;
  readonly predictions: PredictionBaselines;
}

/**
 * Compares what is asked with accepted data, and what the model in use answers, and why, with what it answered first. Numbers count as
 * they are; the mean of classes is that of the positive one's probability, or of the predicted one's where the model says only that.
 */
export async function drift(run: MonitorRun, baselines: DriftBaselines): Promise<Findings | undefined> {
  const { window, settings, model } = run;
  const { columns, target, quality } = settings;
  const inputs = columns.filter(({ name }) => name !== target);
  const { asked, answers, mean } = await readWindow(run, inputs);
  if (asked.profile.rows < FEWEST_ROWS && mayWait(window)) return undefined;

  const isEnough = (rows: ProfiledRows) => rows.profile.rows >= FEWEST_ROWS;
  const known = model && (await baselines.predictions.read(model.version));
  const compare = (baseline: Profile | undefined, fresh: ProfiledRows, compared: readonly DatasetColumn[]) =>
    baseline === undefined || !isEnough(fresh)
      ? undefined
      : driftBetween(baseline, fresh.profile, sent(compared, fresh), quality.driftMethod);
  const ofInputs = compare(baselines.data?.profile, asked, inputs);
  const ofAnswers = compare(known?.profile, answers.rows, PREDICTION_COLUMNS);
  if (model !== undefined && known === undefined && isEnough(answers.rows)) {
    await baselines.predictions.write(model.version, firstAnswers(run, model.modelPackageArn, answers));
  }
  const ndcg = attributionScore(model?.attributions ?? known?.attributions, answers.attributions);

  const compared = [...(ofInputs?.columns ?? []), ...(ofAnswers?.columns ?? [])];
  const drifted = compared.filter(({ score }) => score > quality.driftThreshold);
  const scores = [ofInputs?.score, ofAnswers?.score].filter((score) => score !== undefined);
  const violations = [
    ...drifted.map(({ name, score }) => ({
      feature_name: name,
      constraint_check_type: "baseline_drift_check",
      description: `Drift score (${quality.driftMethod}) ${score.toFixed(3)} exceeds ${quality.driftThreshold}`,
    })),
    ...(ndcg !== undefined && ndcg < LEAST_ATTRIBUTION_NDCG
      ? [
          {
            label: "label0",
            metric_name: "shap",
            constraint_check_type: "feature_attribution_drift_check",
            description: `Feature attribution drift ${ndcg} exceeds threshold ${LEAST_ATTRIBUTION_NDCG}`,
          },
        ]
      : []),
  ];
  return {
    documents: {
      "statistics.json": statisticsDocument(
        [...inputs, ...PREDICTION_COLUMNS],
        together(asked, answers.rows),
      ),
      "constraint_violations.json": { violations },
      "analysis.json": {
        version: "1.0",
        method: quality.driftMethod,
        inputs: ofInputs,
        predictions: ofAnswers,
        ...(answers.attributions.count > 0 && {
          explanations: { reported: { label0: { global_shap_values: answers.attributions.means() } } },
        }),
      },
    },
    summary: {
      dataBaseline: baselines.data?.version,
      predictionBaseline: known && { from: known.from, to: known.to },
      answers: answers.rows.profile.rows,
      attributionNdcg: ndcg,
    },
    metrics: [
      ...(scores.length === 0 ? [] : [{ name: "PredictionDrift", value: Math.max(...scores) } as const]),
      ...(ndcg === undefined ? [] : [{ name: "AttributionNdcg", value: ndcg } as const]),
      ...(mean.count === 0 ? [] : [{ name: "PredictionMean", value: mean.mean } as const]),
    ],
    problems: violations.map((violation) =>
      "feature_name" in violation
        ? `${violation.feature_name}: ${violation.description}`
        : violation.description,
    ),
    severity: "warning",
  };
}

async function readWindow(run: MonitorRun, inputs: readonly DatasetColumn[]) {
  const { window, captures, connection, model } = run;
  const asked = new RowProfiler(connection, "requests", inputs);
  const answered = new RowProfiler(connection, "answers", PREDICTION_COLUMNS);
  const attributions = new AttributionMeans();
  const mean = new NumberMoments();
  for (const hour of hoursBetween(window.from, window.to)) {
    for await (const { instances, predictions, modelVersion } of captures.hour(hour)) {
      for (const instance of instances) await asked.add(instance);
      // During a release another version answers some: it has a baseline of its own once it is the one in use.
      if (!isOfModel(model, modelVersion)) continue;
      for (const prediction of predictions ?? []) {
        const { value } = prediction;
        await answered.add(typeof value === "number" ? { prediction: value } : { class: value });
        const number = numberOf(prediction);
        if (number !== undefined) mean.add(number);
        if (prediction.attributions !== undefined) attributions.add(prediction.attributions);
      }
    }
  }
  const answers: Answers = { rows: await answered.finish(), attributions };
  return { asked: await asked.finish(), answers, mean };
}

const numberOf = ({ value, score, confidence }: Prediction): number | undefined =>
  typeof value === "number" ? value : (score ?? confidence);

/** Columns that have a value anywhere: one that nobody sends is no input, such as a target that isn't declared. */
const sent = (columns: readonly DatasetColumn[], { present }: ProfiledRows) =>
  columns.filter(({ name }) => (present.get(name) ?? 0) > 0);

function firstAnswers(
  { window }: MonitorRun,
  modelPackageArn: string,
  { rows, attributions }: Answers,
): PredictionBaseline {
  return {
    modelPackageArn,
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    profile: rows.profile,
    ...(attributions.count > 0 && { attributions: attributions.means() }),
  };
}

function attributionScore(
  baseline: Readonly<Record<string, number>> | undefined,
  live: AttributionMeans,
): number | undefined {
  return baseline === undefined || live.count < FEWEST_ROWS
    ? undefined
    : attributionNdcg(baseline, live.means());
}

/** For one document: a request has as many answers as instances, but for those that failed. */
function together(asked: ProfiledRows, answered: ProfiledRows): ProfiledRows {
  return {
    profile: {
      version: 1,
      rows: asked.profile.rows,
      columns: { ...asked.profile.columns, ...answered.profile.columns },
    },
    moments: new Map([...asked.moments, ...answered.moments]),
    present: new Map([...asked.present, ...answered.present]),
  };
}
