import Type from "typebox";
import { Compile } from "typebox/compile";
import { PREFIX } from "../../programs/storage-layout.ts";
import { hourPath } from "../captures/capture-keys.ts";
import { inferenceMoment } from "../captures/inference-id.ts";

const LabelValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

/**
 * What turned out to be right, a line each in `labels/yyyy/mm/dd/hh/*.jsonl` by the hour (UTC) in which it is brought.
 *
 * A request with one instance has one label; one with several has a list of them, null for what isn't known.
 */
export const LabelLine = Type.Object({
  inferenceId: Type.String({ minLength: 1, description: "The request's inference id." }),
  label: Type.Union([LabelValue, Type.Array(Type.Union([LabelValue, Type.Null()]))]),
  at: Type.Optional(
    Type.String({ description: "When the prediction was made, ISO 8601: spares looking for it." }),
  ),
  value: Type.Optional(Type.Number({ description: "US dollars that the prediction gained or saved." })),
});

/** The form that SageMaker Model Monitor takes labels in, so that a team need not change what it brings. */
const GroundTruthLine = Type.Object({
  groundTruthData: Type.Object({ data: Type.String(), encoding: Type.Literal("CSV") }),
  eventMetadata: Type.Object({ eventId: Type.String({ minLength: 1 }) }),
});

const labelLine = Compile(LabelLine);
const groundTruthLine = Compile(GroundTruthLine);

export interface Label {
  readonly inferenceId: string;
  /** Of the instance in its request, from 0. */
  readonly index: number;
  readonly label: string;
  readonly value?: number;
  /** When the prediction was made, where the label or the id tells. */
  readonly predictedAt?: Date;
}

/** Folder of the labels that were brought in an hour. */
export const labelFolder = (at: Date): string => `${PREFIX.labels}${hourPath(at)}/`;

/** The labels in a line, or undefined where it is none. */
export function parseLabels(line: string): readonly Label[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (groundTruthLine.Check(parsed)) {
    const inferenceId = parsed.eventMetadata.eventId;
    return labels(inferenceId, [parsed.groundTruthData.data], inferenceMoment(inferenceId));
  }
  if (!labelLine.Check(parsed)) return undefined;
  const { inferenceId, label, at, value } = parsed;
  const told = at === undefined ? undefined : new Date(at);
  if (told !== undefined && Number.isNaN(told.getTime())) return undefined;
  return labels(
    inferenceId,
    Array.isArray(label) ? label : [label],
    told ?? inferenceMoment(inferenceId),
    value,
  );
}

/** The value of a request is told once, with the first of its labels. */
function labels(
  inferenceId: string,
  values: readonly (string | number | boolean | null)[],
  predictedAt: Date | undefined,
  value?: number,
): readonly Label[] {
  const known = values
    .map((label, index) => ({ label, index }))
    .filter((one): one is { label: string | number | boolean; index: number } => one.label !== null);
  return known.map(({ label, index }, position) => ({
    inferenceId,
    index,
    label: String(label),
    ...(predictedAt !== undefined && { predictedAt }),
    ...(position === 0 && value !== undefined && { value }),
  }));
}
