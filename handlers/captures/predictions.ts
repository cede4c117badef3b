import type { CapturedBody } from "./capture-record.ts";
import { csvRecords } from "./csv-fields.ts";

/** What a model says of one instance. */
export interface Prediction {
  /** A class or a number; where a model says only how probable the positive class is, that probability. */
  readonly value: string | number;
  /** Probability of the predicted class, from 0 to 1. */
  readonly confidence?: number;
  /** Probability of the positive one of two classes, from 0 to 1. */
  readonly score?: number;
  /** How much each column moved the answer, such as SHAP values. */
  readonly attributions?: Readonly<Record<string, number>>;
}

/** Names under which models give the same thing; SageMaker's algorithms say `predicted_label` and `score`. */
const VALUE_FIELDS = ["prediction", "predicted_label", "label", "class", "value", "score"] as const;
const CONFIDENCE_FIELDS = ["confidence", "probability"] as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/**
 * One prediction for each of `count` instances: from JSON `{"predictions": […]}`, each a class, a number, a list of the classes'
 * probabilities, or an object with `prediction`, or a `score` alone, and, as the model has them, `probability` (of that class), `score`
 * (of the positive class) and `attributions`; or from CSV, a record each, or all in one. Undefined where the body is neither or their number is
 * another.
 */
export function readPredictions(body: CapturedBody, count: number): readonly Prediction[] | undefined {
  const raw = /^text\/csv\b/i.test(body.contentType.trim())
    ? csvAnswers(body.text, count)
    : jsonAnswers(body.text);
  if (raw === undefined || raw.length !== count) return undefined;
  const read = raw.map(prediction);
  return read.every((one) => one !== undefined) ? read : undefined;
}

function jsonAnswers(text: string): readonly unknown[] | undefined {
  try {
    const answer = JSON.parse(text);
    const list = isObject(answer) ? answer.predictions : answer;
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

function csvAnswers(text: string, count: number): readonly unknown[] | undefined {
  const records = csvRecords(text);
  const only = records?.length === 1 ? records[0] : undefined;
  const fields = only?.length === count ? only : records?.map(([first]) => first);
  return fields?.map((field) => {
    const number = Number(field ?? Number.NaN);
    return Number.isNaN(number) ? field : number;
  });
}

function prediction(raw: unknown): Prediction | undefined {
  if (isNumber(raw) || typeof raw === "string") return { value: raw };
  if (typeof raw === "boolean") return { value: String(raw) };
  if (Array.isArray(raw)) return mostProbable(raw);
  if (!isObject(raw)) return undefined;
  const value = VALUE_FIELDS.map((name) => raw[name]).find((one) => one !== undefined && one !== null);
  // The score of XGBoost's objective multi:softprob is one for each class.
  if (Array.isArray(value)) return mostProbable(value);
  if (!isNumber(value) && typeof value !== "string" && typeof value !== "boolean") return undefined;
  const confidence = CONFIDENCE_FIELDS.map((name) => raw[name]).find(isNumber);
  const { score, attributions } = raw;
  return {
    value: typeof value === "boolean" ? String(value) : value,
    ...(confidence !== undefined && { confidence }),
    ...(isNumber(score) && { score }),
    ...(isObject(attributions) && { attributions: numbersOf(attributions) }),
  };
}

/** Classes without names are their numbers, from 0. */
function mostProbable(probabilities: readonly unknown[]): Prediction | undefined {
  if (probabilities.length < 2 || !probabilities.every(isNumber)) return undefined;
  const confidence = Math.max(...probabilities);
  const [, positive] = probabilities;
  return {
    value: probabilities.indexOf(confidence),
    confidence,
    ...(probabilities.length === 2 && positive !== undefined && { score: positive }),
  };
}

const numbersOf = (record: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, number] => isNumber(entry[1])));
