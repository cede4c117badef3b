/** As RE2 and JavaScript read it, like the others here: validation judges columns by them, and what judges single records must not differ. */
export const DATE = "\\d{4}-\\d{2}-\\d{2}";
export const HOURS = "(?:[01]\\d|2[0-3])";
export const TIMESTAMP = `${DATE}[T ]${HOURS}:[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?(Z|[+-]${HOURS}(?::?[0-5]\\d)?)?`;

const WHOLE_DATE = new RegExp(`^${DATE}$`);
const WHOLE_TIMESTAMP = new RegExp(`^${TIMESTAMP}$`);

/**
 * Milliseconds since 1970 at which a day begins in UTC, or NaN where a text is no date. In step with `typed-columns.ts`, by which DuckDB reads
 * columns of accepted data: what judges or transforms a single record reads its moments here.
 */
export function dayMs(text: string): number {
  if (!WHOLE_DATE.test(text)) return Number.NaN;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // Date takes 31 April for 1 May.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? Number.NaN : ms;
}

/** Milliseconds since 1970, or NaN where a text is no timestamp. Without a zone it is UTC; what is less than a millisecond is left out. */
export function timestampMs(text: string): number {
  const match = WHOLE_TIMESTAMP.exec(text);
  if (match === null || Number.isNaN(dayMs(text.slice(0, 10)))) return Number.NaN;
  const [, zone = ""] = match;
  const offset = zone.replace(/^([+-]\d{2}):?(\d{2})?$/, (_, hours, minutes = "00") => `${hours}:${minutes}`);
  const time = text.slice(11, text.length - zone.length);
  return Date.parse(`${text.slice(0, 10)}T${time}${offset || "Z"}`);
}
