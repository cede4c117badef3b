import { digestOf } from "../digest.ts";
import { redactText, redactValue } from "../redaction.ts";

/** One place at which two specs differ; `before` or `after` is absent where only the other has it. */
export interface SpecChange {
  /** A JSON pointer into the spec. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * What differs between two specs as they were recorded, field by field, in the order of their paths and masked. Lists of one length are compared item by item;
 * of another length, as a whole: which item went is a guess.
 */
export function specChanges(before: unknown, after: unknown): SpecChange[] {
  return [...differences(before, after, "")]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((change) => ({
      path: change.path,
      ...(change.before === undefined ? {} : { before: redactValue(change.before, redactText) }),
      ...(change.after === undefined ? {} : { after: redactValue(change.after, redactText) }),
    }));
}

function* differences(before: unknown, after: unknown, path: string): Iterable<SpecChange> {
  const [from, to] = [fieldsOf(before), fieldsOf(after)];
  const comparable =
    from !== undefined &&
    to !== undefined &&
    Array.isArray(before) === Array.isArray(after) &&
    (!Array.isArray(before) || from.size === to.size);
  if (comparable) {
    for (const key of new Set([...from.keys(), ...to.keys()])) {
      yield* differences(from.get(key), to.get(key), `${path}/${escaped(key)}`);
    }
  } else if (
    before !== after &&
    (from === undefined || to === undefined || digestOf(before) !== digestOf(after))
  ) {
    yield { path, before, after };
  }
}

/** A map, because a key such as __proto__ means something else on an object. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : undefined;
}

// https://www.rfc-editor.org/rfc/rfc6901#section-3
function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
