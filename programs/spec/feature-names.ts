import type { DerivedFeature, Features } from "./features.ts";

export type FitlessFeature = Exclude<DerivedFeature, { operation: "quantileBin" }>;

export const inputsOf = (derived: DerivedFeature): readonly string[] =>
  "columns" in derived ? derived.columns : [derived.column];

/** Derived features that follow from a record alone: no bins that are fitted to the data, nor anything made of such. */
export function fitless(derive: Features["derive"]): FitlessFeature[] {
  const fitted = new Set<string>();
  return derive.filter((derived): derived is FitlessFeature => {
    const isFitted =
      derived.operation === "quantileBin" || inputsOf(derived).some((name) => fitted.has(name));
    if (isFitted) fitted.add(derived.name);
    return !isFitted;
  });
}
