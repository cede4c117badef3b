import { describe, expect, it } from "vitest";
import { fitTransform } from "../../../handlers/features/fit.ts";
import { plainSample } from "../../../handlers/release/samples.ts";
import { problemOf, requestOf, samplesOf, tryVersion } from "../../../handlers/release/trial.ts";
import { acceptedRecords, type Column, someFeatures } from "../support/accepted-records.ts";

const answer = (predictions: unknown, ms = 1) => ({
  contentType: "application/json",
  body: JSON.stringify({ predictions }),
  ms,
});
const asked = { request: { instances: [{ mass: 3750 }, { mass: 5000 }] } };

describe("an answer", () => {
  it.each([
    ["is right with a prediction for each instance", asked, answer(["adelie", "gentoo"]), undefined],
    ["is wrong with one too few", asked, answer(["adelie"]), "is no list of 2 predictions"],
    ["is wrong with null for a prediction", asked, answer(["adelie", null]), "is no list of 2 predictions"],
    [
      "is right within the tolerance",
      { ...asked, expected: [1, 2], tolerance: 0.1 },
      answer([1.05, 1.95]),
      undefined,
    ],
    [
      "is wrong beyond it, and the problem names the place alone",
      { ...asked, expected: [1, 2], tolerance: 0.1 },
      answer([1.05, 2.2]),
      "is not what was expected of instance 2",
    ],
    [
      "is wrong with another class",
      { ...asked, expected: ["adelie", "gentoo"] },
      answer([{ prediction: "adelie", probability: 0.9 }, "adelie"]),
      "is not what was expected of instance 2",
    ],
  ])("%s", (_title, sample, given, problem) => {
    expect(problemOf(sample, given)).toBe(problem);
  });

  it("is read as CSV where CSV was asked", () => {
    const sample = { request: "3750\n5000\n", contentType: "text/csv", expected: ["adelie", "gentoo"] };
    expect(requestOf(sample)).toEqual({ contentType: "text/csv", body: "3750\n5000\n" });
    expect(problemOf(sample, { contentType: "text/csv", body: "adelie\ngentoo\n", ms: 1 })).toBeUndefined();
    const accept = "application/json";
    expect(requestOf({ ...sample, accept })).toEqual({
      contentType: "text/csv",
      accept,
      body: "3750\n5000\n",
    });
  });
});

describe("a version", () => {
  const ask = (times: number[]) => async () => answer([1, 2], times.shift() ?? 1);

  it("may take its time for the first answer, since it brings the model up", async () => {
    await tryVersion([asked, asked, asked], ask([9000, 10, 10]), 100);
  });

  it("fails when half of its answers are too slow", async () => {
    await expect(tryVersion([asked, asked, asked], ask([10, 200, 300]), 100)).rejects.toMatchObject({
      name: "TestsFailed",
    });
  });

  it("is asked everything in dev and five things in staging", () => {
    const samples = Array.from({ length: 20 }, () => asked);
    expect([samplesOf("dev", samples).length, samplesOf("staging", samples).length]).toEqual([20, 5]);
  });
});

describe("the plain request", () => {
  it("keeps to the data set's limits and leaves the target out", () => {
    const columns = [
      { name: "island", type: "string" as const, enum: ["Biscoe", "Dream"] },
      { name: "mass", type: "integer" as const, min: 2000 },
      { name: "loss", type: "number" as const, max: -1 },
      { name: "seen", type: "date" as const },
      { name: "species", type: "string" as const },
    ];
    expect(plainSample(columns, "species").request).toEqual({
      instances: [{ island: "Biscoe", mass: 2000, loss: -1, seen: "2000-01-01" }],
    });
  });

  it("says what to do where no plain row suits the features", async () => {
    const columns: readonly Column[] = [
      { name: "count", type: "number" },
      { name: "seen", type: "date" },
    ];
    const features = someFeatures({
      target: "count",
      derive: [{ name: "month", operation: "datePart", column: "seen", part: "month" }],
      encode: [{ columns: ["month"], method: "ordinal", handleUnknown: "error" }],
    });
    const accepted = await acceptedRecords(columns, [{ count: 1, seen: "2026-12-24" }]);
    const transform = await fitTransform({ features, columns }, accepted.statistics);
    accepted.close();
    expect(() => plainSample(columns, "count", transform)).toThrow(
      "No plain row suits the features: /instances/0 the feature month is no category that the model was trained with. " +
        "Let evaluate record samples.jsonl",
    );
  });
});
