/** Of a plain character, a digit or a class of plain ones, and how often. */
const TOKEN =
  /(?:([A-Za-z0-9_ /:,;=@#%&~-])|\\(d)|\[((?:[A-Za-z0-9](?:-[A-Za-z0-9])?|_)+)\])(?:\{(\d{1,2})\})?/y;

/** Longer ones are left to RE2. */
const MAX_LENGTH = 512;

/**
 * What DuckDB's GLOB matches the same texts with as a pattern of fixed length, such as `[A-Z]{2}-\d{4}`, in half of RE2's time;
 * undefined for any other pattern.
 */
export function globOf(pattern: string): string | undefined {
  const parts: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < pattern.length) {
    const match = TOKEN.exec(pattern);
    if (match === null) return undefined;
    const [, plain, digit, set, times = "1"] = match;
    if (set !== undefined && !areAscending(set)) return undefined;
    parts.push((plain ?? (digit === undefined ? `[${set}]` : "[0-9]")).repeat(Number(times)));
  }
  const glob = parts.join("");
  return parts.length === 0 || glob.length > MAX_LENGTH ? undefined : glob;
}

/** A range the other way round is a mistake to RE2. */
const areAscending = (set: string) =>
  [...set.matchAll(/(.)-(.)/g)].every(([, from = "", to = ""]) => from <= to);
