import type { DataClassification } from "../../programs/spec.ts";

export const SAMPLES = 5;
const LENGTH = 64;

/**
 * Values as a verdict may show them: public ones as they stand, internal ones as their shape (letters become A or a, digits 9),
 * others not at all. Long ones are cut.
 */
export function shownSamples(
  values: readonly string[],
  classification: DataClassification,
): string[] | undefined {
  if (classification !== "public" && classification !== "internal") return undefined;
  const shown = values.map((value) => {
    const cut = value.length > LENGTH ? `${value.slice(0, LENGTH)}…` : value;
    return classification === "public" ? cut : shape(cut);
  });
  return [...new Set(shown)].slice(0, SAMPLES);
}

const shape = (text: string) =>
  text
    .replace(/\p{Lu}/gu, "A")
    .replace(/\p{L}/gu, (letter) => (letter === "A" ? "A" : "a"))
    .replace(/\p{N}/gu, "9");
