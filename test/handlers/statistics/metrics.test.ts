import { describe, expect, it } from "vitest";
import {
  accuracy,
  areaUnderRoc,
  brierScore,
  classScores,
  f1,
  logLoss,
  regressionErrors,
} from "../../../handlers/statistics/metrics.ts";
import published from "./model-quality.json" with { type: "json" };

const DIGITS = 9;

describe("metrics of a model", () => {
  it("have scikit-learn's values for two classes", () => {
    const { labels, scores, ...expected } = published.binary;
    const predictions = scores.map((score) => score > 0.5);
    expect(areaUnderRoc(labels, scores)).toBeCloseTo(expected.auc, DIGITS);
    expect(brierScore(labels, scores)).toBeCloseTo(expected.brier, DIGITS);
    expect(accuracy(labels, predictions)).toBeCloseTo(expected.accuracy, DIGITS);
    const ofLabels = scores.map((score, i) => (labels[i] ? score : 1 - score));
    expect(logLoss(ofLabels)).toBeCloseTo(expected.logLoss, DIGITS);
    const positive = classScores(labels, predictions).get(true);
    expect(positive?.f1).toBeCloseTo(expected.f1, DIGITS);
    expect(positive?.precision).toBeCloseTo(expected.precision, DIGITS);
    expect(positive?.recall).toBeCloseTo(expected.recall, DIGITS);
  });

  it("have scikit-learn's values for classes, one of which is only predicted", () => {
    const { labels, predictions, perClass, ...expected } = published.classes;
    expect(accuracy(labels, predictions)).toBeCloseTo(expected.accuracy, DIGITS);
    expect(f1(labels, predictions, "macro")).toBeCloseTo(expected.f1Macro, DIGITS);
    expect(f1(labels, predictions, "weighted")).toBeCloseTo(expected.f1Weighted, DIGITS);
    const scores = classScores(labels, predictions);
    expect([...scores.keys()].sort()).toEqual(perClass.map(({ name }) => name));
    for (const { name, ...values } of perClass) {
      for (const [metric, value] of Object.entries(values)) {
        expect(scores.get(name)?.[metric as keyof typeof values]).toBeCloseTo(value, DIGITS);
      }
    }
  });

  it("have scikit-learn's values for numbers", () => {
    const { labels, predictions, ...expected } = published.regression;
    for (const [metric, value] of Object.entries(regressionErrors(labels, predictions))) {
      expect(value).toBeCloseTo(expected[metric as keyof typeof expected], DIGITS);
    }
  });

  it("are no number where they mean nothing", () => {
    expect(accuracy([], [])).toBeNaN();
    expect(areaUnderRoc([true, true], [0.1, 0.2])).toBeNaN();
    expect(regressionErrors([3, 3], [3, 4]).r2).toBeNaN();
  });

  it("refuse labels without predictions", () => {
    expect(() => accuracy(["a"], [])).toThrow(RangeError);
  });
});
