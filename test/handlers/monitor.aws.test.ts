import { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { nextBaseline } from "../../handlers/dataset/baseline-document.ts";
import { openBaseline, replaceBaseline } from "../../handlers/dataset/baseline-store.ts";
import { aMonitor, LABELS } from "./support/a-monitor.ts";
import { type Penguin, penguins, profileOf, TARGET } from "./support/captured-penguins.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws } from "./support/pipeline-in-aws.ts";

const pipelines: PipelineInAws[] = [];

/** A monitor beside a released model, where the real penguins were accepted as training data. */
async function aMonitorWithBaseline(evaluation: Readonly<Record<string, unknown>> = { metrics: {} }) {
  const monitor = await aMonitor();
  const { pipeline, env } = monitor;
  pipelines.push(pipeline);
  await monitor.release(evaluation);
  const s3 = emulatorClient(S3Client, env);
  const accepted = {
    key: "data/penguins.csv",
    versionId: "1",
    at: "2026-11-01T00:00:00Z",
    profile: await profileOf(penguins),
  };
  const bucket = pipeline.bucket("validated");
  await replaceBaseline(s3, bucket, await openBaseline(s3, bucket), nextBaseline(undefined, [accepted])!);
  return monitor;
}

const NEXT_DAY = new Date("2026-12-01T00:20:00Z");
const NEXT_HOUR = new Date("2026-11-30T10:30:00Z");
const NEXT_REPORT = "2026/12/01/00";

describe("drift", { timeout: 120_000 }, () => {
  it("is none of requests like the accepted data, and what the model answers first is its baseline", async () => {
    const { ask, run, document, pipeline } = await aMonitorWithBaseline();
    await ask(penguins);
    const { metrics } = await run("drift");
    expect(metrics).toEqual({ PredictionDrift: 0, PredictionMean: expect.closeTo(0.9, 9) });
    expect((await document("drift", "analysis.json")).inputs.columns).toHaveLength(6);
    expect(await pipeline.keysIn("predictions", "monitoring/drift/baselines/")).toEqual([
      "monitoring/drift/baselines/1.json",
    ]);
    expect(await pipeline.takeAlerts()).toEqual([]);
  });

  it("of one input column is found by name", async () => {
    const { ask, run, document, pipeline } = await aMonitorWithBaseline();
    await ask(penguins, {
      change: (penguin) => ({ ...penguin, "Body Mass (g)": Number(penguin["Body Mass (g)"]) + 900 }),
    });
    const { metrics } = await run("drift");
    expect(metrics.PredictionDrift).toBeGreaterThan(0.25);
    expect((await document("drift", "constraint_violations.json")).violations).toMatchObject([
      { feature_name: "Body Mass (g)", constraint_check_type: "baseline_drift_check" },
    ]);
    expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "warning", code: "monitor_drift" }]);
  });

  it("of answers is found against the version's first ones, though what is asked stays the same", async () => {
    const { ask, run, document } = await aMonitorWithBaseline();
    await ask(penguins);
    await run("drift");
    await ask(penguins, { at: NEXT_HOUR, predict: () => "Adelie" });
    // Another version's answers have a baseline of their own.
    await ask(penguins, { at: NEXT_HOUR, predict: () => "Gentoo", modelVersion: 2 });
    const { metrics } = await run("drift", NEXT_DAY);
    expect(metrics.PredictionDrift).toBeGreaterThan(0.25);
    expect(await document("drift", "report.json", NEXT_REPORT)).toMatchObject({
      answers: penguins.length,
      predictionBaseline: { from: "2026-11-29T00:00:00.000Z" },
    });
    expect((await document("drift", "constraint_violations.json", NEXT_REPORT)).violations).toMatchObject([
      { feature_name: "class", constraint_check_type: "baseline_drift_check" },
    ]);
  });

  it("of attributions is found where the model reports them, against those of its evaluation", async () => {
    const { ask, run, document } = await aMonitorWithBaseline({
      metrics: {},
      attributions: { Island: 0.7, Sex: 0.5, "Body Mass (g)": 0.05 },
    });
    await ask(penguins, {
      predict: (penguin: Penguin) => ({
        prediction: penguin[TARGET],
        attributions: { Island: -0.1, Sex: 0.2, "Body Mass (g)": 0.7 },
      }),
    });
    const { metrics } = await run("drift");
    expect(metrics.AttributionNdcg).toBeCloseTo(0.687639624122622, 9);
    expect((await document("drift", "report.json")).attributionNdcg).toBe(metrics.AttributionNdcg);
    expect((await document("drift", "constraint_violations.json")).violations).toMatchObject([
      {
        label: "label0",
        metric_name: "shap",
        constraint_check_type: "feature_attribution_drift_check",
        description: expect.stringMatching(/^Feature attribution drift 0\.6876\d+ exceeds threshold 0\.9$/),
      },
    ]);
  });

  it("waits for enough requests", async () => {
    const { ask, run } = await aMonitorWithBaseline();
    await ask(penguins.slice(0, 199));
    expect(await run("drift")).toMatchObject({ outcome: { state: "too_little" }, metrics: {} });
  });
});

it("reports on two days of all kinds", { timeout: 120_000 }, async () => {
  const { ask, run, label } = await aMonitorWithBaseline({ metrics: { accuracy: { value: 0.97 } } });
  for (const [at, folder, now] of [
    [new Date("2026-11-29T10:30:00Z"), LABELS, undefined],
    [NEXT_HOUR, "labels/2026/11/30/12/", NEXT_DAY],
  ] as const) {
    await label(await ask(penguins, { at }), folder);
    const metrics: Record<string, unknown> = {};
    for (const kind of ["data-quality", "model-quality", "bias", "drift"] as const) {
      Object.assign(metrics, (await run(kind, now)).metrics);
    }
    expect(metrics).toEqual({
      InputViolations: 0,
      ConformingInputs: penguins.length,
      ModelQuality: 1,
      QualityLoss: 0,
      BiasGap: 0,
      PredictionDrift: 0,
      PredictionMean: expect.closeTo(0.9, 9),
    });
  }
});

expectExactGrants(() => pipelines.flatMap((pipeline) => pipeline.grantsOf("monitor")));
