import { createHash } from "node:crypto";
import { Cron } from "croner";

const minuteMs = 60_000;
const unitMs: Readonly<Record<string, number>> = {
  minute: minuteMs,
  hour: 60 * minuteMs,
  day: 1440 * minuteMs,
};
// An hour: more would make "at three" mean little.
const longestSpreadMs = 60 * minuteMs;

/**
 * When a pipeline of this schedule is due next after a moment; undefined when it never is again. The schedule is one of the spec's:
 * `rate(…)`, or `cron(…)` in UTC. Pipelines with the same one are spread: a rate begins at a moment of the pipeline's own in each
 * period, a cron's moments come later by up to an hour, or a quarter of what is left until the next one. A pipeline's share is
 * always the same.
 */
export function nextDue(expression: string, pipelineId: string, after: Date): Date | undefined {
  const share = shareOf(pipelineId);
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    const periodMs = Number(rate[1]) * (unitMs[rate[2] ?? ""] ?? 0);
    const offsetMs = Math.floor(share * periodMs);
    const periods = Math.floor((after.getTime() - offsetMs) / periodMs) + 1;
    return new Date(periods * periodMs + offsetMs);
  }
  const cron = cronOf(expression);
  // A moment before `after` may still be due after it, by its share of the spread.
  let base = cron.nextRun(new Date(after.getTime() - longestSpreadMs));
  while (base !== null) {
    const next = cron.nextRun(base);
    const spreadMs = Math.min(
      longestSpreadMs,
      next === null ? longestSpreadMs : (next.getTime() - base.getTime()) / 4,
    );
    const due = new Date(base.getTime() + Math.floor(share * spreadMs));
    if (due > after) return due;
    base = next;
  }
  return undefined;
}

/** EventBridge counts weekdays from Sunday as 1, and has a field for the year. */
function cronOf(expression: string): Cron {
  const fields = expression.slice("cron(".length, -1).trim();
  return new Cron(`0 ${fields}`, { timezone: "UTC", alternativeWeekdays: true });
}

/** From 0 to 1, evenly over all pipelines. */
function shareOf(pipelineId: string): number {
  return createHash("sha256").update(pipelineId).digest().readUInt32BE(0) / 2 ** 32;
}
