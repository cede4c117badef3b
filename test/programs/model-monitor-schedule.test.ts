import { describe, expect, it } from "vitest";
import { modelMonitorSchedule } from "../../programs/model-monitor-schedule.ts";

describe("a schedule of SageMaker Model Monitor", () => {
  it.each([
    ["cron(0 0 * * ? *)", "cron(0 0 ? * * *)"],
    ["cron(0 17 ? * * *)", "cron(0 17 ? * * *)"],
    ["cron(0 * * * ? *)", "cron(0 * ? * * *)"],
  ])("%s becomes %s", (expression, expected) => {
    expect(modelMonitorSchedule(expression)).toBe(expected);
  });

  it.each([
    "cron(30 0 * * ? *)",
    "cron(0 0 ? * MON *)",
    "cron(0 0 1 * ? *)",
    "rate(1 day)",
    "cron(0 0 * * ? 2027)",
  ])("does not exist for %s", (expression) => {
    expect(modelMonitorSchedule(expression)).toBeUndefined();
  });
});
