import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHandler } from "../../handlers/monitor/handler.ts";
import { aMonitor, HOUR, NOW } from "./support/a-monitor.ts";
import { penguins } from "./support/captured-penguins.ts";
import { emulatorClient } from "./support/pipeline-in-aws.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the quality of captured requests", { timeout: 120_000 }, () => {
  it("is flawless for the real penguins, and reported in Model Monitor's form", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins);
    const { outcome, metrics } = await run("data-quality");
    expect(outcome).toMatchObject({ state: "reported", problems: 0 });
    expect(metrics).toEqual({ InputViolations: 0, ConformingInputs: penguins.length });
    expect(await document("data-quality", "statistics.json")).toMatchObject({
      version: 0,
      dataset: { item_count: penguins.length },
    });
    expect(await document("data-quality", "constraints.json")).toHaveProperty("monitoring_config");
    expect(await document("data-quality", "constraint_violations.json")).toEqual({ violations: [] });
    expect(await document("data-quality", "report.json")).toMatchObject({
      from: "2026-11-29T00:00:00.000Z",
      to: "2026-11-30T00:00:00.000Z",
      read: { requests: penguins.length, instances: penguins.length, unreadable: 0, unanswered: 0 },
    });
    expect(await pipeline.takeAlerts()).toEqual([]);
  });

  it("tells what breaks the schema by column and count, never the values", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins, {
      change: (penguin, index) => (index < 3 ? { ...penguin, Island: "Atlantis" } : penguin),
    });
    const { metrics } = await run("data-quality");
    expect(metrics).toEqual({ InputViolations: 3, ConformingInputs: penguins.length - 3 });
    expect(await document("data-quality", "constraint_violations.json")).toEqual({
      violations: [
        {
          feature_name: "Island",
          constraint_check_type: "categorical_values_check",
          description: `3 of ${penguins.length} instances have a value that the schema does not list`,
        },
      ],
    });
    const alerts = await pipeline.takeAlerts();
    expect(alerts).toMatchObject([{ severity: "warning", code: "monitor_data_quality" }]);
    expect(JSON.stringify(alerts)).not.toContain("Atlantis");
  });

  it("is critical where a larger share breaks it than may be quarantined, or too much is null", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins, {
      change: (penguin, index) => ({
        ...penguin,
        "Body Mass (g)": index % 10 === 0 ? "heavy" : null,
      }),
    });
    await run("data-quality");
    expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "critical" }]);
    expect((await document("data-quality", "constraint_violations.json")).violations).toMatchObject([
      { feature_name: "Body Mass (g)", constraint_check_type: "data_type_check" },
      {
        feature_name: "Body Mass (g)",
        constraint_check_type: "completeness_check",
        description: expect.stringMatching(/^\d\d\.\d+ % are null, and 1 % may be$/),
      },
    ]);
  });

  it("counts what can't be read, of every endpoint and variant, and goes on", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins.slice(0, 5));
    await ask(penguins.slice(0, 7), { endpoint: "green", variant: "shadow", predict: () => null });
    await pipeline.put("predictions", "captures/blue/primary/2026/11/29/11/broken.jsonl", "{\nnothing\n");
    // Another day, and an hour that has not settled.
    await ask(penguins.slice(0, 11), { at: new Date("2026-11-28T23:59:59Z") });
    await ask(penguins.slice(0, 13), { at: new Date("2026-11-30T00:01:00Z") });
    await run("data-quality");
    expect((await document("data-quality", "report.json")).read).toEqual({
      requests: 12,
      instances: 12,
      unreadable: 2,
      unanswered: 7,
    });
  });

  it("warns where less was captured than the gate predicted", async () => {
    const { ask, run, env, pipeline } = await aMonitor();
    await emulatorClient(CloudWatchClient, env).send(
      new PutMetricDataCommand({
        Namespace: pipeline.setting.names.metricNamespace,
        MetricData: [{ MetricName: "Predictions", Timestamp: HOUR, Value: 1000, Unit: "Count" }],
      }),
    );
    await ask(penguins.slice(0, 100));
    await run("data-quality");
    expect((await pipeline.takeAlerts())[0]?.detail.problems).toEqual([
      "Only 10 % of the predictions were captured",
    ]);
  });
});

describe("a window", { timeout: 120_000 }, () => {
  it("is reported on once: the same event again publishes nothing", async () => {
    const { ask, run } = await aMonitor();
    await ask(penguins.slice(0, 3), { change: () => ({ Island: "Atlantis" }) });
    expect((await run("data-quality")).metrics).toEqual({ InputViolations: 3, ConformingInputs: 0 });
    expect(await run("data-quality")).toMatchObject({ outcome: { state: "nothing_settled" }, metrics: {} });
  });

  it("publishes its metrics once where two events arrive at the same time", async () => {
    const { ask, env } = await aMonitor();
    await ask(penguins.slice(0, 3), { change: () => ({ Island: "Atlantis" }) });
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const outcomes = await Promise.all(
      [1, 2].map(() => createHandler(env, () => NOW)({ kind: "data-quality" })),
    );
    vi.restoreAllMocks();
    expect(outcomes.map(({ state }) => state)).toContain("reported");
    expect(lines.filter((line) => line.includes("InputViolations"))).toHaveLength(1);
  });

  it("goes on where the last one ended", async () => {
    const { ask, run, document } = await aMonitor();
    await run("data-quality");
    await ask(penguins.slice(0, 4), { at: new Date("2026-11-30T00:10:00Z") });
    await ask(penguins.slice(0, 2), { at: new Date("2026-11-30T05:10:00Z") });
    await run("data-quality", new Date("2026-11-30T06:30:00Z"));
    expect(await document("data-quality", "report.json", "2026/11/30/06")).toMatchObject({
      from: "2026-11-30T00:00:00.000Z",
      read: { requests: 6 },
    });
  });

  it("that was begun and not ended is halved, and no hour of it is lost", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins.slice(0, 4), { at: new Date("2026-11-29T11:59:00Z") });
    await ask(penguins.slice(0, 2), { at: new Date("2026-11-29T12:00:00Z") });
    await pipeline.put(
      "predictions",
      "monitoring/data-quality/progress.json",
      JSON.stringify({ current: { from: "2026-11-29T00:00:00.000Z", to: "2026-11-30T00:00:00.000Z" } }),
    );
    await run("data-quality");
    await run("data-quality");
    const read = async (hour: string) => (await document("data-quality", "report.json", hour)).read.requests;
    expect([await read("2026/11/29/12"), await read("2026/11/30/00")]).toEqual([4, 2]);
  });

  it("gives the same report however often it is reported on", async () => {
    const { ask, run, document, pipeline } = await aMonitor();
    await ask(penguins);
    await run("data-quality");
    const first = await document("data-quality", "statistics.json");
    await pipeline.put(
      "predictions",
      "monitoring/data-quality/progress.json",
      JSON.stringify({ through: "2026-11-29T00:00:00.000Z" }),
    );
    await run("data-quality");
    expect(await document("data-quality", "statistics.json")).toEqual(first);
  });
});
