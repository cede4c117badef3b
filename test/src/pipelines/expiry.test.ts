import { describe, expect, it } from "vitest";
import { type ExpiryFacts, expiryStep, warningMs } from "../../../src/pipelines/expiry.ts";

const hourMs = 3_600_000;
const end = new Date("2026-06-02T12:00:00Z");
const beforeEnd = (hours: number) => new Date(end.getTime() - hours * hourMs);

const facts = (change: Partial<ExpiryFacts> = {}): ExpiryFacts => ({
  expiresAt: end,
  expiryWarnedAt: null,
  expirySubmittedAt: null,
  spec: { profile: "learning", ttl: { hours: 8, evenProduction: false } },
  ...change,
});

describe("the end of a lifetime", () => {
  it("is warned of a quarter of the lifetime before, a day at most", () => {
    expect(warningMs(8)).toBe(2 * hourMs);
    expect(warningMs(1_000)).toBe(24 * hourMs);
    expect(expiryStep(facts(), beforeEnd(2.01))).toBe("none");
    expect(expiryStep(facts(), beforeEnd(2))).toBe("warn");
  });

  it("comes after a warning only, also when nobody looked in time", () => {
    expect(expiryStep(facts(), beforeEnd(-100))).toBe("warn");
    const warned = facts({ expiryWarnedAt: beforeEnd(2) });
    expect(expiryStep(warned, beforeEnd(0.01))).toBe("none");
    expect(expiryStep(warned, end)).toBe("destroy");
  });

  it("is asked for again a day later, when it came to nothing", () => {
    const asked = facts({ expiryWarnedAt: beforeEnd(2), expirySubmittedAt: end });
    expect(expiryStep(asked, beforeEnd(-23.9))).toBe("none");
    expect(expiryStep(asked, beforeEnd(-24))).toBe("destroy");
  });

  it("never comes without a ttl, nor to a production pipeline whose spec doesn't say so", () => {
    const warned = { expiryWarnedAt: beforeEnd(2) };
    expect(expiryStep(facts({ ...warned, spec: { profile: "learning" } }), end)).toBe("none");
    expect(expiryStep(facts({ ...warned, expiresAt: null }), end)).toBe("none");
    const production = (evenProduction: boolean) =>
      facts({ ...warned, spec: { profile: "production", ttl: { hours: 8, evenProduction } } });
    expect(expiryStep(production(false), end)).toBe("none");
    expect(expiryStep(production(true), end)).toBe("destroy");
  });
});
