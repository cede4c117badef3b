import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { mergeNumbers, mergeTexts, mergeValues, NumberSketch, TextSketch, ValueCounts } from "./sketch.ts";

/** Dates and timestamps move on by nature, so nothing is kept of them. */
const Unprofiled = Type.Object({ kind: Type.Literal("none") });

export const ColumnProfile = Type.Union([NumberSketch, TextSketch, ValueCounts, Unprofiled]);
export type ColumnProfile = Static<typeof ColumnProfile>;

/**
 * How the values of each column are distributed, in at most 25 kB of JSON per column. It holds no text of the data but values that the
 * data set's schema declares.
 */
export const Profile = Type.Object({
  version: Type.Literal(1),
  rows: Type.Integer({ minimum: 0 }),
  columns: Type.Record(Type.String(), ColumnProfile, { maxProperties: 1000 }),
});
export type Profile = Static<typeof Profile>;

/** The profile in a document, or undefined where it is none of this version. */
export const parseProfile = (document: unknown): Profile | undefined =>
  Value.Check(Profile, document) ? document : undefined;

/** Data that was profiled in two ways: with another type of a column, or with a declaration of its values that was not there. */
export class ProfileMismatch extends Error {
  override readonly name = "ProfileMismatch";
}

/**
 * The profile of the rows of both. Associative and commutative: data has the same profile, however it is divided into files. A column that
 * only one has stays as it is. Throws `ProfileMismatch` where a column is of two kinds.
 */
export function mergeProfiles(one: Profile, other: Profile): Profile {
  const columns = new Map(Object.entries(one.columns));
  for (const [name, values] of Object.entries(other.columns)) {
    const before = columns.get(name);
    columns.set(name, before === undefined ? values : mergeColumns(name, before, values));
  }
  return { version: 1, rows: one.rows + other.rows, columns: Object.fromEntries(columns) };
}

function mergeColumns(name: string, one: ColumnProfile, other: ColumnProfile): ColumnProfile {
  if (one.kind === "numbers" && other.kind === "numbers") return mergeNumbers(one, other);
  if (one.kind === "texts" && other.kind === "texts") return mergeTexts(one, other);
  if (one.kind === "values" && other.kind === "values") return mergeValues(one, other);
  if (one.kind === "none" && other.kind === "none") return one;
  throw new ProfileMismatch(`Column ${name} is profiled as ${one.kind} and as ${other.kind}`);
}
