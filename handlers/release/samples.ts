import { GetObjectCommand, NoSuchKey, type S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { PREFIX } from "../../programs/storage-layout.ts";
import type { TransformParameters } from "../features/parameters.ts";
import { featureInput, UnfitRows } from "../models/feature-input.ts";
import { ReleaseFailed } from "./failures.ts";
import type { Column } from "./settings.ts";

/**
 * One line of `evaluations/<execution>/samples.jsonl`, which `evaluate` may write beside its report: what the model is asked, as the
 * gate would ask it, and what it has to answer.
 */
export const Sample = Type.Object({
  /** `{"instances": […]}`, or CSV as text. */
  request: Type.Unknown(),
  contentType: Type.Optional(Type.String()),
  /** Form of the answer; without it the request's. */
  accept: Type.Optional(Type.String()),
  /** A prediction for each instance: a class, or a number. */
  expected: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
  /** How far a number may be from what is expected. */
  tolerance: Type.Optional(Type.Number({ minimum: 0 })),
});
export type Sample = Static<typeof Sample>;

/** Samples beyond these are left alone: a release is no evaluation. */
const MOST_SAMPLES = 100;
const MOST_BYTES = 5 * 2 ** 20;

/** What the version's own evaluation recorded, or undefined where it recorded nothing. Throws `TestsFailed` for what is no sample. */
export async function recordedSamples(
  s3: S3Client,
  bucket: string,
  execution: string | undefined,
): Promise<readonly Sample[] | undefined> {
  if (execution === undefined) return undefined;
  const Key = `${PREFIX.evaluations}${execution}/samples.jsonl`;
  try {
    const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    if (ContentLength > MOST_BYTES)
      throw unreadable(Key, `has ${ContentLength} bytes, more than ${MOST_BYTES}`);
    const text = (await Body?.transformToString()) ?? "";
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.slice(0, MOST_SAMPLES).map((line, index) => sampleOf(line, `${Key}, line ${index + 1}`));
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

const unreadable = (place: string, problem: string, cause?: unknown) =>
  new ReleaseFailed("TestsFailed", `${place} ${problem}`, { cause });

function sampleOf(line: string, place: string): Sample {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw unreadable(place, "is no JSON", cause);
  }
  if (!Value.Check(Sample, parsed)) throw unreadable(place, "is no sample: it needs a request");
  return parsed;
}

const MIDDLE = {
  string: "a",
  integer: 0,
  number: 0,
  boolean: false,
  date: "2000-01-01",
  timestamp: "2000-01-01T00:00:00Z",
} as const;

/**
 * A request that the data set allows: one row with a listed value, a limit, or something plain of each column's type, as the gate would
 * send it. Throws `TestsFailed` where the transform takes no such row.
 */
export function plainSample(
  columns: readonly Column[],
  target: string | undefined,
  transform?: TransformParameters,
): Sample {
  const inputs = columns.filter(({ name }) => name !== target);
  const row = Object.fromEntries(
    inputs.map(({ name, type, enum: listed, min, max }) => [
      name,
      knownCategory(transform, name, type) ?? listed?.[0] ?? min ?? max ?? MIDDLE[type],
    ]),
  );
  if (transform === undefined) return { request: { instances: [row] } };
  try {
    const { contentType, body } = featureInput([row], transform);
    return { request: body, contentType, accept: "application/json" };
  } catch (cause) {
    if (!(cause instanceof UnfitRows)) throw cause;
    const [{ path, message } = { path: "", message: "" }] = cause.places;
    throw new ReleaseFailed(
      "TestsFailed",
      `No plain row suits the features: ${path} ${message}. Let evaluate record samples.jsonl`,
      { cause },
    );
  }
}

/** One that a transform knows which refuses all others. */
function knownCategory(
  transform: TransformParameters | undefined,
  name: string,
  type: Column["type"],
): string | number | undefined {
  // Of truth values the transform keeps 0 and 1.
  if (type === "boolean") return undefined;
  const encoder = transform?.encode.find(({ column }) => column === name);
  return encoder?.handleUnknown === "error" ? encoder.categories[0] : undefined;
}
