import { dayMs, timestampMs } from "../dataset/moments.ts";
import { type DerivedStep, type Encoder, TransformError, type TransformParameters } from "./parameters.ts";
import { oneHotName } from "./transform-sql.ts";

export type FeatureValue = number | string | null;
export type FeatureRecord = Record<string, FeatureValue>;

/** A record by its columns, as JSON gives it; bigint is taken as well. A column that is absent is missing. */
export type InputRecord = Readonly<Record<string, unknown>>;

type Values = FeatureValue[];
type Step = (values: Values) => void;
type SlotOf = (name: string) => number;

const DAY_MS = 86_400_000;

function reader({ name, type }: TransformParameters["inputs"][number]): (value: unknown) => FeatureValue {
  const refuse = (): never => {
    throw new TransformError("wrong_type", `Column ${name} must be a ${type}`, name);
  };
  if (type === "string") return (value) => (typeof value === "string" ? value : refuse());
  if (type === "boolean") return (value) => (typeof value === "boolean" ? Number(value) : refuse());
  if (type === "date" || type === "timestamp") {
    const readMs = type === "date" ? dayMs : timestampMs;
    return (value) => {
      const ms = typeof value === "string" ? readMs(value) : Number.NaN;
      return Number.isNaN(ms) ? refuse() : ms;
    };
  }
  return (value) => {
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    return typeof value === "bigint" ? Number(value) : refuse();
  };
}

const PARTS: Readonly<Record<string, (moment: Date) => number>> = {
  year: (moment) => moment.getUTCFullYear(),
  month: (moment) => moment.getUTCMonth() + 1,
  day: (moment) => moment.getUTCDate(),
  dayOfWeek: (moment) => (moment.getUTCDay() + 6) % 7,
  dayOfYear: (moment) => {
    // Date.UTC would take the years before 100 for those of the twentieth century.
    const first = new Date(moment).setUTCMonth(0, 1);
    return Math.round((moment.getTime() - first) / DAY_MS) + 1;
  },
  hour: (moment) => moment.getUTCHours(),
  minute: (moment) => moment.getUTCMinutes(),
};

const COMPARISONS: Readonly<Record<string, (one: FeatureValue, other: FeatureValue) => boolean>> = {
  equal: (one, other) => one === other,
  notEqual: (one, other) => one !== other,
  below: (one, other) => Number(one) < Number(other),
  atMost: (one, other) => Number(one) <= Number(other),
  above: (one, other) => Number(one) > Number(other),
  atLeast: (one, other) => Number(one) >= Number(other),
};

const whenFinite = (value: number) => (Number.isFinite(value) ? value : null);

/** In step with `derivedExpression` of transform-sql.ts, operation by operation, so that every rounding is the same. */
function operation(step: DerivedStep): (x: number, second: number) => FeatureValue {
  switch (step.operation) {
    case "ratio":
      return (a, b) => (b === 0 ? null : whenFinite(a / b));
    case "difference":
      return (a, b) => whenFinite(a - b);
    case "product":
      return (a, b) => whenFinite(a * b);
    case "log1p":
      return (x) => {
        const sum = 1 + x;
        if (x <= -1) return null;
        return sum === 1 ? x : (Math.log(sum) * x) / (sum - 1);
      };
    case "bucket":
      return (x) => {
        let passed = 0;
        for (const edge of step.edges) if (x >= edge) passed++;
        return passed;
      };
    case "datePart": {
      const part = PARTS[step.part];
      return (ms) => part?.(new Date(ms)) ?? null;
    }
    case "clip": {
      const { min = -Infinity, max = Infinity } = step;
      return (x) => (x < min ? min : x > max ? max : x);
    }
    case "flag": {
      const { is, value } = step;
      const compared = typeof value === "string" ? value : Number(value);
      const holds = COMPARISONS[is];
      return (x) => (holds?.(x, compared) ? 1 : 0);
    }
  }
}

function derivation(step: DerivedStep, slotOf: SlotOf): Step {
  const made = slotOf(step.name);
  const first = slotOf("columns" in step ? (step.columns[0] ?? "") : step.column);
  const second = slotOf("columns" in step ? (step.columns[1] ?? "") : step.column);
  if (step.operation === "flag" && step.is === "missing") {
    return (values) => {
      values[made] = values[first] === null ? 1 : 0;
    };
  }
  const calculate = operation(step);
  return (values) => {
    const [x, y] = [values[first] as number | null, values[second] as number | null];
    values[made] = x === null || y === null ? null : calculate(x, y);
  };
}

type Emit = (values: Values, features: FeatureRecord) => void;

function encoding(encoder: Encoder, slotOf: SlotOf): Emit {
  const { column, method, categories, frequencies = [], handleUnknown } = encoder;
  const slot = slotOf(column);
  const places = new Map(categories.map((category, place) => [category, place]));
  const names = categories.map((category) => oneHotName(column, category));
  const placeOf = (value: FeatureValue): number | undefined => {
    const place = value === null ? undefined : places.get(value);
    if (place === undefined && value !== null && handleUnknown === "error") {
      throw new TransformError(
        "unknown_category",
        `Column ${column} has a category that the transform does not know`,
        column,
      );
    }
    return place;
  };
  if (method === "one-hot") {
    return (values, features) => {
      const hot = placeOf(values[slot] ?? null);
      for (let place = 0; place < names.length; place++) {
        features[names[place] ?? ""] = place === hot ? 1 : 0;
      }
    };
  }
  const [codes, otherwise] =
    method === "ordinal" ? [categories.map((_, place) => place), -1] : [frequencies, 0];
  return (values, features) => {
    const value = values[slot] ?? null;
    const place = placeOf(value);
    features[column] = value === null ? null : place === undefined ? otherwise : (codes[place] ?? otherwise);
  };
}

/** What puts the features into a record, in their order: a one-hot encoder puts all of its own at once. */
function emissions(parameters: TransformParameters, slotOf: SlotOf): Emit[] {
  const encoders = new Map<string, Encoder>();
  for (const encoder of parameters.encode) {
    if (encoder.method !== "one-hot") encoders.set(encoder.column, encoder);
    for (const category of encoder.method === "one-hot" ? encoder.categories : []) {
      encoders.set(oneHotName(encoder.column, category), encoder);
    }
  }
  const scalers = new Map(parameters.scale.map((scaler) => [scaler.column, scaler]));
  const begun = new Set<Encoder>();
  return parameters.features.flatMap((name): Emit[] => {
    const encoder = encoders.get(name);
    if (encoder !== undefined) {
      if (begun.has(encoder)) return [];
      begun.add(encoder);
      return [encoding(encoder, slotOf)];
    }
    const slot = slotOf(name);
    const scaler = scalers.get(name);
    if (scaler === undefined) {
      return [
        (values, features) => {
          features[name] = values[slot] ?? null;
        },
      ];
    }
    const { center, scale } = scaler;
    return [
      (values, features) => {
        const value = values[slot] as number | null;
        features[name] = value === null ? null : (value - center) / scale;
      },
    ];
  });
}

/** Makes the function that transforms records; what is decided by the parameters alone is decided here, once. */
export function compileTransform(parameters: TransformParameters): (record: InputRecord) => FeatureRecord {
  const { inputs, derive, impute } = parameters;
  const slots = new Map([...inputs, ...derive].map(({ name }, slot) => [name, slot]));
  const slotOf = (name: string): number => {
    const slot = slots.get(name);
    if (slot === undefined) {
      throw new TransformError(
        "corrupt_parameters",
        `The transform refers to "${name}", which it does not make`,
      );
    }
    return slot;
  };
  const readers = inputs.map((input) => ({ name: input.name, read: reader(input) }));
  const steps: Step[] = [
    ...derive.map((step) => derivation(step, slotOf)),
    ...impute.map(({ column, value }): Step => {
      const slot = slotOf(column);
      return (values) => {
        values[slot] ??= value;
      };
    }),
  ];
  const emit = emissions(parameters, slotOf);
  return (record) => {
    const values: Values = [];
    for (const { name, read } of readers) {
      const value = record[name];
      values.push(value === null || value === undefined ? null : read(value));
    }
    for (const step of steps) step(values);
    const features: FeatureRecord = {};
    for (const put of emit) put(values, features);
    return features;
  };
}

const compiled = new WeakMap<TransformParameters, ReturnType<typeof compileTransform>>();

/**
 * The features of one record, in the order in which the model was trained on them. The target is no feature and need not be there.
 * Throws `TransformError`: `wrong_type` for a value that is not of its column's type, `unknown_category` where the declaration wants it
 * refused. Takes microseconds: parameters are prepared at their first use and remembered as long as the object lives.
 */
export function applyTransform(parameters: TransformParameters, record: InputRecord): FeatureRecord {
  let transform = compiled.get(parameters);
  if (transform === undefined) {
    transform = compileTransform(parameters);
    compiled.set(parameters, transform);
  }
  return transform(record);
}
