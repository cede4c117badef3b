import { expect, it } from "vitest";
import { newInferenceId } from "../../../handlers/captures/inference-id.ts";
import { labelFolder, parseLabels } from "../../../handlers/monitor/labels.ts";

const labels = (line: unknown) => parseLabels(JSON.stringify(line));

it("names the request, what was right, and what it was worth", () => {
  expect(labels({ inferenceId: "a", label: "Adelie", value: 1.5, at: "2026-11-29T10:00:00Z" })).toEqual([
    {
      inferenceId: "a",
      index: 0,
      label: "Adelie",
      value: 1.5,
      predictedAt: new Date("2026-11-29T10:00:00Z"),
    },
  ]);
});

it("names every instance of a request that is known, and the request's worth once", () => {
  expect(labels({ inferenceId: "a", label: [null, 1, false], value: 3 })).toEqual([
    { inferenceId: "a", index: 1, label: "1", value: 3 },
    { inferenceId: "a", index: 2, label: "false" },
  ]);
});

it("may come in Model Monitor's form of ground truth", () => {
  expect(
    labels({
      groundTruthData: { data: "1", encoding: "CSV" },
      eventMetadata: { eventId: "a" },
      eventVersion: "0",
    }),
  ).toEqual([{ inferenceId: "a", index: 0, label: "1" }]);
});

it("knows when the prediction was made by an inference id of the gate", () => {
  const at = new Date("2026-11-29T10:11:12.345Z");
  expect(labels({ inferenceId: newInferenceId(at), label: 1 })).toMatchObject([{ predictedAt: at }]);
});

it.each([
  {},
  { inferenceId: "", label: 1 },
  { inferenceId: "a" },
  { inferenceId: "a", label: 1, at: "soon" },
  3,
])("is not what is none: %j", (line) => {
  expect(labels(line)).toBeUndefined();
});

it("is brought below the hour in which it is brought", () => {
  expect(parseLabels("{")).toBeUndefined();
  expect(labelFolder(new Date("2026-11-29T10:11:12Z"))).toBe("labels/2026/11/29/10/");
});
