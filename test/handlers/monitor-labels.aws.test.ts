import { describe, expect, it } from "vitest";
import { aMonitor, LABELS } from "./support/a-monitor.ts";
import { penguins, TARGET } from "./support/captured-penguins.ts";

/** Of all three species, which the file has one after the other. */
const everyThird = penguins.filter((_, index) => index % 3 === 0);

describe("the quality of the model", { timeout: 120_000 }, () => {
  /** A model that takes every fifth penguin for another. */
  const mistaken = (penguin: (typeof penguins)[number], index: number) => ({
    prediction: index % 5 === 0 ? (penguin[TARGET] === "Adelie" ? "Gentoo" : "Adelie") : penguin[TARGET],
  });

  it("is measured on labels that come later, against the gate and what was registered", async () => {
    const { ask, run, label, release, document, pipeline } = await aMonitor();
    await release({ metrics: { accuracy: { value: 1 }, confusion: {} } });
    const asked = await ask(everyThird.slice(0, 100), {
      at: new Date("2026-11-20T10:30:00Z"),
      predict: mistaken,
    });
    await label(asked);
    const { metrics } = await run("model-quality");
    expect(metrics).toEqual({ ModelQuality: 0.8, QualityLoss: 1 - 0.8 });
    expect(await document("model-quality", "statistics.json")).toMatchObject({
      version: 0,
      dataset: { item_count: 100, end_time: "2026-11-30T00:00:00.000Z" },
      multiclass_classification_metrics: { accuracy: { value: 0.8 } },
    });
    expect(await document("model-quality", "constraints.json")).toEqual({
      version: 0,
      multiclass_classification_constraints: {
        accuracy: { threshold: 0.9, comparison_operator: "LessThanThreshold" },
      },
    });
    expect(await document("model-quality", "constraint_violations.json")).toEqual({
      violations: [
        {
          constraint_check_type: "LessThanThreshold",
          description: "Metric accuracy with 0.8 was LessThanThreshold '0.9'",
          metric_name: "accuracy",
        },
      ],
    });
    expect((await pipeline.takeAlerts())[0]?.detail.problems).toEqual([
      "Metric accuracy with 0.8 was LessThanThreshold '0.9'",
      "accuracy is 20 % worse than when the model was registered",
    ]);
  });

  it("counts each label once, whenever it is brought again", async () => {
    const { ask, run, label, document } = await aMonitor();
    const asked = await ask(penguins.slice(0, 80));
    await label(asked.slice(0, 40));
    await run("model-quality");
    await label(asked, "labels/2026/11/30/03/");
    await label(asked.slice(40), "labels/2026/11/30/04/");
    await run("model-quality", new Date("2026-12-01T00:20:00Z"));
    expect((await document("model-quality", "report.json", "2026/12/01/00")).labels).toEqual({
      counted: 40,
      unreadable: 0,
      late: 0,
      repeated: 80,
      unmatched: 0,
    });
  });

  it("looks a week back for predictions whose ids don't tell when they were made", async () => {
    const { ask, run, label, document } = await aMonitor();
    const asked = await ask(penguins.slice(0, 40), {
      at: new Date("2026-11-23T00:30:00Z"),
      inferenceId: (index) => `order-${index}`,
    });
    await label([...asked, { inferenceId: "order-unknown", penguin: penguins[0]!, predicted: "" }]);
    await run("model-quality");
    expect((await document("model-quality", "report.json")).labels).toMatchObject({
      counted: 40,
      unmatched: 1,
    });
  });

  it("leaves out predictions of a version that is not in use, and labels that come a month late", async () => {
    const { ask, run, label, release, document } = await aMonitor();
    await release({ metrics: { accuracy: { value: 0.9 } } });
    const before = await ask(penguins.slice(0, 30), { modelVersion: 7, predict: () => "Gentoo" });
    const now = await ask(penguins.slice(0, 40), { modelVersion: 1 });
    const old = await ask(penguins.slice(0, 2), { at: new Date("2026-10-01T00:00:00Z") });
    await label([...before, ...now, ...old]);
    const { metrics } = await run("model-quality");
    expect(metrics).toEqual({ ModelQuality: 1, QualityLoss: 0 });
    expect((await document("model-quality", "report.json")).labels).toMatchObject({ counted: 70, late: 2 });
  });

  it("waits up to a week for enough labels, and then says nothing of it", async () => {
    const { ask, run, label, document } = await aMonitor();
    await label(await ask(penguins.slice(0, 29)));
    expect(await run("model-quality")).toMatchObject({ outcome: { state: "too_little" }, metrics: {} });
    await label(
      await ask(penguins.slice(0, 1), { at: new Date("2026-11-30T10:00:00Z") }),
      "labels/2026/11/30/11/",
    );
    expect((await run("model-quality", new Date("2026-12-01T00:20:00Z"))).metrics).toEqual({
      ModelQuality: 1,
    });
    await run("model-quality", new Date("2026-12-08T00:20:00Z"));
    expect(await document("model-quality", "report.json", "2026/12/08/00")).toMatchObject({
      labels: { counted: 0 },
      metrics: [],
    });
  });

  it("sums up what predictions were worth, by variant too", async () => {
    const { ask, run, pipeline } = await aMonitor();
    const blue = await ask(penguins.slice(0, 30), { variant: "a" });
    const green = await ask(penguins.slice(30, 60), { variant: "b" });
    const lines = [...blue, ...green].map(({ inferenceId, penguin }, index) =>
      JSON.stringify({ inferenceId, label: penguin[TARGET], value: index < 30 ? 2 : 1.5 }),
    );
    await pipeline.put("predictions", `${LABELS}a.jsonl`, lines.join("\n"));
    expect((await run("model-quality")).metrics).toMatchObject({
      BusinessValue: 105,
      "BusinessValue/a": 60,
      "BusinessValue/b": 45,
    });
  });

  it("says that nobody watches it where the gate's metric is none that it knows", async () => {
    const { ask, run, label, pipeline } = await aMonitor();
    await pipeline.putParameter(
      "training/quality-gate",
      JSON.stringify({ metric: "happiness", threshold: 1, direction: "atLeast" }),
    );
    await label(await ask(penguins.slice(0, 40)));
    expect((await run("model-quality")).metrics).toEqual({});
    expect((await pipeline.takeAlerts())[0]?.detail.problems).toEqual([
      "The quality gate's metric happiness is none that the monitor knows, so nobody watches it",
    ]);
  });
});

describe("bias", { timeout: 120_000 }, () => {
  it("is the difference of quality between a segment's values, and reported in Clarify's form", async () => {
    const { ask, run, label, document, pipeline } = await aMonitor();
    const asked = await ask(penguins, {
      predict: (penguin, index) =>
        penguin.Sex === "FEMALE" && index % 3 === 0 ? "Chinstrap" : String(penguin[TARGET]),
    });
    await label(asked);
    const accuracyOf = (sex: string) => {
      const of = asked.filter(({ penguin }) => penguin.Sex === sex);
      return of.filter(({ penguin, predicted }) => penguin[TARGET] === predicted).length / of.length;
    };
    const { metrics } = await run("bias");
    expect(metrics).toEqual({ BiasGap: accuracyOf("MALE") - accuracyOf("FEMALE") });
    const { violations } = await document("bias", "constraint_violations.json");
    expect(violations).toMatchObject([
      {
        facet: "Sex",
        facet_value: "FEMALE",
        metric_name: "accuracy",
        constraint_check_type: "bias_drift_check",
      },
    ]);
    const analysis = await document("bias", "analysis.json");
    expect(analysis.post_training_bias_metrics.facets.Sex).toMatchObject([
      { value_or_threshold: "FEMALE", metrics: [{ name: "DPPL" }, { name: "DI" }, { name: "accuracy" }] },
      {
        value_or_threshold: "MALE",
        metrics: [{ name: "DPPL" }, { name: "DI" }, { name: "accuracy", value: 1 }],
      },
    ]);
    // Values of segments are data: an alert names the column.
    expect(JSON.stringify(await pipeline.takeAlerts())).not.toContain("FEMALE");
  });

  it("is none of a value with too few labels", async () => {
    const { ask, run, label } = await aMonitor();
    const women = penguins.filter(({ Sex }) => Sex === "FEMALE").slice(0, 29);
    const men = penguins.filter(({ Sex }) => Sex === "MALE").slice(0, 60);
    await label(
      await ask([...women, ...men], { predict: ({ Sex }) => (Sex === "MALE" ? "Adelie" : "Gentoo") }),
    );
    expect((await run("bias")).metrics).toEqual({});
  });
});
