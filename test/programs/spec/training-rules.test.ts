import { describe, expect, it } from "vitest";
import { specProblems } from "../../../programs/spec.ts";
import { someFeatures } from "../../handlers/support/accepted-records.ts";
import { aSpec } from "../support/inputs.ts";

type Change = Parameters<typeof aSpec>[0];
type Tuning = NonNullable<ReturnType<typeof aSpec>["training"]["tuning"]>;
type Range = Tuning["ranges"][number];

const DEPTH: Range = { name: "depth", type: "integer", min: 2, max: 9, scale: "auto" };
const ETA: Range = { name: "eta", type: "continuous", min: 0.01, max: 0.3, scale: "logarithmic" };

const tuned = (change: Partial<Tuning> = {}, training: object = {}): Change => ({
  training: {
    tuning: { strategy: "bayesian", maxJobs: 10, maxParallelJobs: 2, ranges: [DEPTH, ETA], ...change },
    ...training,
  },
});

/** What a built-in algorithm can be trained on. */
const dataset = {
  schema: [
    { name: "species", type: "string" as const, nullable: false },
    { name: "mass", type: "number" as const, nullable: false },
  ],
  features: someFeatures({ target: "species" }),
};

const pathsOf = (change: Change) => specProblems(aSpec(change)).map(({ path }) => path);

describe("a search for hyperparameters", () => {
  it("takes ranges of each kind", () => {
    const booster: Range = { name: "booster", type: "categorical", values: ["gbtree", "dart"] };
    expect(pathsOf(tuned({ ranges: [DEPTH, ETA, booster] }))).toEqual([]);
  });

  it("runs no more jobs at once than in all", () => {
    expect(pathsOf(tuned({ maxJobs: 2, maxParallelJobs: 3 }))).toEqual(["/training/tuning/maxParallelJobs"]);
  });

  it.each<[string, Range, string]>([
    ["from high to low", { ...DEPTH, min: 9, max: 2 }, "max"],
    ["of one value", { ...DEPTH, max: 2 }, "max"],
    ["of zero on a logarithmic scale", { ...ETA, min: 0 }, "min"],
  ])("refuses a range %s", (_what, range, key) => {
    expect(pathsOf(tuned({ ranges: [range] }))).toContain(`/training/tuning/ranges/0/${key}`);
  });

  it("refuses an integer range with broken limits", () => {
    expect(pathsOf(tuned({ ranges: [{ ...DEPTH, max: 9.5 }] }))).toEqual(["/training/tuning/ranges/0"]);
  });

  it("refuses a value that is listed twice", () => {
    const range: Range = { name: "booster", type: "categorical", values: ["gbtree", "gbtree"] };
    expect(pathsOf(tuned({ ranges: [range] }))).toEqual(["/training/tuning/ranges/0/values"]);
  });

  it("refuses a hyperparameter with two ranges, or with a range and a fixed value", () => {
    expect(pathsOf(tuned({ ranges: [DEPTH, DEPTH] }))).toEqual(["/training/tuning/ranges/1/name"]);
    expect(pathsOf(tuned({}, { hyperparameters: { eta: 0.1 } }))).toEqual(["/training/tuning/ranges/1/name"]);
  });

  it("compares a built-in algorithm's jobs by a metric that it reports", () => {
    const builtIn = { algorithm: "xgboost", spot: { enabled: false } };
    expect(pathsOf({ dataset, ...tuned({}, builtIn) })).toEqual([]);
    const profit = { ...builtIn, qualityGate: { metric: "profit", threshold: 1 } };
    expect(pathsOf({ dataset, ...tuned({}, profit) })).toEqual(["/training/qualityGate/metric"]);
  });

  it("keeps a built-in algorithm off Spot, where its jobs would go on from each other's checkpoints", () => {
    expect(pathsOf({ dataset, ...tuned({}, { algorithm: "xgboost" }) })).toEqual(["/training/spot/enabled"]);
  });
});

describe("a notebook", () => {
  it("is stopped on a schedule that EventBridge Scheduler takes", () => {
    expect(pathsOf({ notebook: {} })).toEqual([]);
    expect(pathsOf({ notebook: { stopSchedule: "at night" } })).toEqual(["/notebook/stopSchedule"]);
  });
});
