/** A value that JSON has no canonical form for. */
export class NotCanonical extends Error {
  override readonly name = "NotCanonical";
}

/**
 * The one JSON text of a value by RFC 8785 (JSON Canonicalization Scheme): no white space, members in the order of their names'
 * UTF-16 code units, numbers and strings as ECMAScript writes them. Members that are undefined are left out, as JSON does. Throws
 * `NotCanonical` for what JSON can't say: numbers that aren't finite, halves of surrogate pairs, functions.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} is no JSON number`);
      return JSON.stringify(value);
    case "string":
      if (!value.isWellFormed()) throw new NotCanonical("A text holds half of a surrogate pair");
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `[${value.map(canonicalJson).join(",")}]` : canonicalObject(value);
    default:
      throw new NotCanonical(`A ${typeof value} is no JSON`);
  }
}

function canonicalObject(value: object): string {
  const members = new Map(Object.entries(value).filter(([, member]) => member !== undefined));
  // By UTF-16 code units, which is how sort() compares texts unless told otherwise.
  const names = [...members.keys()].sort();
  return `{${names.map((name) => `${canonicalJson(name)}:${canonicalJson(members.get(name))}`).join(",")}}`;
}
