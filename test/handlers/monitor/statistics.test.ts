import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttributionMeans, attributionNdcg } from "../../../handlers/monitor/attribution-drift.ts";
import { qualityLoss } from "../../../handlers/monitor/model-quality.ts";
import { NumberMoments } from "../../../handlers/monitor/number-moments.ts";
import { PredictedShares } from "../../../handlers/monitor/predicted-shares.ts";
import { isKnownMetric, type Pair, qualityOf } from "../../../handlers/monitor/quality-metric.ts";

const DIGITS = 12;

describe("drift of attributions", () => {
  // scikit-learn 1.9.1: ndcg_score([baseline], [live]), which Clarify's documentation refers to; the first is its example.
  it.each([
    [[0.7, 0.5, 0.05], [0.1, 0.2, 0.7], 0.687639624122622],
    [[0.4, 0.3, 0.2, 0.1], [0.3, 0.4, 0.2, 0.1], 0.9496044283456989],
    [
      [0.022486410860333206, 0.007381025261958729, 0.006843906804137847],
      [0.001, 0.03, 0.02],
      0.7505987380408028,
    ],
  ])("is scored as scikit-learn does: %j, %j", (baseline, live, expected) => {
    const named = (values: readonly number[]) =>
      Object.fromEntries(values.map((value, i) => [`c${i}`, value]));
    expect(attributionNdcg(named(baseline), named(live))).toBeCloseTo(expected, DIGITS);
  });

  it("is none where both rank alike, whatever the sizes", () => {
    const gains = fc.dictionary(fc.string(), fc.double({ min: 0.01, max: 1, noNaN: true }), { minKeys: 1 });
    fc.assert(
      fc.property(gains, fc.double({ min: 0.5, max: 9, noNaN: true }), (baseline, factor) => {
        const live = Object.fromEntries(
          Object.entries(baseline).map(([name, gain]) => [name, gain * factor]),
        );
        expect(attributionNdcg(baseline, live)).toBeCloseTo(1, 9);
      }),
    );
  });

  it("is unknown where the baseline attributes nothing", () => {
    expect(attributionNdcg({ a: 0 }, { a: 1 })).toBeUndefined();
  });

  it("is judged by means of sizes, not of signs", () => {
    const means = new AttributionMeans();
    means.add({ a: -0.5, b: 0.25 });
    means.add({ a: 0.25 });
    expect(means.means()).toEqual({ a: 0.375, b: 0.125 });
  });
});

describe("quality", () => {
  const probabilities = [0.9, 0.4, 0.35, 0.8, 0.1, 0.6, 0.7, 0.2];
  const binary: Pair[] = [1, 0, 1, 1, 0, 0, 1, 0].map((label, i) => ({
    label: String(label),
    value: probabilities[i]!,
  }));
  const classes: Pair[] = [..."abcabcaabb"].map((label, i) => ({ label, value: "abcacbaaab"[i]! }));
  const numbers: Pair[] = [
    ["3.1", 2.9],
    ["2.5", 2.7],
    ["7.7", 8.1],
    ["4.0", 3.5],
  ].map(([label, value]) => ({ label: String(label), value: Number(value) }));

  // scikit-learn 1.9.1; F1 and its parts of several classes are macro averages.
  it.each([
    ["accuracy", binary, 0.75],
    ["precision", binary, 0.75],
    ["f1", binary, 0.75],
    ["auc", binary, 0.875],
    ["log_loss", binary, 0.4363276947527035],
    ["brier-score", binary, 0.1415625],
    ["accuracy", classes, 0.7],
    ["f1_macro", classes, 0.6534391534391534],
    ["F1", classes, 0.6534391534391534],
    ["f1_weighted", classes, 0.6841269841269841],
    ["precision", classes, 0.6555555555555556],
    ["recall", classes, 0.6666666666666666],
    ["mae", numbers, 0.32499999999999996],
    ["rmse", numbers, 0.3499999999999999],
    ["r2", numbers, 0.969989281886388],
    ["mape", numbers, 0.08036604524507751],
  ] as const)("%s is what scikit-learn says", (name, pairs, expected) => {
    expect(qualityOf(name, pairs)).toBeCloseTo(expected, DIGITS);
  });

  it("takes the model's own class before the probability of the positive one", () => {
    const pairs: Pair[] = [
      { label: "no", value: "no", score: 0.45 },
      { label: "yes", value: "yes", score: 0.44 },
    ];
    expect(qualityOf("accuracy", pairs)).toBe(1);
    expect(qualityOf("auc", pairs)).toBe(0);
  });

  it("is unknown for other names, for errors of classes and for curves with one class", () => {
    expect(isKnownMetric("karma")).toBe(false);
    expect(qualityOf("karma", binary)).toBeUndefined();
    expect(qualityOf("rmse", classes)).toBeUndefined();
    expect(qualityOf("auc", [{ label: "1", value: 0.3 }])).toBeUndefined();
    expect(
      qualityOf(
        "auc",
        [..."abab"].map((label) => ({ label, value: label })),
      ),
    ).toBeUndefined();
    expect(qualityOf("accuracy", [])).toBeUndefined();
  });

  it("knows 1, 1.0 and true to its name as the class that labels mean", () => {
    expect(qualityOf("accuracy", [{ label: "1.0", value: 1 }])).toBe(1);
    expect(qualityOf("accuracy", [{ label: "true", value: "true" }])).toBe(1);
  });

  it("is lost by the share of what was registered, in the direction of the gate", () => {
    expect(qualityLoss(0.72, 0.9, "atLeast")).toBeCloseTo(0.2, DIGITS);
    expect(qualityLoss(0.95, 0.9, "atLeast")).toBe(0);
    expect(qualityLoss(12, 10, "atMost")).toBeCloseTo(0.2, DIGITS);
    expect(qualityLoss(-2.2, -2, "atLeast")).toBeCloseTo(0.1, DIGITS);
    expect(qualityLoss(0.5, 0, "atMost")).toBe(1);
  });
});

describe("predictions by segment", () => {
  it("differ by the share of the greater class, as Clarify's DPPL and DI", () => {
    const shares = new PredictedShares(["sex"]);
    const add = (sex: string | null, value: string | number, times: number) => {
      for (let i = 0; i < times; i++) shares.add([sex], value);
    };
    add("f", 0.9, 2);
    add("f", 0.2, 8);
    add("m", 1, 5);
    add("m", 0, 5);
    add(null, 1, 3);
    const [segment] = shares.disparities();
    // Of women 20 % get 1, of men 50 %: DPPL = 0.5 - 0.2, DI = 0.2 / 0.5.
    expect(segment).toEqual({
      column: "sex",
      values: [
        { value: "f", count: 10, predictedClass: "1", dppl: 0.3, di: 0.4 },
        { value: "m", count: 10, predictedClass: "1", dppl: -0.3, di: 2.5 },
      ],
    });
  });

  it("hold together however many values and classes there are", () => {
    const shares = new PredictedShares(["id"]);
    for (let i = 0; i < 1000; i++) shares.add([`user ${i}`], `class ${i}`);
    const [segment] = shares.disparities();
    expect(segment?.values).toHaveLength(101);
    expect(segment?.values.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  });

  it("are not compared where they are no classes", () => {
    const shares = new PredictedShares(["sex"]);
    shares.add(["f"], 12.5);
    shares.add(["m"], 13.5);
    expect(shares.disparities()[0]?.values).toEqual([
      { value: "f", count: 1 },
      { value: "m", count: 1 },
    ]);
  });
});

it("keeps mean and deviation as NumPy has them, without keeping the numbers", () => {
  const moments = new NumberMoments();
  for (const value of [2.5, 3.5, 1, 8, -4]) moments.add(value);
  expect(moments.mean).toBeCloseTo(2.2, DIGITS);
  expect(moments.standardDeviation).toBeCloseTo(3.8807215823864514, DIGITS);
  expect([moments.count, moments.min, moments.max]).toEqual([5, -4, 8]);
});
