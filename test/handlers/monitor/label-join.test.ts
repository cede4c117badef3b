import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type AskedPrediction, LabelJoin } from "../../../handlers/monitor/label-join.ts";
import type { Label } from "../../../handlers/monitor/labels.ts";

// Each case of a property has a database of its own.
vi.setConfig({ testTimeout: 120_000 });

const LONG_AGO = new Date(0);

let instance: DuckDBInstance;
let folder: string;
beforeAll(async () => {
  instance = await DuckDBInstance.create(":memory:");
  folder = await mkdtemp(join(tmpdir(), "label-join-"));
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true });
});

/** What a join gives for these labels and predictions, in a database of its own. */
async function joined(
  labels: readonly Label[],
  predictions: readonly AskedPrediction[],
  { counted = [], watermark = LONG_AGO }: { counted?: readonly string[]; watermark?: Date } = {},
) {
  const database = await DuckDBInstance.create(":memory:");
  const connection: DuckDBConnection = await database.connect();
  const join = new LabelJoin(connection, 1);
  await join.open();
  for (const label of labels) join.addLabel(label);
  await join.addCounted(counted);
  const settled = await join.settle(watermark);
  const moments = await join.moments();
  for (const prediction of predictions) await join.addPrediction(prediction);
  const pairs = await join.results();
  const file = `${folder}/${Math.random()}.parquet`;
  await join.writeCounted(file);
  database.closeSync();
  return { pairs, settled, moments, file };
}

const aPrediction = (change: Partial<AskedPrediction> = {}): AskedPrediction => ({
  inferenceId: "a",
  index: 0,
  value: "Adelie",
  variant: "primary",
  segments: ["Biscoe"],
  ...change,
});

const aLabel = (change: Partial<Label> = {}): Label => ({
  inferenceId: "a",
  index: 0,
  label: "Adelie",
  ...change,
});

const ids = fc.constantFrom("a", "b", "c", "d");
const indexes = fc.integer({ min: 0, max: 1 });
const someLabels = fc.array(
  fc.record({ inferenceId: ids, index: indexes, label: fc.constantFrom("Adelie", "Gentoo") }),
  { maxLength: 8 },
);
const somePredictions = fc.array(
  fc.record({
    inferenceId: ids,
    index: indexes,
    value: fc.constantFrom("Adelie", "Gentoo", 3),
    variant: fc.constant("primary"),
    segments: fc.tuple(fc.constantFrom("Biscoe", null)),
  }),
  { maxLength: 8 },
);

const placeOf = ({ inferenceId, index }: { inferenceId: string; index: number }) => `${inferenceId}/${index}`;

it("joins each label that has a prediction with one, the last label of a prediction counting", async () => {
  await fc.assert(
    fc.asyncProperty(someLabels, somePredictions, async (labels, predictions) => {
      const { pairs } = await joined(labels, predictions);
      const last = new Map(labels.map((label) => [placeOf(label), label.label]));
      const predicted = new Set(predictions.map(placeOf));
      const expected = [...last].filter(([place]) => predicted.has(place)).sort();
      expect(pairs.map(({ label }) => label)).toEqual(expected.map(([, label]) => label));
    }),
    { numRuns: 25 },
  );
});

it("gives the same, whatever the order of the predictions", async () => {
  await fc.assert(
    fc.asyncProperty(someLabels, somePredictions, async (labels, predictions) => {
      const { pairs } = await joined(labels, predictions);
      expect((await joined(labels, predictions.toReversed())).pairs).toEqual(pairs);
    }),
    {
      numRuns: 15,
      examples: [
        [
          [{ inferenceId: "a", index: 0, label: "Adelie" }],
          [
            { inferenceId: "a", index: 0, value: "Adelie", variant: "primary", segments: ["Biscoe"] },
            { inferenceId: "a", index: 0, value: "Adelie", variant: "primary", segments: [null] },
          ],
        ],
      ],
    },
  );
});

it("counts no label again that an earlier report counted, however labels are spread over reports", async () => {
  await fc.assert(
    fc.asyncProperty(someLabels, someLabels, somePredictions, async (earlier, later, predictions) => {
      const first = await joined(earlier, predictions);
      const second = await joined(later, predictions, { counted: [first.file] });
      const places = new Set([...earlier, ...later].map(placeOf));
      const predicted = new Set(predictions.map(placeOf));
      expect(first.pairs.length + second.pairs.length).toBe(
        [...places].filter((place) => predicted.has(place)).length,
      );
    }),
    { numRuns: 15 },
  );
});

it("keeps what was predicted, by whom, its segments and its worth", async () => {
  const { pairs } = await joined(
    [aLabel({ value: 12.5 }), aLabel({ inferenceId: "b", label: "1" })],
    [aPrediction(), aPrediction({ inferenceId: "b", value: 0.75, score: 0.75, segments: [null] })],
  );
  expect(pairs).toEqual([
    { label: "Adelie", value: "Adelie", variant: "primary", segments: ["Biscoe"], worth: 12.5 },
    { label: "1", value: 0.75, score: 0.75, variant: "primary", segments: [null] },
  ]);
});

it("tells in which hours to look, and of labels that don't say when", async () => {
  const at = (text: string) => new Date(text);
  const { moments } = await joined(
    [
      aLabel({ predictedAt: at("2026-11-29T10:59:00Z") }),
      aLabel({ inferenceId: "b", predictedAt: at("2026-11-29T10:01:00Z") }),
      aLabel({ inferenceId: "c", predictedAt: at("2026-11-28T00:00:00Z") }),
      aLabel({ inferenceId: "d" }),
    ],
    [],
  );
  expect(moments).toEqual({
    hours: [at("2026-11-28T00:00:00Z"), at("2026-11-29T10:00:00Z")],
    someUnknown: true,
  });
});

it("drops labels of predictions from before the watermark, and tells how many it dropped why", async () => {
  const watermark = new Date("2026-11-01T00:00:00Z");
  const { pairs, settled } = await joined(
    [
      aLabel({ predictedAt: watermark }),
      aLabel({ predictedAt: watermark }),
      aLabel({ inferenceId: "b", predictedAt: new Date(watermark.getTime() - 1) }),
    ],
    [aPrediction(), aPrediction({ inferenceId: "b" })],
    { watermark },
  );
  expect(settled).toEqual({ waiting: 1, repeated: 1, late: 1 });
  expect(pairs).toHaveLength(1);
});
