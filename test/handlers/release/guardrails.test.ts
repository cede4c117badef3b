import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guardrails } from "../../../handlers/release/guardrails.ts";

const rollout = fc.record({
  canaryPercent: fc.integer({ min: 1, max: 50 }),
  stepPercent: fc.integer({ min: 10, max: 50 }),
  // What the spec allows a real-time endpoint.
  bakeMinutes: fc.integer({ min: 1, max: 60 }),
});

const parts = (args: Parameters<typeof guardrails>[0]) => {
  const { BlueGreenUpdatePolicy: policy } = guardrails(args, []);
  const routing = policy?.TrafficRoutingConfiguration;
  return {
    size: routing?.LinearStepSize?.Value ?? 0,
    waitSeconds: routing?.WaitIntervalInSeconds ?? 0,
    lastSeconds: policy?.TerminationWaitInSeconds ?? 0,
    limitSeconds: policy?.MaximumExecutionTimeoutInSeconds ?? 0,
  };
};

describe("guardrails of a real-time endpoint", () => {
  it("stay within what SageMaker takes, and leave the fleets time to come and go", () => {
    fc.assert(
      fc.property(rollout, (args) => {
        const { size, waitSeconds, lastSeconds, limitSeconds } = parts(args);
        expect(size).toBeGreaterThanOrEqual(10);
        expect(size).toBeLessThanOrEqual(50);
        expect(waitSeconds).toBeLessThanOrEqual(3600);
        expect(limitSeconds).toBeGreaterThanOrEqual(600);
        expect(limitSeconds).toBeLessThanOrEqual(28_800);
        const waiting = (Math.ceil(100 / size) - 1) * waitSeconds + lastSeconds;
        expect(limitSeconds - waiting).toBeGreaterThanOrEqual(3600);
      }),
    );
  });

  it("give the version no more at first than the canary, where SageMaker allows so little", () => {
    expect(parts({ canaryPercent: 10, stepPercent: 20, bakeMinutes: 10 })).toEqual({
      size: 10,
      waitSeconds: 600,
      lastSeconds: 600,
      limitSeconds: 9600,
    });
    expect(parts({ canaryPercent: 5, stepPercent: 20, bakeMinutes: 10 }).size).toBe(10);
    expect(parts({ canaryPercent: 30, stepPercent: 20, bakeMinutes: 10 }).size).toBe(20);
  });

  it("watch at most ten alarms", () => {
    const names = Array.from({ length: 12 }, (_, index) => `alarm-${index}`);
    const { AutoRollbackConfiguration } = guardrails(
      { canaryPercent: 10, stepPercent: 20, bakeMinutes: 10 },
      names,
    );
    expect(AutoRollbackConfiguration?.Alarms).toHaveLength(10);
  });
});
