// JSON.stringify escapes exactly these of what a string may hold: NUL, and a surrogate without its other half. An even number
// of backslashes before the escape belongs to the text itself.
const unstorable = /(?<=(?:^|[^\\])(?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** JSON for a `jsonb` column, in which the two characters that PostgreSQL refuses there are replaced by U+FFFD. */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value).replace(unstorable, "\uFFFD");
}
