import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { captureKey } from "../../../handlers/captures/capture-keys.ts";
import { captureLine } from "../../../handlers/captures/capture-record.ts";
import { newInferenceId } from "../../../handlers/captures/inference-id.ts";
import type { Profile } from "../../../handlers/dataset/profile.ts";
import { RowProfiler } from "../../../handlers/monitor/profiled-rows.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";
import type { PipelineInAws } from "./pipeline-in-aws.ts";

export type Penguin = Readonly<Record<string, string | number | null>>;

/** The real penguins, without the two that nobody measured and the one whose sex is ".". */
export const penguins: readonly Penguin[] = (
  JSON.parse(readFileSync("node_modules/vega-datasets/data/penguins.json", "utf8")) as Penguin[]
).filter((row) => row["Body Mass (g)"] !== null && row.Sex !== ".");

export const TARGET = "Species";

export const penguinColumns: DatasetColumn[] = [
  { name: TARGET, type: "string", nullable: false, enum: ["Adelie", "Chinstrap", "Gentoo"] },
  { name: "Island", type: "string", nullable: false, enum: ["Biscoe", "Dream", "Torgersen"] },
  { name: "Beak Length (mm)", type: "number", nullable: true, min: 32.1, max: 59.6 },
  { name: "Beak Depth (mm)", type: "number", nullable: true, min: 13.1, max: 21.5 },
  { name: "Flipper Length (mm)", type: "integer", nullable: true, min: 172, max: 231 },
  { name: "Body Mass (g)", type: "integer", nullable: true, min: 2700, max: 6300 },
  { name: "Sex", type: "string", nullable: true, maxNullFraction: 0.05, enum: ["FEMALE", "MALE"] },
];

/** How the values of some penguins are distributed. */
export async function profileOf(rows: readonly Penguin[]): Promise<Profile> {
  const database = await DuckDBInstance.create(":memory:");
  const profiler = new RowProfiler(await database.connect(), "penguins", penguinColumns);
  for (const row of rows) await profiler.add(row);
  const { profile } = await profiler.finish();
  database.closeSync();
  return profile;
}

export interface AskedPenguin {
  readonly inferenceId: string;
  readonly penguin: Penguin;
  readonly predicted: unknown;
}

export interface Asking {
  readonly at: Date;
  /** What is sent instead of the penguin as it is. */
  readonly change?: (penguin: Penguin, index: number) => Readonly<Record<string, unknown>>;
  /** What the model answers; the truth unless given. */
  readonly predict?: (penguin: Penguin, index: number) => unknown;
  readonly endpoint?: string;
  readonly variant?: string;
  readonly modelVersion?: number;
  readonly inferenceId?: (index: number) => string;
}

/** Asks about penguins, a request each, and leaves the captures of an hour in one object. */
export async function askAbout(
  pipeline: PipelineInAws,
  asked: readonly Penguin[],
  { at, change, predict, endpoint = "blue", variant = "primary", modelVersion = 1, inferenceId }: Asking,
): Promise<readonly AskedPenguin[]> {
  const all = asked.map((penguin, index) => {
    const { [TARGET]: truth, ...inputs } = penguin;
    return {
      inferenceId: inferenceId?.(index) ?? newInferenceId(at),
      penguin,
      sent: change?.(inputs, index) ?? inputs,
      predicted: predict === undefined ? { prediction: truth, probability: 0.9 } : predict(penguin, index),
    };
  });
  const lines = all.map(({ inferenceId, sent, predicted }) =>
    captureLine({
      eventId: inferenceId,
      inferenceId,
      at,
      input: { contentType: "application/json", text: JSON.stringify({ instances: [sent] }) },
      output: { contentType: "application/json", text: JSON.stringify({ predictions: [predicted] }) },
      modelVersion,
    }),
  );
  const key = captureKey({ endpoint, variant }, at, `${all[0]?.inferenceId}`);
  await pipeline.put("predictions", key, `${lines.join("\n")}\n`);
  return all;
}
