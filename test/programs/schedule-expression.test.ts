import { describe, expect, it } from "vitest";
import { scheduleProblem } from "../../programs/schedule-expression.ts";

describe("a retraining schedule", () => {
  it.each([
    "cron(0 0 * * ? *)",
    "cron(0 3 ? * SUN *)",
    "cron(15 10 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0 18 L * ? *)",
    "cron(0 18 15W * ? 2026)",
    "cron(0 9 ? * 2#1 *)",
    "cron(0 9 ? * FRIL *)",
    "cron(0 0/6 * JAN,JUL ? 2026-2030)",
    "rate(1 hour)",
    "rate(60 minutes)",
    "rate(7 days)",
  ])("accepts %s", (expression) => {
    expect(scheduleProblem(expression)).toBeUndefined();
  });

  it.each([
    ["every day", "must be cron(…) or rate(…)"],
    ["at(2026-01-01T00:00:00)", "must be cron(…) or rate(…)"],
    ["cron(0 3 * * ?)", "six fields"],
    ["cron(* 3 * * ? *)", "once an hour at most"],
    ["cron(0/10 3 * * ? *)", "once an hour at most"],
    ["cron(60 3 * * ? *)", "minutes"],
    ["cron(0 24 * * ? *)", "hours"],
    ["cron(0 3 * 13 ? *)", "month"],
    ["cron(0 3 * * * *)", 'exactly one of day-of-month and day-of-week must be "?"'],
    ["cron(0 3 ? * ? *)", 'exactly one of day-of-month and day-of-week must be "?"'],
    ["cron(0 3 32 * ? *)", "day-of-month"],
    ["cron(0 3 ? * FUN *)", "day-of-week"],
    ["cron(0 3 ? * FRI-MON *)", "day-of-week"],
    ["cron(0 3 * * ? 1969)", "year"],
    ["rate(30 minutes)", "once an hour at most"],
    ["rate(0 days)", "positive number"],
    ["rate(1 days)", "rate(1 day)"],
    ["rate(2 day)", "rate(2 days)"],
    ["rate(1 week)", "minutes, hours or days"],
  ])("refuses %s", (expression, problem) => {
    expect(scheduleProblem(expression)).toContain(problem);
  });
});
