import type { DatasetColumn } from "../../programs/spec.ts";
import { type Instance, orderOf } from "./input-schema.ts";

/** Numbers this close to each other, as a share of the declared range or of the greater one, are nearly alike. */
const TOLERANCE = 0.005;

/** FNV-1a over UTF-16 units (https://www.ietf.org/archive/id/draft-eastlake-fnv-17.html): fast, and nothing rests on its strength. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

export interface RowVectors {
  /** A row as numbers, a place each column; a text is its hash, a null a number of its own. */
  of(instance: Instance): Float64Array;
  /**
   * Whether one row is another with small changes: not the same, but all columns (where there are four or more: all but one) are
   * equal or, numbers, nearly so; and at least two of these are numbers. With fewer, chance alone makes rows alike.
   */
  nearlyAlike(one: Float64Array, other: Float64Array): boolean;
}

const NULL = Number.MIN_SAFE_INTEGER;

export function rowVectors(columns: readonly DatasetColumn[]): RowVectors {
  const numeric = columns.map(({ type }) => type === "number" || type === "integer");
  const spans = columns.map(({ min, max }) =>
    typeof min === "number" && typeof max === "number" ? max - min : undefined,
  );
  const mostDifferent = columns.length >= 4 ? 1 : 0;

  const isNear = (index: number, a: number, b: number): boolean => {
    if (!numeric[index] || a === NULL || b === NULL) return false;
    const span = spans[index] ?? Math.max(Math.abs(a), Math.abs(b));
    return Math.abs(a - b) <= span * TOLERANCE;
  };

  return {
    of: (instance) => Float64Array.from(columns, ({ name, type }) => place(type, instance[name])),
    nearlyAlike: (one, other) => {
      let near = 0;
      let equalNumbers = 0;
      let different = 0;
      for (let index = 0; index < one.length; index++) {
        const a = one[index] ?? NULL;
        const b = other[index] ?? NULL;
        if (a === b) equalNumbers += numeric[index] ? 1 : 0;
        else if (isNear(index, a, b)) near += 1;
        else if (++different > mostDifferent) return false;
      }
      return near + different > 0 && near + equalNumbers >= 2;
    },
  };
}

function place(type: DatasetColumn["type"], value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string") return NULL;
  return type === "string" ? hash(value) : orderOf(type, value);
}
