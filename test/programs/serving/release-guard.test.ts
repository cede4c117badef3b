import { describe, expect, it } from "vitest";
import { type Run, resource } from "../support/run-program.ts";
import { INTERNAL_DOMAIN, learning, names, production } from "../support/serving.ts";

const alarm = (run: Run, name: string) => resource(run, "cloudwatch/metricAlarm:MetricAlarm", name).inputs;

const guarded = (run: Run) =>
  (run.outputs.serving as { releaseGuard: { alarmNames: string[] } }).releaseGuard.alarmNames.map((name) =>
    name.slice(names.prefix.length + 1),
  );

describe("the guard of a release", () => {
  it.each([
    ["serverless", ["blue-errors", "blue-slow", "green-errors", "green-slow"]],
    ["realtime", ["live-errors", "live-slow"]],
    ["lambda", ["predict-errors", "predict-slow"]],
    ["ecs", []],
  ] as const)("watches the API and, in mode %s, what answers", async (mode, expected) => {
    const serving = { mode, ...(mode === "ecs" && { internalDomain: INTERNAL_DOMAIN }) };
    const run = mode === "ecs" ? await production(serving) : await learning(serving);
    expect(guarded(run)).toEqual(["api-errors", "api-slow", ...expected]);
    const { alarmRule, alarmActions } = resource(
      run,
      "cloudwatch/compositeAlarm:CompositeAlarm",
      "release-guard",
    ).inputs;
    expect(alarmRule).toBe(
      guarded(run)
        .map((name) => `ALARM("${names.named(name)}")`)
        .join(" OR "),
    );
    expect(alarmActions).toEqual(["arn:aws:test:::critical"]);
  });

  it("rings after three bad minutes of five, by the spec's limits, and leaves telling to the combined alarm", async () => {
    const run = await learning({});
    expect(alarm(run, "api-errors")).toMatchObject({
      namespace: "AWS/ApiGateway",
      metricName: "5XXError",
      dimensions: { ApiName: names.named("api"), Stage: "live" },
      statistic: "Average",
      threshold: 0.05,
      period: 60,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      alarmActions: [],
    });
    expect(alarm(run, "blue-slow")).toMatchObject({
      metricName: "ModelLatency",
      extendedStatistic: "p99",
      // Microseconds.
      threshold: 5_000_000,
    });
    expect(alarm(run, "blue-slow")).not.toHaveProperty("statistic");
  });

  it("is not what tells of probing and of refused requests", async () => {
    const run = await learning({});
    expect(guarded(run)).not.toContain("probing");
    for (const name of ["probing", "gate-throttled"]) {
      expect(alarm(run, name).alarmActions).toEqual(["arn:aws:test:::warning"]);
    }
  });

  it("is joined by the health of both target groups where tasks answer", async () => {
    const run = await production({ mode: "ecs", internalDomain: INTERNAL_DOMAIN });
    for (const color of ["blue", "green"]) {
      expect(alarm(run, `${color}-unhealthy`)).toMatchObject({
        namespace: "AWS/ApplicationELB",
        metricName: "UnHealthyHostCount",
        dimensions: { LoadBalancer: "suffix/balancer", TargetGroup: `suffix/balancer-${color}` },
        alarmActions: ["arn:aws:test:::critical"],
      });
    }
  });
});
