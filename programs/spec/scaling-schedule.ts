import { scheduleProblem } from "../schedule-expression.ts";

const AT = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/;

/**
 * What is wrong with a scheduled scaling action, or undefined: `cron(…)` and `rate(…)` as for other schedules, and `at(…)` for once
 * (https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html).
 */
export function scalingScheduleProblem(expression: string): string | undefined {
  if (/^(cron|rate)\(/.test(expression)) return scheduleProblem(expression);
  const moment = AT.exec(expression)?.[1];
  return moment === undefined || Number.isNaN(Date.parse(`${moment}Z`))
    ? "must be cron(…), rate(…) or a moment in UTC as in at(2026-01-31T12:00:00)"
    : undefined;
}
