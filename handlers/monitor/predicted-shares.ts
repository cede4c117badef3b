import { className } from "./quality-metric.ts";

/** More values of a segment, or more classes, are counted together. */
const MOST_NAMES = 100;
const OTHER = "(other)";

/** How the predictions for one value of a segment differ from those for the others. */
export interface ValueDisparity {
  readonly value: string;
  readonly count: number;
  /** The class whose shares differ most; of two, the greater one. Undefined where the model predicts no classes. */
  readonly predictedClass?: string;
  /** Share of that class for the others, less that for this value. */
  readonly dppl?: number;
  /** Share of that class for this value, divided by that for the others; undefined where those have none. */
  readonly di?: number;
}

export interface SegmentDisparity {
  readonly column: string;
  readonly values: readonly ValueDisparity[];
}

type Counts = Map<string, number>;

/**
 * Counts predicted classes by the values of segments, for two of Clarify's metrics that need no labels
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html). Numbers that are no classes are
 * counted, not compared.
 */
export class PredictedShares {
  readonly #segments: readonly { readonly column: string; readonly values: Map<string, Counts> }[];

  constructor(columns: readonly string[]) {
    this.#segments = columns.map((column) => ({ column, values: new Map() }));
  }

  /** `segments` in the order of the columns. */
  add(segments: readonly (string | null)[], prediction: string | number): void {
    for (const [index, { values }] of this.#segments.entries()) {
      const segment = segments[index];
      if (segment === null || segment === undefined) continue;
      const value = boundedName(values, segment);
      const counts = values.get(value) ?? new Map<string, number>();
      values.set(value, counts);
      const name = boundedName(counts, classOf(prediction));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }

  disparities(): readonly SegmentDisparity[] {
    return this.#segments.map(({ column, values }) => ({
      column,
      values: [...values.keys()].sort().map((value) => disparityOf(value, values)),
    }));
  }
}

const NO_CLASS = "(number)";

/** A share of 0 to 1 is the probability of 1; other numbers with a fraction are no classes. */
function classOf(prediction: string | number): string {
  if (typeof prediction === "string" || Number.isInteger(prediction)) return className(prediction);
  if (prediction > 0 && prediction < 1) return prediction >= 0.5 ? "1" : "0";
  return NO_CLASS;
}

const boundedName = (known: ReadonlyMap<string, unknown>, name: string) =>
  known.has(name) || known.size < MOST_NAMES ? name : OTHER;

const total = (counts: Counts) => [...counts.values()].reduce((sum, count) => sum + count, 0);

function disparityOf(value: string, values: ReadonlyMap<string, Counts>): ValueDisparity {
  const own = values.get(value) ?? new Map<string, number>();
  const others = [...values].filter(([other]) => other !== value).map(([, counts]) => counts);
  const count = total(own);
  const rest = others.reduce((sum, counts) => sum + total(counts), 0);
  const classes = [...new Set([own, ...others].flatMap((counts) => [...counts.keys()]))].sort();
  if (rest === 0 || classes.includes(NO_CLASS)) return { value, count };
  const compared = (classes.length === 2 ? classes.slice(1) : classes).map((name) => {
    const here = (own.get(name) ?? 0) / count;
    const there = others.reduce((sum, counts) => sum + (counts.get(name) ?? 0), 0) / rest;
    return { name, here, there, dppl: there - here };
  });
  const [worst] = compared.sort((one, other) => Math.abs(other.dppl) - Math.abs(one.dppl));
  if (worst === undefined) return { value, count };
  return {
    value,
    count,
    predictedClass: worst.name,
    dppl: worst.dppl,
    ...(worst.there > 0 && { di: worst.here / worst.there }),
  };
}
