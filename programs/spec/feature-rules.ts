import type { DatasetColumn, PipelineSpec } from "../spec.ts";
import { inputsOf } from "./feature-names.ts";
import type { DerivedFeature, Features } from "./features.ts";
import { pointer, type SpecProblem } from "./problem.ts";

/** What a step can take: `category` is a text or a number of which there are few. */
type Kind = "number" | "category" | "text" | "moment";

const COLUMN_KINDS: Readonly<Record<DatasetColumn["type"], Kind>> = {
  string: "text",
  integer: "category",
  number: "number",
  boolean: "category",
  date: "moment",
  timestamp: "moment",
};

const isNumeric = (kind: Kind) => kind === "number" || kind === "category";

/** Derived features that are one of few whole numbers, so that they can be encoded. */
const FEW_VALUES: readonly DerivedFeature["operation"][] = ["bucket", "quantileBin", "datePart", "flag"];

const at = (...keys: readonly (string | number)[]) => pointer("dataset", "features", ...keys);

type Known = ReadonlyMap<string, Kind>;

/** A name that no step may use, or undefined. */
function unusable(known: Known, { target, drop }: Features, name: string, made: boolean): string | undefined {
  if (name === target) return `"${name}" is the target, which stays as it is`;
  if (!known.has(name)) return `"${name}" is neither a column of dataset.schema nor a feature derived before`;
  if (!made && drop.includes(name)) return `"${name}" is dropped: nothing is left to work on`;
  return undefined;
}

function* operationProblems(
  derived: DerivedFeature,
  path: string,
  type: DatasetColumn["type"] | undefined,
): Iterable<SpecProblem> {
  if (derived.operation === "bucket") {
    const { edges } = derived;
    const unordered = edges.findIndex((edge, index) => index > 0 && edge <= (edges[index - 1] ?? edge));
    if (unordered !== -1)
      yield { path: `${path}/edges/${unordered}`, message: "must be above the edge before" };
  }
  if (derived.operation === "clip") {
    const { min, max } = derived;
    if (min === undefined && max === undefined) yield { path, message: "needs min, max or both" };
    if (min !== undefined && max !== undefined && min > max) {
      yield { path: `${path}/min`, message: `is more than max (${max})` };
    }
  }
  if (derived.operation === "datePart" && type === "date" && /^(hour|minute)$/.test(derived.part)) {
    yield { path: `${path}/part`, message: `a date has no ${derived.part}` };
  }
}

function* flagProblems(
  { is, value }: Extract<DerivedFeature, { operation: "flag" }>,
  path: string,
  kind: Kind,
): Iterable<SpecProblem> {
  if (is === "missing") {
    if (value !== undefined) yield { path: `${path}/value`, message: "has no effect on missing values" };
    return;
  }
  if (kind === "moment") yield { path: `${path}/is`, message: "of a date or timestamp only missing is told" };
  else if (value === undefined) yield { path, message: `${is} needs a value` };
  else if ((typeof value === "string") !== (kind === "text")) {
    yield {
      path: `${path}/value`,
      message: `must be a ${kind === "text" ? "text" : "number"} like the column`,
    };
  } else if (kind === "text" && is !== "equal" && is !== "notEqual") {
    yield { path: `${path}/is`, message: "texts are compared by equal and notEqual only" };
  }
}

function* inputProblems(derived: DerivedFeature, path: string, known: Known, features: Features) {
  for (const [place, name] of inputsOf(derived).entries()) {
    const inputPath = "columns" in derived ? `${path}/columns/${place}` : `${path}/column`;
    const message = unusable(known, features, name, true);
    const kind = known.get(name) ?? "number";
    if (message !== undefined) yield { path: inputPath, message };
    else if (derived.operation === "flag") yield* flagProblems(derived, path, kind);
    else if (derived.operation === "datePart") {
      if (kind !== "moment") yield { path: inputPath, message: `"${name}" is no date or timestamp` };
    } else if (!isNumeric(kind)) {
      yield { path: inputPath, message: `"${name}" is no number: ${derived.operation} takes numbers only` };
    }
  }
}

function* deriveProblems(
  features: Features,
  schema: readonly DatasetColumn[],
  known: Map<string, Kind>,
): Iterable<SpecProblem> {
  const taken = new Set(schema.map((column) => column.name.toLowerCase()));
  for (const [index, derived] of features.derive.entries()) {
    const path = at("derive", index);
    yield* inputProblems(derived, path, known, features);
    const source = schema.find((column) => column.name === inputsOf(derived)[0]);
    yield* operationProblems(derived, path, source?.type);
    if (taken.has(derived.name.toLowerCase())) {
      yield { path: `${path}/name`, message: `"${derived.name}" is taken by a column or another feature` };
    }
    taken.add(derived.name.toLowerCase());
    known.set(derived.name, FEW_VALUES.includes(derived.operation) ? "category" : "number");
  }
}

type Step =
  | { readonly section: "impute"; readonly step: Features["impute"][number] }
  | { readonly section: "scale"; readonly step: Features["scale"][number] }
  | { readonly section: "encode"; readonly step: Features["encode"][number] };

function misfit({ section, step }: Step, name: string, kind: Kind): string | undefined {
  if (kind === "moment") return `"${name}" is a date or timestamp: derive a part of it`;
  if (section === "scale" && !isNumeric(kind)) return `"${name}" is no number: encode it`;
  if (section === "encode" && kind === "number")
    return `"${name}" has too many values to encode: bin it first`;
  if (section !== "impute") return undefined;
  const { strategy, fillValue } = step;
  if ((strategy === "mean" || strategy === "median") && !isNumeric(kind)) {
    return `"${name}" is no number: its ${strategy} is none`;
  }
  if (
    strategy === "constant" &&
    fillValue !== undefined &&
    (typeof fillValue === "string") !== (kind === "text")
  ) {
    return `"${name}" and fillValue are of different types`;
  }
  return undefined;
}

function* stepProblems(features: Features, known: Known): Iterable<SpecProblem> {
  const used = { impute: new Set<string>(), numbers: new Set<string>() };
  const steps = [
    ...features.impute.map((step, index) => ({ section: "impute" as const, step, index })),
    ...features.scale.map((step, index) => ({ section: "scale" as const, step, index })),
    ...features.encode.map((step, index) => ({ section: "encode" as const, step, index })),
  ];
  for (const { section, step, index } of steps) {
    const seen = section === "impute" ? used.impute : used.numbers;
    for (const [place, name] of step.columns.entries()) {
      const path = at(section, index, "columns", place);
      const message =
        unusable(known, features, name, false) ??
        misfit({ section, step } as Step, name, known.get(name) ?? "number") ??
        (seen.has(name)
          ? `"${name}" is ${section === "impute" ? "imputed" : "scaled or encoded"} already`
          : undefined);
      if (message !== undefined) yield { path, message };
      seen.add(name);
    }
    if (section === "impute" && (step.strategy === "constant") !== (step.fillValue !== undefined)) {
      yield {
        path: at(section, index, "fillValue"),
        message: "belongs to strategy constant, which needs it",
      };
    }
  }
}

/** Every breach of a rule on declared features. */
export function* featureProblems({ dataset: { features, schema } }: PipelineSpec): Iterable<SpecProblem> {
  if (features === undefined) return;
  const known = new Map(schema.map(({ name, type }) => [name, COLUMN_KINDS[type]]));
  for (const [key, name] of [
    [["target"], features.target],
    ...features.drop.map((name, index) => [["drop", index], name] as const),
  ] as const) {
    const path = at(...key);
    if (!known.has(name)) yield { path, message: `"${name}" is not a column of dataset.schema` };
    else if (key[0] === "drop" && name === features.target) {
      yield { path, message: `"${name}" is the target: it is no feature anyway` };
    }
  }
  yield* deriveProblems(features, schema, known);
  yield* stepProblems(features, known);
  const { target, drop, derive } = features;
  const left = schema.filter(
    ({ name, type }) => name !== target && !drop.includes(name) && COLUMN_KINDS[type] !== "moment",
  );
  if (left.length + derive.length === 0) yield { path: at(), message: "leaves no feature at all" };
}
