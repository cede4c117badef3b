const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const DAY_OF_MONTH: Field = { name: "day-of-month", min: 1, max: 31 };
const DAY_OF_WEEK: Field = { name: "day-of-week", min: 1, max: 7, names: WEEKDAYS };
const OTHER_FIELDS: readonly (readonly [index: number, field: Field])[] = [
  [1, { name: "hours", min: 0, max: 23 }],
  [3, { name: "month", min: 1, max: 12, names: MONTHS }],
  [5, { name: "year", min: 1970, max: 2199 }],
];

function fieldValue(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + 1;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

// One comma-separated part: a value, a range or a star, each with an optional /step.
function isPart(part: string, field: Field): boolean {
  const [range = "", step, ...rest] = part.split("/");
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
  if (range === "*") return true;
  const [from = "", to, ...more] = range.split("-");
  const low = fieldValue(from, field);
  if (low === undefined || more.length > 0) return false;
  if (to === undefined) return true;
  const high = fieldValue(to, field);
  return high !== undefined && low <= high;
}

const isList = (text: string, field: Field) => text.split(",").every((part) => isPart(part, field));
const isDayOfMonth = (text: string) =>
  /^(L|LW|([1-9]|[12]\d|3[01])W)$/.test(text) || isList(text, DAY_OF_MONTH);
const isDayOfWeek = (text: string) =>
  /^([1-7]|[A-Za-z]{3})(L|#[1-5])$/.test(text) || isList(text, DAY_OF_WEEK);

function cronProblem(body: string): string | undefined {
  const fields = body.trim().split(/\s+/);
  if (fields.length !== 6) {
    return `cron takes six fields (minutes hours day-of-month month day-of-week year), not ${fields.length}`;
  }
  const [minutes = "", , dayOfMonth = "", , dayOfWeek = ""] = fields;
  if (fieldValue(minutes, { name: "minutes", min: 0, max: 59 }) === undefined) {
    return `minutes "${minutes}" must be one number from 0 to 59: once an hour at most`;
  }
  for (const [index, field] of OTHER_FIELDS) {
    if (!isList(fields[index] ?? "", field)) return `${field.name} "${fields[index]}" is not valid`;
  }
  if ((dayOfMonth === "?") === (dayOfWeek === "?")) {
    return 'exactly one of day-of-month and day-of-week must be "?"';
  }
  if (dayOfMonth !== "?" && !isDayOfMonth(dayOfMonth)) return `day-of-month "${dayOfMonth}" is not valid`;
  if (dayOfWeek !== "?" && !isDayOfWeek(dayOfWeek)) return `day-of-week "${dayOfWeek}" is not valid`;
  return undefined;
}

const MINUTES_PER_UNIT: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

function rateProblem(body: string): string | undefined {
  const match = /^\s*([1-9]\d{0,4})\s+(minute|hour|day)(s?)\s*$/.exec(body);
  if (match === null) return "rate takes a positive number and minutes, hours or days, as in rate(1 day)";
  const [, amount = "", unit = "", plural = ""] = match;
  if ((amount === "1") === (plural === "s")) {
    return `write rate(${amount} ${unit}${amount === "1" ? "" : "s"})`;
  }
  const minutes = Number(amount) * (MINUTES_PER_UNIT[unit] ?? 0);
  return minutes < 60 ? "once an hour at most" : undefined;
}

/**
 * What is wrong with a retraining schedule, or undefined. The syntax is EventBridge Scheduler's
 * (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html) without `at(…)`; more than one run an
 * hour is refused because executions of one pipeline would overlap and bill twice.
 */
export function scheduleProblem(expression: string): string | undefined {
  const match = /^(cron|rate)\((.*)\)$/.exec(expression);
  if (match === null) return "must be cron(…) or rate(…)";
  return match[1] === "cron" ? cronProblem(match[2] ?? "") : rateProblem(match[2] ?? "");
}
