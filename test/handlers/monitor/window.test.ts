import fc from "fast-check";
import { expect, it } from "vitest";
import { firstHalf, mayWait, nextWindow } from "../../../handlers/monitor/window.ts";

const HOUR_MS = 3_600_000;
const at = (text: string) => new Date(text);

it("begins with the day before, and leaves the last hour until its captures have arrived", () => {
  expect(nextWindow(undefined, at("2026-11-30T00:14:59Z"))).toEqual({
    from: at("2026-11-28T23:00:00Z"),
    to: at("2026-11-29T23:00:00Z"),
  });
  expect(nextWindow(undefined, at("2026-11-30T00:15:00Z"))?.to).toEqual(at("2026-11-30T00:00:00Z"));
});

it("has nothing to report on before another hour has settled", () => {
  expect(nextWindow(at("2026-11-30T00:00:00Z"), at("2026-11-30T01:14:59Z"))).toBeUndefined();
});

it("covers every settled hour once, whenever it is asked", () => {
  const minutes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(minutes, (waits) => {
      const begin = at("2026-11-01T00:00:00Z");
      let through: Date = begin;
      let now = begin.getTime();
      for (const wait of waits) {
        now += wait * 60_000;
        const window = nextWindow(through, new Date(now));
        if (window === undefined) continue;
        expect(window.from).toEqual(through);
        expect(window.to.getTime() % HOUR_MS).toBe(0);
        expect(window.to.getTime()).toBeGreaterThan(window.from.getTime());
        through = window.to;
      }
      expect(now - through.getTime()).toBeLessThan(HOUR_MS + 15 * 60_000);
    }),
  );
});

it("looks back no longer than 31 days", () => {
  const window = nextWindow(at("2026-01-01T00:00:00Z"), at("2026-11-30T05:30:00Z"));
  expect(window?.from).toEqual(at("2026-10-30T05:00:00Z"));
});

it("comes down to one hour, however often it is halved, and to no less", () => {
  const from = at("2026-11-29T00:00:00Z");
  const hours: number[] = [];
  for (let window = { from, to: at("2026-11-30T00:00:00Z") }; hours.at(-1) !== 1; ) {
    window = firstHalf(window);
    expect(window.from).toEqual(from);
    hours.push((window.to.getTime() - from.getTime()) / HOUR_MS);
  }
  expect(hours).toEqual([12, 6, 3, 1]);
  expect(firstHalf({ from, to: at("2026-11-29T01:00:00Z") }).to).toEqual(at("2026-11-29T01:00:00Z"));
});

it("waits for more during a week", () => {
  const from = at("2026-11-01T00:00:00Z");
  expect(mayWait({ from, to: at("2026-11-07T23:00:00Z") })).toBe(true);
  expect(mayWait({ from, to: at("2026-11-08T00:00:00Z") })).toBe(false);
});
