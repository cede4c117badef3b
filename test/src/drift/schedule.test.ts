import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextDue } from "../../../src/drift/schedule.ts";

const hourMs = 3_600_000;
const start = new Date("2026-11-23T12:00:00Z");
const expressions = [
  "rate(1 day)",
  "rate(90 minutes)",
  "rate(6 hours)",
  "cron(0 3 * * ? *)",
  "cron(30 8 ? * MON-FRI *)",
  "cron(15 10 L * ? *)",
];
const moments = fc.date({ min: new Date("2026-01-01"), max: new Date("2027-12-31"), noInvalidDate: true });

describe("when a pipeline is due", () => {
  it("is always later, and the same for the same pipeline", () => {
    fc.assert(
      fc.property(fc.constantFrom(...expressions), fc.uuid(), moments, (expression, id, after) => {
        const due = nextDue(expression, id, after);
        expect(due?.getTime()).toBeGreaterThan(after.getTime());
        expect(nextDue(expression, id, after)).toEqual(due);
      }),
    );
  });

  it("leaves nothing out: from any moment before it, it is next", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.uuid(),
        moments,
        fc.nat(),
        (expression, id, after, part) => {
          const due = nextDue(expression, id, after) as Date;
          const between = new Date(after.getTime() + (part % (due.getTime() - after.getTime())));
          expect(nextDue(expression, id, between)).toEqual(due);
        },
      ),
    );
  });

  it("comes at the rate, at a moment of the pipeline's own", () => {
    const first = nextDue("rate(1 day)", "a", start) as Date;
    expect(first.getTime() - start.getTime()).toBeLessThanOrEqual(24 * hourMs);
    expect(nextDue("rate(1 day)", "a", first)?.getTime()).toBe(first.getTime() + 24 * hourMs);
    expect(nextDue("rate(1 day)", "b", start)).not.toEqual(first);
  });

  it("comes within an hour after a cron's moment, in UTC", () => {
    const due = nextDue("cron(0 3 * * ? *)", "a", start) as Date;
    const sinceThree = due.getTime() - Date.parse("2026-11-24T03:00:00Z");
    expect(sinceThree).toBeGreaterThanOrEqual(0);
    expect(sinceThree).toBeLessThan(hourMs);
  });

  it("counts weekdays as EventBridge does: 2 is Monday", () => {
    expect(nextDue("cron(0 3 ? * 2 *)", "a", start)?.getUTCDay()).toBe(1);
  });

  it("is never, after the last year of a cron", () => {
    expect(nextDue("cron(0 3 1 1 ? 2026)", "a", start)).toBeUndefined();
  });

  it("spreads a thousand pipelines of one schedule evenly", () => {
    const ids = Array.from({ length: 1_000 }, (_, number) => `pipeline-${number}`);
    for (const [expression, spanMs] of [
      ["rate(1 day)", 24 * hourMs],
      ["cron(0 3 * * ? *)", hourMs],
    ] as const) {
      const dues = ids.map((id) => (nextDue(expression, id, start) as Date).getTime());
      const first = Math.min(...dues);
      const tenths = new Set(dues.map((due) => Math.floor(((due - first) / spanMs) * 10)));
      expect(tenths.size).toBe(10);
    }
  });
});
