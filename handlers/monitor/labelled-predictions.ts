import { join } from "node:path";
import { hourOf, hoursBetween } from "../captures/capture-keys.ts";
import type { Instance } from "../captures/instances.ts";
import type { MonitorRun } from "./findings.ts";
import { LabelJoin, type LabelledPrediction } from "./label-join.ts";
import { COUNTED_FILE, type LabelStore } from "./label-store.ts";
import { isOfModel } from "./model-in-use.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Labels may come this long after their predictions. Reports that old are asked which labels they counted, so that each counts once
 * whenever it is brought again.
 */
const LATEST_DAYS = 31;

/** Where neither label nor inference id says when the prediction was made, it is looked for in this time. */
const SEARCHED_DAYS = 7;

export interface LabelledWindow {
  readonly predictions: readonly LabelledPrediction[];
  /** Those of the model in use: late labels may be of a version before it. */
  readonly ofModel: readonly LabelledPrediction[];
  readonly counts: {
    /** Lines in the window's label files that are no labels. */
    readonly unreadable: number;
    readonly late: number;
    readonly repeated: number;
    /** Labels whose predictions were not captured, or not found. */
    readonly unmatched: number;
  };
  /** For the report, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Values of columns as segments name them. */
export const segmentsOf = (instance: Instance | undefined, columns: readonly string[]) =>
  columns.map((column) => {
    const value = instance?.[column];
    return value === undefined || value === null ? null : String(value);
  });

/** Joins the labels that were brought in the window with the predictions that they are of, whenever those were made. */
export async function labelledPredictions(run: MonitorRun, store: LabelStore): Promise<LabelledWindow> {
  const { window, settings, captures, connection, workFolder, model } = run;
  const watermark = new Date(window.from.getTime() - LATEST_DAYS * DAY_MS);
  const labels = new LabelJoin(connection, settings.segments.length);
  await labels.open();
  let unreadable = 0;
  for await (const brought of store.brought(window)) {
    if (brought === undefined) unreadable += 1;
    for (const label of brought ?? []) labels.addLabel(label);
  }
  await labels.addCounted(await store.counted(window, watermark, workFolder));
  const { waiting, repeated, late } = await labels.settle(watermark);
  for (const hour of hoursToSearch(run, await labels.moments())) {
    for await (const { instances, predictions, ...request } of captures.hour(hour)) {
      for (const [index, { value, score }] of (predictions ?? []).entries()) {
        const segments = segmentsOf(instances[index], settings.segments);
        await labels.addPrediction({ ...request, index, value, score, segments });
      }
    }
  }
  const predictions = await labels.results();
  const file = join(workFolder, COUNTED_FILE);
  if (predictions.length > 0) await labels.writeCounted(file);
  return {
    predictions,
    ofModel: predictions.filter(({ modelVersion }) => isOfModel(model, modelVersion)),
    counts: { unreadable, late, repeated, unmatched: waiting - predictions.length },
    files: predictions.length > 0 ? { [COUNTED_FILE]: file } : {},
  };
}

/** A capture stands in the hour of its request, or in the next one where that was about to end. */
function hoursToSearch(
  { window }: MonitorRun,
  { hours, someUnknown }: { readonly hours: readonly Date[]; readonly someUnknown: boolean },
): readonly Date[] {
  const searched = someUnknown
    ? hoursBetween(new Date(window.from.getTime() - SEARCHED_DAYS * DAY_MS), window.to)
    : [];
  const told = hours.flatMap((hour) => [hourOf(hour), new Date(hourOf(hour).getTime() + HOUR_MS)]);
  const moments = [...searched, ...told]
    .map((hour) => hour.getTime())
    .filter((ms) => ms < window.to.getTime());
  return [...new Set(moments)].sort((one, other) => one - other).map((ms) => new Date(ms));
}
